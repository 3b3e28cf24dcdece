"""Code for a place in a file: read, filled in by a model, shown as a diff or written."""
