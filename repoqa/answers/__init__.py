"""What the model said, held against the code: citations and suspects."""
