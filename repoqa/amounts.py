"""Amounts as people write them in settings and options: numbers of tokens, sizes in bytes."""

import re
from types import MappingProxyType

from repoqa.errors import UsageError

THOUSAND = 1_000
TOKENS = re.compile(r"(?P<number>\d+(?:_\d+)*)(?P<fraction>\.\d+)?(?P<thousand>[kK])?")
SIZE = re.compile(r"(?P<number>\d+(?:_\d+)*(?:\.\d+)?) ?(?P<unit>[kKmMgGtT]?)(?:i?[bB])?")
# A folder's size is a power of two to most people who set a limit: 2 GB is 2 GiB.
KIBI = 1024
POWERS = MappingProxyType({"": 0, "K": 1, "M": 2, "G": 3, "T": 4})


def parse_tokens(value: int | str, *, origin: str) -> int:
    """A number of tokens: 13000, "13000", "13_000" or "13k" (k is a thousand)."""
    match = TOKENS.fullmatch(str(value).strip())
    if match is None or (match["fraction"] and not match["thousand"]):
        raise UsageError(
            f"{origin}: {str(value)!r} is not a number of tokens",
            remedy="Write it as 13000 or 13k.",
        )
    number = float(match["number"] + (match["fraction"] or ""))
    tokens = round(number * THOUSAND) if match["thousand"] else int(number)
    if tokens == 0:
        raise UsageError(f"{origin}: 0 tokens are too few", remedy="Try 4k.")
    return tokens


def parse_number(value: float | str, *, origin: str) -> float:
    """A number of at least 1, as a stretch is: 2 or "1.5"."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not number >= 1 or number == float("inf"):
        raise UsageError(
            f"{origin}: {str(value)!r} is not a number of at least 1",
            remedy="Write it as 2 or 1.5.",
        )
    return number


def parse_size(value: int | str, *, origin: str) -> int:
    """A number of bytes: 500000, "500M", "2G", "1.5 GB" (K is 1,024)."""
    match = SIZE.fullmatch(str(value).strip())
    if match is None:
        raise UsageError(
            f"{origin}: {str(value)!r} is not a size", remedy="Write it as 500M or 2G."
        )
    return int(float(match["number"]) * KIBI ** POWERS[match["unit"].upper()])
