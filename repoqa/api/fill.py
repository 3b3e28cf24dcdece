"""From a place in a file to the file with that place filled in: the path of `repoqa fill`."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repoqa.amounts import parse_tokens
from repoqa.api.index import build_index
from repoqa.api.job import chosen_profile, unheard
from repoqa.api.strategy import check_budget
from repoqa.errors import JobError, RepositoryError, UsageError
from repoqa.infill.fill import ORDERS, Order, Prepared, Reader, filling, prepare
from repoqa.infill.place import Site
from repoqa.models.open import open_local
from repoqa.protocols import CodeSource, Progress
from repoqa.records import Snapshot
from repoqa.repository.snapshot import open_snapshot, read_file
from repoqa.settings import REPOSITORY_FILE, read_settings

NOT_TRAINED = (
    "{model} was not trained to fill gaps: it goes on from the code before this one, and does not "
    "see what follows; codellama-7b and codellama-13b fill it"
)


@dataclass(frozen=True, slots=True)
class FillOptions:
    """How to fill; what is left out stays as the settings and the profile have it. `order` is that
    of the prompt's parts: prefix first (`psm`), suffix first (`spm`), or as suits the place."""

    model: str | None = None
    budget: int | str | None = None
    order: str = "auto"

    @property
    def flags(self) -> dict[str, object]:
        """What they say of the settings. Raises UsageError for a budget that is no number."""
        budget = None if self.budget is None else parse_tokens(self.budget, origin="--budget")
        return {"model": self.model, "budget": budget}


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled gap: how it was read, and the file's whole text with it filled."""

    prepared: Prepared
    text: str


def repository_of(start: Path, *, named: bool) -> Snapshot | None:
    """The repository that definitions are from; None where there is none and none is named."""
    try:
        return open_snapshot(start, plain=named)
    except RepositoryError:
        if named:
            raise
        return None


def path_inside(file: Path, snapshot: Snapshot | None) -> str:
    """A file's path in its repository, its name outside."""
    target = file.resolve()
    if snapshot is None or not target.is_relative_to(snapshot.root.resolve()):
        return file.name
    return target.relative_to(snapshot.root.resolve()).as_posix()


def fill(
    site: Site,
    snapshot: Snapshot | None,
    options: FillOptions,
    *,
    progress: Progress,
    note: Callable[[str], None] = unheard,
) -> Filled:
    """Fill the gap; its weights are fetched where they are not here yet. Nothing is written.

    `note` is told what the user should know. Raises UsageError, ModelError, and JobError where the
    model writes nothing.
    """
    settings = read_settings(
        environment=os.environ,
        flags=options.flags,
        repository_file=read_file(snapshot, REPOSITORY_FILE) if snapshot else None,
    )
    profile = chosen_profile(settings)
    budget = settings.budget or profile.reliable_window
    order = _order(options.order)
    check_budget(budget, profile, wanted="single", note=note)
    model = open_local(profile, cache=settings.cache_dir, progress=progress, note=note)
    if not profile.infill:
        note(NOT_TRAINED.format(model=profile.name))
    code: CodeSource | None = None
    if snapshot is not None:
        code = build_index(snapshot, progress=progress).index
    reader = Reader(profile, model.codec, budget, order)
    prepared = prepare(site, site.file.path, code, reader=reader)
    for line in _shown(prepared, snapshot):
        note(line)
    text = filling(prepared, model, profile, progress=progress)
    if not text.strip():
        raise JobError(
            f"{profile.name} wrote nothing for {site.file.path}:{site.line}",
            remedy="Try another --model, or begin the line for it.",
        )
    return Filled(prepared, site.filled(text))


def _order(name: str) -> Order:
    for order in ORDERS:
        if order == name:
            return order
    raise UsageError(f"--order: there is no {name!r}", remedy=f"Try {', '.join(ORDERS)}.")


def _shown(prepared: Prepared, snapshot: Snapshot | None) -> list[str]:
    if snapshot is None:
        return ["no git repository around the file: definitions from elsewhere are not shown"]
    if not prepared.definitions:
        return []
    named = ", ".join(f"{each.name} ({each.path})" for each in prepared.definitions[::-1])
    return [f"shown with the code around the gap: {named}"]
