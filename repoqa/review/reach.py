"""The tests that reach a changed symbol: through its callers, and theirs, a few calls deep."""

from collections.abc import Iterator

from repoqa.index.parts import part_of
from repoqa.records import Symbol
from repoqa.review.callers import target_of
from repoqa.review.report import TestReach
from repoqa.review.resolve import meaning
from repoqa.review.sites import Site, Uses
from repoqa.review.symbols import Defined
from repoqa.review.versions import called_name

# A test that is further away exercises so much that it tells little about this symbol.
MOST_HOPS = 3
MOST_TESTS = 20
# Callers followed at each step: a symbol with more is reached by nearly everything.
MOST_FOLLOWED = 40


def tests_reaching(defined: Defined, uses: Uses) -> tuple[TestReach, ...]:
    """The nearest tests, at most `MOST_TESTS`, by distance, path and line."""
    found: dict[tuple[str, str], TestReach] = {}
    followed = {(defined[0].path, defined[1].name)}
    nearest = [defined]
    for hops in range(1, MOST_HOPS + 1):
        callers: list[Defined] = []
        for site in (site for one in nearest for site in _sites(one, uses)):
            around = site.around.name if site.around else ""
            if is_test(site.path):
                test = TestReach(site.path, around, site.reference.line, hops)
                found.setdefault((site.path, around), test)
            elif site.around and (site.path, around) not in followed:
                followed.add((site.path, around))
                callers.append((uses.version(site.path), site.around))
        nearest = callers[:MOST_FOLLOWED]
        if len(found) >= MOST_TESTS or not nearest:
            break
    ordered = sorted(found.values(), key=lambda test: (test.hops, test.path, test.line))
    return tuple(ordered[:MOST_TESTS])


def is_test(path: str) -> bool:
    """Whether a file is a test, by its name and folders."""
    return part_of(path) == "test"


def _sites(defined: Defined, uses: Uses) -> Iterator[Site]:
    """The uses that mean the definition, or nothing else that is known."""
    target = target_of(defined, uses)
    for site in uses.of(called_name(defined[1])):
        means = meaning(site, target, uses)
        if means == "sure" or (means == "maybe" and not target.others):
            yield site


def inside_test(path: str, symbol: Symbol) -> bool:
    """Whether a symbol is a test's own: in a test file, or in a module of tests beside the code."""
    first = symbol.name.partition(".")[0].lower()
    return is_test(path) or first in ("tests", "test")
