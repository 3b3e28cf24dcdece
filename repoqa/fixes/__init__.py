"""Fixes of bugs in a repository's history, and the places that they changed."""
