"""Judges single values: random as a key is, words, or standing in for a value."""

import math
import re
from collections import Counter

_LEAST_RANDOM = 16  # characters
_LEAST_ENTROPY = 3.0  # bits a character: 16 random hexadecimal digits have 3.2 on average
_LEAST_CHANGES = 3  # between letters and digits; names with a number in them have one or two
# `${TOKEN}`, `<your token>`, `%(token)s`, `$env:TOKEN`, `xxxxxx`.
_STAND_IN = re.compile(
    r"\s|\{[^}]*\}|<[^>]*>|\$[({]|^\$[\w:]+$|^\[|%\(|%[sdrv](?![A-Za-z0-9])|\*{3}|\.{3}|(.)\1{5}"
)
# These words count only where nothing else makes the value look random.
_STAND_IN_WORD = re.compile(r"your|change.?me|placeholder|replace|insert|todo|null", re.IGNORECASE)
_OWN_NAME = re.compile(
    r"[a-z_]*?(?:pass(?:word|wd|phrase)?|pwd|pw|secret|token|key)\d{0,2}", re.IGNORECASE
)
_WORDS = re.compile(r"(?:[A-Za-z]+\d{0,2}|\d+)(?:[-_./:](?:[A-Za-z]+\d{0,2}|\d+))+")
_EDGES = "./~"


def looks_random(value: str) -> bool:
    """Whether a value is more like a key than like words, a path or a number."""
    if len(value) < _LEAST_RANDOM or entropy(value) < _LEAST_ENTROPY:
        return False
    digits = [character.isdigit() for character in value if character.isalnum()]
    changes = sum(one != other for one, other in zip(digits, digits[1:], strict=False))
    return changes >= _LEAST_CHANGES and not is_words(value)


def entropy(value: str) -> float:
    """Shannon's entropy of a value's characters, in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def could_be_password(value: str, *, least: int) -> bool:
    """Whether a value of at least `least` characters could be one, where its name says that it is.

    Letters alone are not enough: they name things far more often.
    """
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    named = names_itself(value) or _STAND_IN_WORD.search(value) is not None
    return len(value) >= least and mixed and not named and not is_words(value)


def is_words(value: str) -> bool:
    """Whether a value is words or numbers joined by dashes, dots or slashes: a name or a path."""
    return _WORDS.fullmatch(value.strip(_EDGES)) is not None


def names_itself(value: str) -> bool:
    """Whether a value is only a name for one: `password`, `db_secret`, `token2`."""
    return _OWN_NAME.fullmatch(value) is not None


def stands_in(value: str) -> bool:
    """Whether a value is a variable, a template or a placeholder; no value has white space."""
    return _STAND_IN.search(value) is not None
