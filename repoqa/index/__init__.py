"""From a snapshot to postings and a definition graph, cached by content."""
