"""From a file's bytes to its symbols, references and outline, by tree-sitter."""
