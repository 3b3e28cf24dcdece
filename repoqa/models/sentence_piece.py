"""A Llama-shaped SentencePiece BPE vocabulary, made into one that tiktoken encodes with.

SentencePiece merges characters, tiktoken merges bytes. The two agree once characters come
together before anything else: bytes rank first, then the beginnings of characters that need
more than two bytes, then the characters, then the merges in the model's own order. A character
without a piece is left as bytes, which are the model's byte tokens (`<0x0A>`).

Reads a tokenizer.json (its merges give the order) and a tokenizer.model (its scores do). Gives
None for a vocabulary of any other shape: one whose pieces cross a space or a line end, or one
without byte tokens.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from repoqa.models.tokenizer_json import TokenizerJson
from repoqa.models.vocabulary import Vocabulary

# SentencePiece writes a space as this character, in its pieces and in text alike.
_SPACE = "\u2581"
# No piece has a space behind another character, so text can be cut before each run of spaces.
_PATTERN = r" +[^ \n]*|[^ \n]+|\n"
_PREPENDS_A_SPACE = {
    "type": "Sequence",
    "normalizers": [
        {"type": "Prepend", "prepend": _SPACE},
        {"type": "Replace", "pattern": {"String": " "}, "content": _SPACE},
    ],
}
_BYTES = 256
# Code Llama has 16 pieces behind Llama 2's own: marks of infilling or of turns, and their parts.
# The marks are control tokens, and no text may come near them.
_LLAMA_PIECES = 32_000
_MARKS = ("\u2581<PRE>", "\u2581<SUF>", "\u2581<MID>", "\u2581<EOT>", "<step>")
# The field numbers of sentencepiece_model.proto, and its types of pieces.
_PIECES, _PIECE, _SCORE, _TYPE = 1, 1, 2, 3
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
# Protocol buffers' wire types, and the sizes in bytes of the fixed ones.
_VARINT, _LENGTH_DELIMITED = 0, 2
_FIXED = {1: 8, 5: 4}


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A vocabulary by kind, pieces written with spaces: `ordered` are in the order of merging."""

    ordered: Sequence[tuple[str, int]]
    byte_ids: Mapping[int, int]
    controls: Mapping[str, int]


def from_json(definition: TokenizerJson) -> Vocabulary | None:
    """The vocabulary of a tokenizer.json, or None where its shape is another one."""
    model = definition.model
    if (
        model.is_altered
        or model.byte_fallback is not True
        or definition.normalizer != _PREPENDS_A_SPACE
        or definition.pre_tokenizer is not None
    ):
        return None
    ids, marks = _without_marks(definition.pieces(), controls=definition.controls)
    byte_names = {f"<0x{byte:02X}>": byte for byte in range(_BYTES)}
    order: dict[str, int] = {}
    for place, piece in enumerate(definition.merges()):
        order.setdefault(piece, place)
    texts = [piece for piece in ids if piece not in byte_names]
    texts.sort(key=lambda piece: order.get(piece, -1))
    return _vocabulary(
        _Pieces(
            ordered=[(piece.replace(_SPACE, " "), ids[piece]) for piece in texts],
            byte_ids={byte: ids[name] for name, byte in byte_names.items() if name in ids},
            controls={**definition.controls, **marks},
        )
    )


def from_model(content: bytes) -> Vocabulary | None:
    """The vocabulary of a tokenizer.model's bytes, or None where its shape is another one."""
    pieces: list[tuple[str, int, float]] = []
    byte_ids: dict[int, int] = {}
    controls: dict[str, int] = {}
    blocks = (value for number, value in _proto_fields(content) if number == _PIECES)
    for token, block in enumerate(blocks):
        values = dict(_proto_fields(cast(bytes, block)))
        text = cast(bytes, values[_PIECE]).decode("utf-8")
        kind = values.get(_TYPE, _NORMAL)
        if kind == _BYTE:
            byte_ids[int(text[1:-1], 16)] = token
        elif kind in (_UNKNOWN, _CONTROL):
            controls[text] = token
        else:
            score = struct.unpack("<f", cast(bytes, values.get(_SCORE, bytes(4))))[0]
            pieces.append((text, token, score))
    known, marks = _without_marks({piece[0]: piece[1] for piece in pieces}, controls=controls)
    # Runs of spaces share one score far below the others; the longest wins.
    pieces.sort(key=lambda piece: (-piece[2], -len(piece[0]), piece[1]))
    ordered = [(text.replace(_SPACE, " "), token) for text, token, _ in pieces if text in known]
    return _vocabulary(_Pieces(ordered, byte_ids, {**controls, **marks}))


def _without_marks(
    ids: Mapping[str, int], *, controls: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """The pieces that text may become, and Code Llama's marks."""
    marks = {mark: ids[mark] for mark in _MARKS if mark in ids}
    if not marks and controls.keys().isdisjoint(_MARKS):
        return dict(ids), marks
    return {piece: token for piece, token in ids.items() if token < _LLAMA_PIECES}, marks


def _vocabulary(pieces: _Pieces) -> Vocabulary | None:
    if len(pieces.byte_ids) != _BYTES or any(map(_crosses, (text for text, _ in pieces.ordered))):
        return None
    ranks: dict[bytes, int] = {bytes((byte,)): byte for byte in range(_BYTES)}
    ids: dict[int, tuple[int, ...]] = {byte: (token,) for byte, token in pieces.byte_ids.items()}
    characters = [(text, token) for text, token in pieces.ordered if len(text) == 1]
    for beginning in _beginnings(text.encode() for text, _ in characters):
        ids[len(ranks)] = tuple(pieces.byte_ids[byte] for byte in beginning)
        ranks[beginning] = len(ranks)
    merges = ((text, token) for text, token in pieces.ordered if len(text) > 1)
    for text, token in (*characters, *merges):
        rank = ranks.setdefault(text.encode(), len(ranks))
        ids[rank] = (token,)
    return Vocabulary(
        ranks=ranks,
        pattern=_PATTERN,
        ids=ids,
        controls=pieces.controls,
        prefix=" ",
        aliases={_SPACE: " "},
    )


def _crosses(piece: str) -> bool:
    return len(piece) > 1 and ("\n" in piece or " " in piece.lstrip(" "))


def _beginnings(characters: Iterable[bytes]) -> list[bytes]:
    """The proper beginnings, two bytes or longer, of the encoded characters: short ones first."""
    found = {text[:end] for text in characters for end in range(2, len(text))}
    return sorted(found, key=lambda text: (len(text), text))


def _proto_fields(content: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a protocol buffer message: (number, value), varints as int, others as bytes."""
    place = 0
    while place < len(content):
        tag, place = _varint(content, place)
        number, wire = tag >> 3, tag & 7
        value: bytes | int
        if wire == _VARINT:
            value, place = _varint(content, place)
        else:
            if wire == _LENGTH_DELIMITED:
                size, place = _varint(content, place)
            else:
                size = _FIXED[wire]
            value, place = content[place : place + size], place + size
        yield number, value


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
