"""Analyzes many files: side by side in worker processes where there is much to do.

The parser holds the interpreter lock, so threads would not help; and a file that crashes or hangs
it must cost that file only. Small, few files are analyzed here: starting a worker takes longer.
"""

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import BinaryIO, cast

import msgspec

from repoqa.index.processors import usable_processors
from repoqa.index.record import PackedRecord, analyze, pack, unparsed
from repoqa.index.worker import Answer, read_frame, write_frame
from repoqa.records import FileEntry

# A worker imports the grammars in some 0.3 s, in which this process reads about this much.
FEW_BYTES = 1_000_000
# Crashes of grammars need deep nesting, which needs a large file.
SMALL_FILE_BYTES = 64_000
BATCH_BYTES = 200_000
BATCH_FILES = 50
# One file may take the parser's own limit; a batch that takes this long hangs outside of it.
HANG_SECONDS = 60.0
MOST_WORKERS = 16
# -P: a folder named repoqa where the user stands must not be imported.
WORKER_COMMAND = (sys.executable, "-P", "-m", "repoqa.index.worker")

File = tuple[FileEntry, bytes | None]
Analyzed = tuple[FileEntry, PackedRecord | None]
_ANSWER_DECODER = msgspec.msgpack.Decoder(Answer)


def analyzed(files: Iterable[File], entries: Sequence[FileEntry]) -> Iterator[Analyzed]:
    """Yield each file with its record, in any order; None where its bytes are gone.

    `files` are the entries with their bytes. Closing the iterator stops the workers.
    """
    small = all(entry.size <= SMALL_FILE_BYTES for entry in entries)
    if small and sum(entry.size for entry in entries) <= FEW_BYTES:
        for entry, content in files:
            yield entry, None if content is None else pack(analyze(entry.path, content))
        return
    workers = min(usable_processors(), MOST_WORKERS, 1 + len(entries) // BATCH_FILES)
    yield from Crew(files, workers).run()


class Crew:
    """Workers that take batches from one stream of files, each served by a thread.

    `command` starts a worker that speaks the frames of `worker.py`; one that is silent for
    `patience` seconds is taken to hang.
    """

    def __init__(
        self,
        files: Iterable[File],
        workers: int,
        *,
        command: Sequence[str] = WORKER_COMMAND,
        patience: float = HANG_SECONDS,
    ) -> None:
        self._command, self._patience = command, patience
        self._batches = _batched(files)
        self._taking = threading.Lock()
        self._results: queue.Queue[list[Analyzed] | BaseException | None] = queue.Queue(2 * workers)
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]

    def run(self) -> Generator[Analyzed, None, None]:
        """Yield the results as they come; the error of a thread is raised here."""
        for thread in self._threads:
            thread.start()
        working = len(self._threads)
        try:
            while working:
                result = self._results.get()
                if result is None:
                    working -= 1
                elif isinstance(result, BaseException):
                    raise result
                else:
                    yield from result
        finally:
            self._stopped.set()

    def join(self) -> None:
        """Wait until every worker has ended, after the results or after closing them."""
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        worker = _Worker(self._command, self._patience)
        try:
            while not self._stopped.is_set() and (batch := self._take()):
                self._put(_answers(worker, batch))
        except BaseException as error:  # raised again where the results are read
            self._put(error)
        finally:
            worker.stop()
            self._put(None)

    def _take(self) -> list[File] | None:
        with self._taking:
            return next(self._batches, None)

    def _put(self, result: list[Analyzed] | BaseException | None) -> None:
        while not self._stopped.is_set():
            try:
                self._results.put(result, timeout=0.1)
            except queue.Full:
                continue
            return


def _batched(files: Iterable[File]) -> Iterator[list[File]]:
    batch: list[File] = []
    size = 0
    for entry, content in files:
        batch.append((entry, content))
        size += len(content or b"")
        if size >= BATCH_BYTES or len(batch) == BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _answers(worker: "_Worker", batch: Sequence[File]) -> list[Analyzed]:
    """The batch's records; where a worker fails, each file alone, and the one at fault named."""
    present = [(entry, content) for entry, content in batch if content is not None]
    found: list[Analyzed] = [(entry, None) for entry, content in batch if content is None]
    records = worker.analyze(present)
    if records is not None:
        return found + list(zip((entry for entry, _ in present), records, strict=True))
    for entry, content in present:
        alone = worker.analyze([(entry, content)])
        why = f"its parser {worker.failure}"
        found.append((entry, alone[0] if alone else pack(unparsed(content, why))))
    return found


class _Worker:
    """One worker process, started when it is needed and again after it failed."""

    def __init__(self, command: Sequence[str], patience: float) -> None:
        self._command, self._patience = command, patience
        self._process: subprocess.Popen[bytes] | None = None
        self._hung = False

    @property
    def failure(self) -> str:
        """What the worker did the last time it failed."""
        return "hung" if self._hung else "crashed"

    def analyze(self, files: Sequence[tuple[FileEntry, bytes]]) -> Answer | None:
        """The files' records, or None where the worker crashed or hung on them."""
        if not files:
            return []
        process = self._process = self._process or self._started()
        self._hung = False
        overdue = threading.Timer(self._patience, self._give_up)
        overdue.start()
        try:
            request = [(os.fsencode(entry.path), content) for entry, content in files]
            write_frame(cast("BinaryIO", process.stdin), msgspec.msgpack.encode(request))
            payload = read_frame(cast("BinaryIO", process.stdout))
        except BrokenPipeError:
            payload = None
        finally:
            overdue.cancel()
        if payload is None:
            self.stop()
            return None
        return _ANSWER_DECODER.decode(payload)

    def _give_up(self) -> None:
        self._hung = True
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
            # Closing its input writes what is left for it, which nobody reads any more.
            with contextlib.suppress(BrokenPipeError), self._process:
                pass
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
