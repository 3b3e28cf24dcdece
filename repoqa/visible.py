"""Text made safe to show: nothing that a path, a name or a log holds can drive the terminal, or
hide or reorder what is read."""

import re

# C0 and C1 controls but newline and tab, and the marks that reorder or hide text (Unicode TR 36
# and TR 39: bidirectional overrides and isolates, zero-width characters, line separators).
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
TWO_DIGITS = 0xFF


def visible(text: str) -> str:
    """`text` with each unsafe character as an escape that can be read: `\\x1b`, `\\u202e`."""
    return UNSAFE.sub(_escape, text)


def one_line(text: str) -> str:
    """`visible` text for a place that has one line: newlines and tabs are escapes too."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= TWO_DIGITS else f"\\u{code:04x}"
