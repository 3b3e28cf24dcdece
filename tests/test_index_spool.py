"""Arrays put aside in a temporary file, and what is done where there is no room for one."""

import resource
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repoqa.index.spool import Spool, Spooled

ARRAYS: list[NDArray[Any]] = [
    np.arange(1000, dtype=np.uint64),
    np.zeros(0, np.int32),
    np.arange(7, dtype=np.uint16),
]


def test_what_is_put_aside_comes_back_and_leaves_no_file(tmp_path: Path) -> None:
    with closing(Spool(tmp_path)) as spool:
        kept = [spool.put(array) for array in ARRAYS]
        assert all(isinstance(each, Spooled) for each in kept)
        for some in (slice(None), slice(0, 3), slice(2, 5), slice(5, 5), slice(3, None)):
            for each, array in zip(kept, ARRAYS, strict=True):
                assert each[some].tolist() == array[some].tolist()
                assert each[some].dtype == array.dtype
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_arrays_stay_in_memory(tmp_path: Path) -> None:
    with closing(Spool(tmp_path / "absent")) as spool:
        assert all(spool.put(array) is array for array in ARRAYS)


def test_what_has_no_room_stays_in_memory(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    first, large, last = np.arange(100), np.arange(1000), np.arange(5)
    with closing(Spool(tmp_path)) as spool:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
        try:
            kept = [spool.put(array) for array in (first, large, last)]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert kept[1] is large
        for each, array in zip(kept, (first, large, last), strict=True):
            assert np.array_equal(each[:], array)
