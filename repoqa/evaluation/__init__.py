"""How well the right code is found, measured on bug reports."""
