"""Results as Markdown, JSON and SARIF, as pages and as plots."""
