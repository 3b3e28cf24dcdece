"""The path from a question to a prompt, and from a prompt to an answer."""
