"""Words of code and of bug reports as terms: identifiers split and stemmed, and kept whole as well.

`getUserName` becomes `get`, `user`, `name` and `getusername`. Terms are stored as 40-bit hashes, in
one namespace a field, so that one posting structure serves every field: of three million terms,
what a hundred thousand files hold, one in 400,000 that are asked for meets another's hash.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b
from itertools import chain

import Stemmer

TERMS_VERSION = "2"
HASH_BYTES = 5
ITEM_BYTES = 8  # of a hash where some stand side by side, as uint64
_FILL = bytes(ITEM_BYTES - HASH_BYTES)
WORD = re.compile(r"\w{2,}")
# Capitals that end before a capitalized word; a capitalized or lower-case word; digits.
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+")
# Longer "words" are encoded payloads (base64, hashes): no report names them by a part.
LONGEST_WORD = 64
# Words that are kept worked out, in each of some caches; they take some 20 MB a cache.
MOST_KEPT = 1 << 16
# ASCII that is in no word, as a table for bytes.translate.
_APART = bytes(
    code if code >= 0x80 or WORD.match(chr(code) * 2) else ord(" ") for code in range(256)
)
# Stands before the words of each text among those of several: no word, and kept by the table.
MARK = "\x80"
_STEMMER = Stemmer.Stemmer("english")
_STEMMER.maxCacheSize = 0  # our own caches ask for each part once


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
        return self.value * 0x9E3779B97F4A7C15 % (1 << 8 * HASH_BYTES)


def words_of(text: str) -> list[str]:
    """The words of a text, in order: what `WORD` finds, in a third of the time."""
    if not text.isascii():
        return WORD.findall(text)
    pieces = text.encode("ascii").translate(_APART).decode("ascii").split()
    return [piece for piece in pieces if len(piece) > 1]


def marked_words(texts: Sequence[str]) -> list[str]:
    """The words of some texts, in order, with `MARK` before those of each. Single characters, which
    are no words, may stand among them."""
    if all(map(str.isascii, texts)):
        marked = "".join([f" {MARK} {text}" for text in texts])
        return marked.encode("latin-1").translate(_APART).decode("latin-1").split()
    return [piece for text in texts for piece in (MARK, *words_of(text))]


@lru_cache(maxsize=MOST_KEPT)
def terms_of(word: str) -> tuple[str, ...]:
    """The terms of one word: its stemmed parts, and the whole word where it has several parts."""
    if len(word) > LONGEST_WORD:
        return ()
    parts = tuple(map(_stem, PART.findall(word)))
    return (*parts, word.lower()) if len(parts) > 1 else parts


def count_terms(text: str) -> Counter[str]:
    """How often each term stands in a text."""
    counts: Counter[str] = Counter()
    for word, number in Counter(words_of(text)).items():
        for term in terms_of(word):
            counts[term] += number
    return counts


def ordered_terms(text: str) -> tuple[str, ...]:
    """The stemmed parts of a text's words, in order and as often as they stand there."""
    return tuple(chain.from_iterable(map(_word_stems, words_of(text))))


def term_hash(term: str) -> int:
    """The hash of a term, before its field's salt; equal in every process."""
    return int.from_bytes(_packed_hash(term), "little")


def _packed_hash(term: str) -> bytes:
    text = term.encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=HASH_BYTES).digest() + _FILL


class Hashes(dict[str, bytes]):
    """Strings to hashes, as uint64, little-endian; worked out when first looked up.

    Begun anew when full: a cache that keeps what was used last writes at each look-up, all over
    its memory, and half of a repository's words stand there once.
    """

    def __init__(self, work_out: Callable[[str], bytes]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, text: str) -> bytes:
        if len(self) >= MOST_KEPT:
            self.clear()
        self[text] = hashes = self._work_out(text)
        return hashes


def _word_hashes(word: str) -> bytes:
    if not 1 < len(word) <= LONGEST_WORD:
        return b""
    parts = PART.findall(word)
    if len(parts) == 1:
        return _PART_HASHES[parts[0]]
    return b"".join(map(_PART_HASHES.__getitem__, parts)) + (
        _packed_hash(word.lower()) if parts else b""
    )


def _part_hash(part: str) -> bytes:
    return _packed_hash(_stem(part))


# The hashes of a word's terms, none for a single character; of a name that is kept whole, its
# only term's; and of a part of a word.
WORD_HASHES = Hashes(_word_hashes)
NAME_HASHES = Hashes(_packed_hash)
_PART_HASHES = Hashes(_part_hash)


def hashed(field: Field, term: str) -> int:
    """The hash of a term in a field."""
    return term_hash(term) ^ field.salt


@lru_cache(maxsize=MOST_KEPT)
def _word_stems(word: str) -> tuple[str, ...]:
    return tuple(map(_part_stem, PART.findall(word))) if len(word) <= LONGEST_WORD else ()


@lru_cache(maxsize=MOST_KEPT)
def _part_stem(part: str) -> str:
    return _stem(part)


def _stem(part: str) -> str:
    stem: str = _STEMMER.stemWord(part.lower())
    return stem
