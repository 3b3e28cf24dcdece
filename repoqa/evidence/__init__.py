"""What the user gave: the question, the piped log, its stack traces."""
