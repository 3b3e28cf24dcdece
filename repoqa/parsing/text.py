"""Bytes to text and text to lines, the same way everywhere in repoqa.

Line numbers agree with git's and tree-sitter's: a line ends at a line feed, and nowhere else.
"""

import codecs

# git looks at as much to tell binary files (its buffer_is_binary).
BINARY_PROBE_BYTES = 8192

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def decode(content: bytes) -> str | None:
    """The text of a file's bytes without its byte order mark, or None where they are binary.

    UTF-8 first, UTF-16 where a byte order mark says so, else Latin-1, which reads any byte.
    Binary is a NUL byte among the first 8,192, as git has it, outside UTF-16.
    """
    encoding = _UTF16.get(content[:2])
    # FF FE 00 00 is UTF-32, which nobody writes source in: its NUL bytes make it binary.
    if encoding is not None and content[2:4] != b"\0\0":
        return content[2:].decode(encoding, errors="replace")
    if b"\0" in content[:BINARY_PROBE_BYTES]:
        return None
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def split_lines(text: str) -> list[str]:
    """The lines of `text` without their ends; a line feed that ends the text starts no line."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines
