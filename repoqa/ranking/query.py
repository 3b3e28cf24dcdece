"""A question as the signals read it: weighted terms, names, and places in this repository."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import log

from repoqa.evidence.changes import changes
from repoqa.evidence.names import IDENTIFIER, without_code
from repoqa.index.index import Index
from repoqa.index.parts import part_of
from repoqa.index.terms import count_terms, ordered_terms, terms_of
from repoqa.ranking.places import Place, Places, is_library
from repoqa.records import Frame, Lines, Question

# Words of English and of bug reports that say nothing about the code; their stems, as terms are.
_STOP_WORDS = """
    a about above after again all also am an and any are as at be because been before being below
    between both but by can cannot could did do does doing don down during each few for from further
    had has have having he her here hers him his how i if in into is it its itself just me more most
    my no nor not now of off on once only or other our out over own same she should so some such
    than that the their them then there these they this those through to too under until up very
    was we were what when where which while who whom why will with would you your
    please thanks hello hi issue bug report expected actual behavior behaviour reproduce steps
    description version problem seems like using use used get got however following example
"""
STOP_TERMS = frozenset(term for word in _STOP_WORDS.split() for term in terms_of(word))
# A name of one or two letters (`np`, `x`) is defined everywhere and meant nowhere.
SHORTEST_NAME = 3
# A failing test is where the bug shows; it is rarely where the bug is.
TEST_FRAME = 0.25
TEST_MENTION = 0.5


@dataclass(frozen=True, slots=True)
class Query:
    """`terms` and `title` weigh each term 1 + ln(its count); names are as written.

    `frames` and `mentions` are places with their strength: 1, shared among the files a printed
    path may mean, less for tests, and for frames divided by their distance from the innermost in
    this repository.
    `title_words` are the title's plain words, as written. `phrases` are the terms of the title, of
    each error message and of the prose, in order, for words that stand together. `changes` are the
    lines that a diff changes.
    """

    terms: Mapping[str, float]
    title: Mapping[str, float]
    names: tuple[str, ...]
    dotted: tuple[str, ...]
    frames: tuple[tuple[Place, float], ...]
    mentions: tuple[tuple[Place, float], ...]
    title_words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    changes: tuple[Lines, ...] = ()


def understand(question: Question, index: Index) -> Query:
    """Read a question against the files of a repository."""
    counts = count_terms(f"{question.title}\n{question.body}")
    if question.log:
        counts += _halved(count_terms("\n".join((*question.errors, *question.tests))))
    places = Places(index.paths)
    names = {part: None for name in question.identifiers for part in name.split(".")}
    mentioned = (
        (place, strength * (TEST_MENTION if part_of(place.path) == "test" else 1))
        for mention in question.paths
        if not is_library(mention.path)
        for place, strength in _shared(places.of(mention.path, line=mention.line))
    )
    return Query(
        terms=_weights(counts),
        title=_weights(count_terms(question.title)),
        names=_telling(names),
        dotted=tuple(name for name in question.identifiers if "." in name),
        frames=tuple(dict.fromkeys(_frames(question.frames, places))),
        mentions=tuple(dict.fromkeys(mentioned)),
        title_words=_telling(dict.fromkeys(IDENTIFIER.findall(question.title))),
        phrases=tuple(
            ordered_terms(text)
            for text in (question.title, *question.errors, without_code(question.body))
        ),
        changes=changes(question.diff),
    )


def _frames(frames: Iterable[Frame], places: Places) -> Iterator[tuple[Place, float]]:
    """The places of every trace, the repository's own code before a library's that is named alike,
    both before tests, each of these from the innermost out."""
    traces: dict[int, list[tuple[bool, bool, int, list[tuple[Place, float]]]]] = defaultdict(list)
    for frame in frames:
        found = _shared(places.of(frame.path, line=frame.line, function=frame.function))
        if found:
            in_test = all(part_of(place.path) == "test" for place, _ in found)
            order = (in_test, is_library(frame.path), frame.depth)
            traces[frame.trace].append((*order, found))
    for trace in traces.values():
        trace.sort(key=lambda entry: entry[:3])
        for distance, (in_test, _, _, found) in enumerate(trace):
            weight = (TEST_FRAME if in_test else 1) / (1 + distance)
            yield from ((place, strength * weight) for place, strength in found)


def _shared(places: Iterable[Place]) -> list[tuple[Place, float]]:
    """Places that one printed path may mean: the more, the less each."""
    found = list(places)
    return [(place, 1 / len(found)) for place in found]


def _telling(names: Iterable[str]) -> tuple[str, ...]:
    """The names that mean something: not too short, nor made of words that say nothing."""
    return tuple(name for name in names if len(name) >= SHORTEST_NAME and not _stops(name))


def _weights(counts: Counter[str]) -> dict[str, float]:
    return {term: 1 + log(n) for term, n in sorted(counts.items()) if term not in STOP_TERMS}


def _halved(counts: Counter[str]) -> Counter[str]:
    """A log repeats itself: its messages weigh less than the user's own words."""
    return Counter({term: (number + 1) // 2 for term, number in counts.items()})


def _stops(name: str) -> bool:
    return all(term in STOP_TERMS for term in terms_of(name))
