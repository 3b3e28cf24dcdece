"""Results as Markdown and JSON."""
