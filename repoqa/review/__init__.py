"""What a change may break: its impact, exactly, and a model's findings on it."""
