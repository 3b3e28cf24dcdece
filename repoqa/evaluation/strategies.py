"""Whether a bug is found in one long prompt or by a sweep, wherever it stands among the code.

A repository is made of the functions of long texts, each in a file of its own, and of one function
with a bug. A ranking is made up so that packing puts that function at the start, in the middle or
at the end of what fits a length: how well code is ranked is measured elsewhere.
"""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as changed
from itertools import accumulate, product
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from textwrap import dedent

import msgspec

from repoqa.answers.citations import check
from repoqa.diagnosis.prepare import Preparation, Setup, prepare, repacked
from repoqa.diagnosis.single import familiar_names
from repoqa.errors import UsageError
from repoqa.evaluation.bugs import BUGS, Bug
from repoqa.evidence import question as evidence
from repoqa.packing.render import draw
from repoqa.parsing.functions import outer_functions
from repoqa.parsing.parse import parse
from repoqa.prompts.render import fixed_tokens
from repoqa.prompts.templates import BETWEEN_EXCERPTS
from repoqa.protocols import Progress
from repoqa.records import Question, RankedSymbol, Ranking, Snapshot, Symbol
from repoqa.repository.walk import OBJECT_FORMAT, walk

POSITIONS = (0.0, 0.5, 1.0)
"""Where the bug stands, as parts of the packed code: at the start, in the middle, at the end."""
LONGEST = 30
"""Lines of a function around the bug: longer ones would make the places rough."""
REASON = "place"
_NOT_IN_A_NAME = re.compile(r"[^\w.]")
_LONGEST_NAME = 100  # characters
_BY_NAME = {bug.name: bug for bug in BUGS}


class Trial(msgspec.Struct, frozen=True):
    """A bug to be found: by which model, among the functions of which texts, in how many tokens of
    prompt, standing where, and how they are read."""

    model: str
    texts: tuple[str, ...]
    bug: str
    length: int
    position: float
    strategy: str

    @property
    def path(self) -> str:
        """The file that holds the bug and nothing else: beside the functions of the first text."""
        return f"{_named(PurePath(self.texts[0]).stem)}/{self.bug}.py"


class Outcome(msgspec.Struct, frozen=True):
    """What came of a trial. `found` says that the answer cites a line of the bug's function,
    `named` that a window's suspects had it, None where there was no window; `tokens` are those of
    all prompts."""

    trial: Trial
    found: bool
    named: bool | None
    windows: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a text, in a file of its own."""

    path: str
    code: str


def trials(
    model: str,
    texts: Sequence[str],
    *,
    lengths: Sequence[int],
    strategies: Sequence[str],
    bugs: int,
) -> Iterator[Trial]:
    """Every trial. Neighbours have different code around different bugs or are read differently, so
    that what a model holds of one prompt spares it little of the next."""
    for length, position, bug, strategy in product(lengths, POSITIONS, BUGS[:bugs], strategies):
        yield Trial(model, tuple(texts), bug.name, length, position, strategy)


def functions(texts: Iterable[tuple[str, str]]) -> list[Function]:
    """The functions of texts, given as their names and contents; of those of one name the first."""
    found: dict[str, str] = {}
    for name, content in texts:
        lines = content.splitlines()
        for symbol in outer_functions(parse(name, content.encode()).symbols):
            file = PurePath(
                _named(PurePath(name).stem), _named(symbol.name) + PurePath(name).suffix
            )
            if symbol.end - symbol.start < LONGEST:
                code = dedent("\n".join(lines[symbol.start - 1 : symbol.end]))
                found.setdefault(file.as_posix(), f"{code}\n")
    return [Function(path, code) for path, code in found.items()]


@contextmanager
def planted(
    trial: Trial, around: Sequence[Function], setup: Setup, *, progress: Progress
) -> Iterator[Preparation]:
    """A repository with the trial's bug, prepared so that its function stands where it is to.

    Raises UsageError where the functions are too few for the length, or the length too short.
    """
    bug = _BY_NAME[trial.bug]
    question = evidence.read(bug.question)
    others = [function for function in around if function.path != trial.path]
    chosen = _chosen(bug, others, question, setup=setup)
    with TemporaryDirectory(prefix="repoqa-") as folder:
        for function in (*chosen, Function(trial.path, bug.code)):
            file = Path(folder, function.path)
            file.parent.mkdir(exist_ok=True)
            file.write_text(function.code, encoding="utf-8")
        preparation = prepare(question, _snapshot(Path(folder)), setup, progress=progress)
        yield _placed(preparation, trial, chosen)


def cites(text: str, trial: Trial, preparation: Preparation) -> bool:
    """Whether an answer cites a line of the bug's function; its file's name alone is too little."""
    familiar = familiar_names(preparation.context, preparation.index)
    answer = check(text, preparation.index, familiar=familiar)
    return any(
        citation.valid and citation.path == trial.path and citation.start
        for citation in answer.citations
    )


def _named(text: str) -> str:
    """A name as a part of a path that an answer can cite."""
    return _NOT_IN_A_NAME.sub("_", text)[:_LONGEST_NAME]


def _snapshot(folder: Path) -> Snapshot:
    """The folder's files, be it in a repository or not."""
    found = walk(folder)
    return Snapshot(
        folder, folder.name, None, OBJECT_FORMAT, found.files, found.skipped, found.source
    )


