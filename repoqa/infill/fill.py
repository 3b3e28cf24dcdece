"""Fills a gap in code: the token ids that a model goes on from, and what of its text is kept."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from repoqa.errors import BudgetError
from repoqa.infill.block import text_for
from repoqa.infill.context import NEAR_SHARE, Definition, chosen, definitions, near
from repoqa.infill.place import Site
from repoqa.models.infill import MARKS, Gap, infill_ids
from repoqa.models.profile import Profile
from repoqa.models.tokens import Codec
from repoqa.protocols import CodeSource, Progress

Order = Literal["auto", "psm", "spm"]
ORDERS: tuple[Order, ...] = ("auto", "psm", "spm")
START = "<s>"
NOTHING = "\n"


class Continuing(Protocol):
    """A model that goes on from token ids."""

    codec: Codec

    def continued(
        self, ids: Sequence[int], *, ends: frozenset[int] = frozenset(), progress: Progress
    ) -> Iterator[str]:
        """Yield what follows the tokens, as text right behind theirs, up to one of `ends`."""
        ...


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the gap: a model's profile and its tokens; `budget` is the most of them."""

    profile: Profile
    codec: Codec
    budget: int
    order: Order = "auto"

    @property
    def is_trained(self) -> bool:
        """Whether the model was trained to fill gaps; else it continues what stands before."""
        return bool(self.profile.infill)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A gap as a model reads it. `definitions` are shown before `gap`, the code around it."""

    site: Site
    gap: Gap
    definitions: tuple[Definition, ...]
    ids: tuple[int, ...]
    is_trained: bool


def prepare(site: Site, path: str, code: CodeSource | None, *, reader: Reader) -> Prepared:
    """The prompt for a gap in the file at `path`, never a token over the budget; without `code` no
    definitions are looked for.

    Raises BudgetError where not even the gap's own line fits.
    """
    empty = len(ids_for(Gap("", ""), reader))
    room = reader.budget - empty
    around = near(site, int(NEAR_SHARE * room) if code else room, reader.codec)
    gap = around.gap if reader.is_trained else Gap(around.gap.prefix, "")
    left = reader.budget - len(ids_for(gap, reader))
    if left < 0 or not _has_own_line(site.gap, gap):
        raise BudgetError(
            f"a budget of {reader.budget:,} tokens is too small for the code around the gap",
            remedy="Give a larger --budget.",
        )
    found = definitions(around, path, code) if code else ()
    taken = chosen(found, left, reader.codec)
    ids = ids_for(_behind(taken, gap), reader)
    while len(ids) > reader.budget:  # tokens that join across a seam can be more than their sum
        taken = taken[1:]
        ids = ids_for(_behind(taken, gap), reader)
    return Prepared(site, around.gap, taken, tuple(ids), reader.is_trained)


def ids_for(gap: Gap, reader: Reader) -> list[int]:
    """The gap's prompt: by the marks of the model's infilling, or the code before it alone.

    `auto` gives the suffix first where whole lines are missing, which fills them better, and the
    prefix first inside a line, where a token may go on over the gap (see models.infill).
    """
    codec = reader.codec
    if not reader.is_trained:
        start = codec.control_id(START)
        ids = [*([] if start is None else [start]), *codec.encode(gap.prefix)]
        return ids or codec.encode(NOTHING)  # something has to be gone on from
    whole_lines = not gap.prefix or gap.prefix.endswith("\n")
    suffix_first = whole_lines if reader.order == "auto" else reader.order == "spm"
    first: Literal["prefix", "suffix"] = "suffix" if suffix_first else "prefix"
    return infill_ids(gap, profile=reader.profile, codec=codec, first=first)


def filling(prepared: Prepared, model: Continuing, profile: Profile, *, progress: Progress) -> str:
    """The text for the gap, from the model. Raises ModelError."""
    ends = ends_of(profile, model.codec)
    stream = model.continued(prepared.ids, ends=ends, progress=progress)
    with closing(cast("Generator[str, None, None]", stream)) as pieces:
        return text_for(pieces, prepared.site.gap, trained=prepared.is_trained)


def ends_of(profile: Profile, codec: Codec) -> frozenset[int]:
    """The tokens by which the profile's model says that the gap is full."""
    end = codec.control_id(MARKS[profile.infill].end) if profile.infill else None
    return frozenset() if end is None else frozenset({end})


def _behind(taken: Sequence[Definition], gap: Gap) -> Gap:
    return Gap("".join(each.text for each in taken) + gap.prefix, gap.suffix)


def _has_own_line(whole: Gap, shown: Gap) -> bool:
    own = whole.prefix.rpartition("\n")[2]
    return shown.prefix.endswith(own) and (bool(shown.prefix) or not whole.prefix)
