"""Profiles, tokenizers, weights and engines."""
