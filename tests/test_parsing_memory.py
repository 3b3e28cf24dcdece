"""Parsing keeps nothing of a file once its record is made."""

import resource
import sys

import pytest

from repoqa.parsing.parse import parse

ROUNDS = 40
# A tree of this source takes some 2 MB, which 40 files would add up to 80.
SOURCE = b"class Limits:\n" + b"".join(
    b"    LIMIT_%d = compute(%d, [1, 2, 3], key=lambda x: x + 1)\n" % (n, n) for n in range(600)
)
MOST_GROWTH_KB = 20_000


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in another unit elsewhere")
def test_the_trees_of_parsed_files_are_let_go() -> None:
    for _ in range(3):
        parse("limits.py", SOURCE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(ROUNDS):
        parse("limits.py", SOURCE)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_GROWTH_KB
