"""The MCP server: the engine as tools of an assistant, over standard input and output."""
