"""How a model fills a gap in code: the token ids of its prompt, built by hand.

After facebookresearch/codellama's `generation.py`. Tokenizer libraries get these prompts wrong:
they put a space before the suffix, or lose the marks.
"""

from dataclasses import dataclass
from typing import Literal

from repoqa.errors import UsageError
from repoqa.models.profile import Profile
from repoqa.models.tokens import Codec

_START = "<s>"


@dataclass(frozen=True, slots=True)
class Marks:
    """The control tokens before the prefix, the suffix and the middle, and the one that ends it."""

    prefix: str
    suffix: str
    middle: str
    end: str


MARKS = {
    "codellama": Marks("\u2581<PRE>", "\u2581<SUF>", "\u2581<MID>", "\u2581<EOT>"),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """The code before and after what is to be filled in."""

    prefix: str
    suffix: str


def infill_ids(
    gap: Gap, *, profile: Profile, codec: Codec, first: Literal["prefix", "suffix"] = "prefix"
) -> list[int]:
    """The prompt for `gap`: prefix-suffix-middle, or suffix-prefix-middle.

    Code Llama 7B fills single lines better with the suffix first: 72.7 % of them exactly, against
    67.6 % (Python, arXiv 2308.12950).
    Raises UsageError for a model that was not trained to fill gaps.
    """
    if not profile.infill:
        raise UsageError(
            f"{profile.name} was not trained to fill gaps in code",
            remedy="Use codellama-7b, codellama-13b or one of their Instruct models.",
        )
    marks = MARKS[profile.infill]
    start, prefix, suffix, middle = (
        codec.control(mark) for mark in (_START, marks.prefix, marks.suffix, marks.middle)
    )
    before, after = codec.encode(gap.prefix), codec.encode_joined(gap.suffix)
    if first == "suffix":
        return [*start, *prefix, *suffix, *after, *middle, *before]
    return [*start, *prefix, *before, *suffix, *after, *middle]
