"""What runs generated code: a script of its own that imports nothing of repoqa (`__main__`)."""
