"""Which files and symbols matter for the question, each with its reasons."""
