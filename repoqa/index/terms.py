"""Words of code and of bug reports as terms: identifiers split and stemmed, and kept whole as well.

`getUserName` becomes `get`, `user`, `name` and `getusername`. Terms are stored as 64-bit hashes, in
one namespace a field, so that one posting structure serves every field.
"""

import re
from collections import Counter
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

import Stemmer

TERMS_VERSION = "1"
WORD = re.compile(r"\w{2,}")
# Capitals that end before a capitalized word; a capitalized or lower-case word; digits.
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+")
# Longer "words" are encoded payloads (base64, hashes): no report names them by a part.
LONGEST_WORD = 64
_STEMMER = Stemmer.Stemmer("english")


class Field(IntEnum):
    """Where in a unit a term stands; each is a namespace of its own."""

    TEXT = 0  # anywhere in the unit
    NAME = 1  # in its qualified name
    DEFINED = 2  # a name defined in the unit, exactly as written
    QUALIFIED = 3  # the same with its class: `Class.method`
    USED = 4  # a name called, used as a type or inherited from, exactly as written

    @property
    def salt(self) -> int:
        """What a term's hash is xor-ed with in this field: multiples of the golden ratio, which
        spread (Knuth, The Art of Computer Programming 3, section 6.4)."""
        return self.value * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF


@lru_cache(maxsize=1 << 18)
def terms_of(word: str) -> tuple[str, ...]:
    """The terms of one word: its stemmed parts, and the whole word where it has several parts."""
    if len(word) > LONGEST_WORD:
        return ()
    parts = tuple(_STEMMER.stemWord(part.lower()) for part in PART.findall(word))
    return (*parts, word.lower()) if len(parts) > 1 else parts


def count_terms(text: str) -> Counter[str]:
    """How often each term stands in a text."""
    counts: Counter[str] = Counter()
    for word, number in Counter(WORD.findall(text)).items():
        for term in terms_of(word):
            counts[term] += number
    return counts


@lru_cache(maxsize=1 << 18)
def term_hash(term: str) -> int:
    """The 64-bit hash of a term, before its field's salt; equal in every process."""
    text = term.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


@lru_cache(maxsize=1 << 18)
def word_hashes(word: str) -> tuple[int, ...]:
    """The hashes of a word's terms."""
    return tuple(term_hash(term) for term in terms_of(word))


def hashed(field: Field, term: str) -> int:
    """The hash of a term in a field."""
    return term_hash(term) ^ field.salt
