"""Finds secrets in text, so that none is kept or sent."""
