"""Reading repositories: which files there are, and their bytes, by git object id."""
