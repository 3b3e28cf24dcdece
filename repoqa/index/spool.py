"""Arrays that wait in a temporary file until they are needed, and take no memory meanwhile.

The file has no name, or none that outlives the process: one that is killed leaves nothing behind.
"""

import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


class Spool:
    """A temporary file in a folder, made with the first array; None stands for the system's folder
    of temporary files. Where it cannot be made or has no room, arrays stay in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None

    def put(self, array: NDArray[Any]) -> "NDArray[Any] | Spooled":
        """The array put aside, or itself where it stays in memory."""
        try:
            if self._file is None:
                # A buffer would try again what had no room, whenever the file is used.
                self._file = TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
            start = self._file.seek(0, os.SEEK_END)
            rest = memoryview(array.tobytes())
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            return array
        return Spooled(self._file, start, len(array), dtype=array.dtype)

    def close(self) -> None:
        """Remove the file: what was put aside is gone."""
        if self._file is not None:
            self._file.close()


class Spooled:
    """An array of one dimension in a spool, of which slices are read."""

    def __init__(self, file: IO[bytes], start: int, length: int, *, dtype: np.dtype[Any]) -> None:
        self._file, self._start, self._length, self._dtype = file, start, length, dtype

    def __getitem__(self, some: slice) -> NDArray[Any]:
        first, end, _ = some.indices(self._length)
        self._file.seek(self._start + first * self._dtype.itemsize)
        return np.frombuffer(self._file.read((end - first) * self._dtype.itemsize), self._dtype)
