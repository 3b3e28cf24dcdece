"""What a person sees: progress, tables and the streamed answer."""
