"""The tokenizer of a profile: exact where its files are at hand, else an upper bound.

Nothing is fetched here, and neither torch nor transformers is imported: `repoqa pack` counts
with this. Files on disk that hold no tokenizer are an error, files not there yet are not.
"""

from functools import lru_cache
from pathlib import Path
from typing import Protocol

import msgspec

from repoqa.errors import ModelError
from repoqa.models import byte_level, sentence_piece, tokenizer_json
from repoqa.models.profile import Profile
from repoqa.models.weights import find_checkpoint
from repoqa.protocols import Tokenizer
from repoqa.records import Prompt

TOKENIZER_JSON, TOKENIZER_MODEL = "tokenizer.json", "tokenizer.model"


class Decoder(Protocol):
    """Turns a stream of token ids into text, whole characters at a time."""

    def push(self, token: int) -> str:
        """The text that is whole now."""
        ...

    def finish(self) -> str:
        """What is left at the stream's end."""
        ...


class Codec(Tokenizer, Protocol):
    """A model's own tokenizer, as an engine needs it: it decodes as well."""

    def decoder(self, *, joined: bool = False) -> Decoder:
        """A decoder for one stream of ids; `joined`: its text stands right behind other text, and
        keeps the space that it begins with."""
        ...

    def encode_joined(self, text: str) -> list[int]:
        """The token ids of text that stands right behind other text."""
        ...

    def control_id(self, text: str) -> int | None:
        """The id of the control token of that name, if there is one."""
        ...


def tokenizer_for(profile: Profile, *, cache: Path) -> Tokenizer:
    """The profile's tokenizer; not `exact` while its files are not on this machine."""
    checkpoint = find_checkpoint(profile, cache=cache)
    if checkpoint is None:
        from repoqa.models.estimate import EstimatedTokenizer

        return EstimatedTokenizer(profile.tokens_per_cl100k)
    return codec_of(checkpoint, name=profile.name)


def codec_of(checkpoint: Path, *, name: str) -> Codec:
    """The tokenizer in a checkpoint's directory, read anew only where its files changed. Raises
    ModelError where there is none."""
    files = (checkpoint / TOKENIZER_JSON, checkpoint / TOKENIZER_MODEL)
    return _read_codec(checkpoint, name, tuple(_state(file) for file in files))


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4)  # megabytes each
def _read_codec(checkpoint: Path, name: str, _states: tuple[object, ...]) -> Codec:
    from repoqa.models.vocabulary import RankedTokenizer

    as_json = checkpoint / TOKENIZER_JSON
    as_model = checkpoint / TOKENIZER_MODEL
    vocabulary = None
    try:
        if as_json.is_file():
            definition = tokenizer_json.parse(as_json.read_bytes())
            vocabulary = byte_level.vocabulary(definition) or sentence_piece.from_json(definition)
            if vocabulary is None:
                return _library_tokenizer(as_json, name=name)
        elif as_model.is_file():
            vocabulary = sentence_piece.from_model(as_model.read_bytes())
    except (OSError, msgspec.DecodeError, ValueError, LookupError) as error:
        raise _unusable(checkpoint, f"its tokenizer does not read: {error}") from error
    if vocabulary is None:
        raise _unusable(checkpoint, "it holds no tokenizer.json and no Llama tokenizer.model")
    return RankedTokenizer(name, vocabulary)


def prompt_ids(prompt: Prompt, codec: Codec) -> list[int]:
    """The token ids of a prompt, its control segments alone with control tokens."""
    return [
        token
        for segment in prompt.segments
        for token in (codec.control if segment.control else codec.encode)(segment.text)
    ]


def _library_tokenizer(path: Path, *, name: str) -> Codec:
    from repoqa.models.other_tokenizer import LibraryTokenizer

    return LibraryTokenizer(name, path)


def _unusable(checkpoint: Path, why: str) -> ModelError:
    return ModelError(
        f"the model in {checkpoint} cannot be used: {why}",
        remedy="Download it again with its tokenizer.json; one that repoqa made can be deleted.",
    )