def _chosen(
    bug: Bug, around: Sequence[Function], question: Question, *, setup: Setup
) -> list[Function]:
    """As many functions as fit a prompt beside the bug's: others for each bug."""
    fixed = fixed_tokens(question, profile=setup.profile, tokenizer=setup.tokenizer)
    room = setup.budget - fixed - _tokens(Function(bug.name, bug.code), setup)
    chosen: list[Function] = []
    used = 0
    for function in random.Random(bug.name).sample(around, len(around)):
        used += _tokens(function, setup)
        if used > room:
            return chosen
        chosen.append(function)
    raise UsageError(
        f"the functions of these texts have {used:,} tokens, a prompt of {setup.budget:,} has room "
        f"for {room:,}",
        remedy="Give more or longer texts, or shorter --lengths.",
    )


def _tokens(function: Function, setup: Setup) -> int:
    lines = function.code.splitlines()
    text = draw(function.path, range(1, len(lines) + 1), lines, form="full")
    return setup.tokenizer.count(text + BETWEEN_EXCERPTS)


def _placed(preparation: Preparation, trial: Trial, chosen: Sequence[Function]) -> Preparation:
    """The prompt with the bug at its place among the functions as packing orders them; with one
    function less until it is there, since the worst ranked code is what packing leaves out."""
    known = set(preparation.index.paths)
    first = _ranking([each.path for each in chosen if each.path in known], preparation)
    rest = repacked(preparation, first, trial.length).context.excerpts
    while rest:
        ends = list(accumulate(excerpt.tokens for excerpt in rest))
        before = sum(end <= trial.position * ends[-1] for end in ends)
        paths = [excerpt.path for excerpt in rest]
        ranking = _ranking([*paths[:before], trial.path, *paths[before:]], preparation)
        packed = repacked(preparation, ranking, trial.length)
        if any(excerpt.path == trial.path for excerpt in packed.context.excerpts):
            return changed(packed, ranking=ranking)
        rest = rest[1:]
    raise UsageError(
        f"{trial.length:,} tokens are too few to plant a bug among code",
        remedy="Give longer --lengths.",
    )


def _ranking(paths: Sequence[str], preparation: Preparation) -> Ranking:
    """A ranking that is packed in the order of `paths`, each whole: the best code is last."""
    symbols = []
    for score, path in enumerate(paths, 1):
        lines = len(preparation.index.lines(path))
        symbol = Symbol(PurePath(path).stem, "function", 1, lines, 1)
        symbols.append(RankedSymbol(path, symbol, float(score), {REASON: float(score)}))
    return Ranking(files=(), symbols=tuple(reversed(symbols)))
