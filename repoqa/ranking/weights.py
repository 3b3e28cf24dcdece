"""How much each signal counts.

Set by hand, in steps of a quarter, on 138 real Python bug reports (a part of SWE-bench Verified
without Lite). `repoqa eval localize` measures them, and with `--without` what each signal is worth.
"""

from collections.abc import Mapping
from types import MappingProxyType

UNIT_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "text": 1.0,
        "title": 0.5,
        "name": 0.5,
        "title_name": 0.5,
        "definition": 1.0,
        "used": 0.5,
        "dotted": 0.5,
        "trace": 1.0,
        "mention": 1.0,
        "diff": 1.0,
    }
)
FILE_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "text": 1.5,
        "title": 1.0,
        "path": 0.5,
        "title_path": 1.0,
        "module": 0.25,
        "mention": 1.5,
        "trace": 1.5,
        "diff": 1.0,
    }
)
# A file is lifted by its best units, a unit by its file.
BEST_UNITS = 3
FILE_SHARE = 0.5
# What is kept of the score of a file that is rarely where a bug is fixed, by the part of the
# project it belongs to, unless the evidence names it.
PART_SHARES: Mapping[str, float] = MappingProxyType(
    {"code": 1.0, "test": 0.15, "docs": 0.15, "example": 0.3, "vendored": 0.3}
)
# What the user pins stands before everything else: the signals together never reach half of it.
PINNED = 100.0
