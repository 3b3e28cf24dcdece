"""How much each signal counts.

Set in steps of a quarter on real bug reports in seven languages (SWE-bench Verified without Lite,
Multi-SWE-bench), where the scores of several repositories rose together. `benchmarks/weights.py`
fits by single steps on all repositories but those that it counts on, says what each signal is worth
and costs, and which single step would still move these weights; `docs/benchmarks.md` says how the
last of them were chosen.
"""

from collections.abc import Mapping
from types import MappingProxyType

UNIT_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "text": 1.25,
        "title": 0.25,
        "title_name": 0.75,
        "definition": 0.5,
        "title_word": 0.5,
        "used": 0.25,
        "dotted": 0.75,
        "trace": 1.5,
        "mention": 1.0,
        "diff": 1.0,
        "phrases": 1.25,
        "callees": 0.5,
    }
)
FILE_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "text": 0.75,
        "title": 2.5,
        "path": 1.5,
        "title_path": 1.5,
        "module": 0.75,
        "mention": 0.75,
        "trace": 1.5,
        "diff": 1.0,
    }
)
# A file is lifted by its best units, of which the n-th best counts 1/n; a unit by its file.
BEST_UNITS = 10
UNITS_SHARE = 0.75
FILE_SHARE = 0.25
# What is kept of the score of a file that is rarely where a bug is fixed, by the part of the
# project it belongs to, unless the evidence names it.
PART_SHARES: Mapping[str, float] = MappingProxyType(
    {"code": 1.0, "test": 0.15, "docs": 0.15, "example": 0.3, "vendored": 0.3, "data": 0.15}
)
# What the user pins stands before everything else: the signals together never reach half of it.
PINNED = 100.0
