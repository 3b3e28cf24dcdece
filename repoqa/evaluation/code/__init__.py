"""How well models write code: tasks with hidden tests, asked, run in the sandbox and counted."""
