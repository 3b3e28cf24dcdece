"""A byte-level BPE tokenizer.json, as GPT-2 shaped models have it, as a vocabulary for tiktoken.

Only the pre-tokenizers named below are known; for any other shape `vocabulary` gives None.
Token ids stand in the order of the merges, so they serve as the ranks themselves.
"""

from collections.abc import Collection, Iterator
from itertools import accumulate, pairwise

from repoqa.models.tokenizer_json import TokenizerJson
from repoqa.models.vocabulary import Vocabulary

# What tokenizers' ByteLevel(use_regex=True) splits by, after the public GPT-2 encoder ...
_GPT2 = r"(?:'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+)|\s+(?!\S)|\s+"
# ... and with each digit split off first: a digit ends a run of whitespace as the text's end does.
# The group keeps the backtracking engine out of what needs no look-ahead: 6.8 MB/s, 5.0 without.
_GPT2_SINGLE_DIGITS = (
    r"(?:\p{N}|'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?[^\s\p{L}\p{N}]+)|\s+(?![^\s\p{N}])|\s+"
)
_BYTES = [bytes((byte,)) for byte in range(256)]
# GPT-2 writes these bytes as themselves, the others as the characters from U+0100 on.
_PRINTABLE = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}


def vocabulary(definition: TokenizerJson) -> Vocabulary | None:
    """The vocabulary of a tokenizer.json, or None where its shape is another one."""
    pattern = _pattern(definition)
    model = definition.model
    if pattern is None or model.is_altered or model.byte_fallback or definition.normalizer:
        return None
    pieces = definition.pieces()
    ranks = dict(zip(_as_bytes(pieces), pieces.values(), strict=True))
    controls = definition.controls
    spare = max((*ranks.values(), *controls.values())) + 1
    # tiktoken wants a rank for each byte; these bytes have no token, and the model never sees them.
    missing = [byte for byte in _BYTES if byte not in ranks]
    without_token = {byte: spare + place for place, byte in enumerate(missing)}
    return Vocabulary(
        ranks=ranks | without_token,
        pattern=pattern,
        ids=dict.fromkeys(without_token.values(), ()),
        controls=controls,
    )


def _pattern(definition: TokenizerJson) -> str | None:
    match definition.pre_tokenizer:
        case {"type": "Sequence", "pretokenizers": [{"type": "Digits", **digits}, last]}:
            singly = digits.get("individual_digits") is True
            return _GPT2_SINGLE_DIGITS if singly and _is_gpt2_split(last) else None
        case {"type": "Sequence", "pretokenizers": [only]} | only:
            return _GPT2 if _is_gpt2_split(only) else None


def _is_gpt2_split(step: object) -> bool:
    match step:
        case {"type": "ByteLevel", "add_prefix_space": False, **rest}:
            return rest.get("use_regex", True) is True
    return False


def _as_bytes(pieces: Collection[str]) -> Iterator[bytes]:
    """The bytes of each piece, of which every character stands for one. All are replaced at once:
    piece by piece it is the most of what reading a tokenizer takes."""
    joined = "".join(pieces)
    others = (byte for byte in range(256) if byte not in _PRINTABLE)
    for place, byte in enumerate(others):
        joined = joined.replace(chr(256 + place), chr(byte))
    whole = joined.encode("latin-1")
    ends = accumulate(map(len, pieces), initial=0)
    return (whole[start:end] for start, end in pairwise(ends))
