"""Many files analyzed side by side, and what a file that breaks its parser costs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import write_files

from repoqa.index.analysis import BATCH_FILES, SMALL_FILE_BYTES, Crew, analyzed
from repoqa.index.outline import KeptOutline
from repoqa.index.processors import limits
from repoqa.index.record import analyze, pack, unpack_postings
from repoqa.records import FileEntry

# A worker whose parser aborts on one text and never ends on another, and which ends after the
# answer with a third, as one does that is killed for memory.
BROKEN_WORKER = """
import os, time
import repoqa.index.record as record
import repoqa.index.worker as worker
sound = record.analyze
def analyze(path, content):
    if b"abort here" in content:
        os.abort()
    if b"hang here" in content:
        time.sleep(600)
    if b"leave here" in content:
        leaving.append(path)
    return sound(path, content)
read = worker.read_frame
leaving = []
worker.analyze = analyze
worker.read_frame = lambda stream: None if leaving else read(stream)
worker.main()
"""
COMMAND = (sys.executable, "-c", BROKEN_WORKER)


def files(contents: dict[str, bytes]) -> list[tuple[FileEntry, bytes | None]]:
    return [(FileEntry(path, path, len(content)), content) for path, content in contents.items()]


def many(count: int) -> dict[str, bytes]:
    return {f"m{n}.py": f"def f{n}(x):\n    return x + {n}\n".encode() for n in range(count)}


def test_workers_give_what_this_process_gives() -> None:
    contents = many(3 * BATCH_FILES) | {
        "large.py": b"# a long comment\n" * (SMALL_FILE_BYTES // 10)
    }
    given = files(contents)
    found = {e.path: record for e, record in analyzed(given, [entry for entry, _ in given])}
    assert sorted(found) == sorted(contents)
    for path, content in contents.items():
        assert found[path] == pack(analyze(path, content))


def test_names_that_are_no_text_reach_the_workers() -> None:
    path, content = os.fsdecode(b"caf\xe9.py"), b"def brew():\n    pass\n"
    ((_, record),) = Crew(files({path: content}), 1).run()
    assert record == pack(analyze(path, content))


@pytest.mark.parametrize(
    ("text", "why"), [(b"abort here", "its parser crashed"), (b"hang here", "its parser hung")]
)
def test_a_file_that_breaks_its_parser_costs_that_file_only(text: bytes, why: str) -> None:
    contents = many(10) | {"broken.py": b"def f():\n    '" + text + b"'\n"} | {"z.py": b"z = 1\n"}
    crew = Crew(files(contents), 1, command=COMMAND, patience=3.0)
    found = {entry.path: record for entry, record in crew.run()}
    assert sorted(found) == sorted(contents)
    broken = found["broken.py"]
    assert broken is not None
    assert unpack_postings(broken.postings).problem == why
    outline = KeptOutline(broken.outline)
    assert [outline.unit(number).name for number in range(len(outline))] == ["L1-2"]
    for path in contents.keys() - {"broken.py"}:
        assert found[path] == pack(analyze(path, contents[path]))


def test_a_worker_that_ended_while_it_had_nothing_to_do_is_replaced() -> None:
    def slowly() -> Iterator[tuple[FileEntry, bytes | None]]:
        for number, file in enumerate(files(contents)):
            if number == BATCH_FILES:
                time.sleep(0.5)  # until the worker is gone
            yield file

    contents = {"leave.py": b"# leave here\n"} | many(BATCH_FILES + 1)
    found = {entry.path: record for entry, record in Crew(slowly(), 1, command=COMMAND).run()}
    assert found == {path: pack(analyze(path, content)) for path, content in contents.items()}


def test_an_error_while_reading_reaches_the_caller() -> None:
    def failing() -> Iterator[tuple[FileEntry, bytes | None]]:
        yield from files(many(BATCH_FILES))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(Crew(failing(), 2).run())


def test_closing_stops_the_workers_soon() -> None:
    def endless() -> Iterator[tuple[FileEntry, bytes | None]]:
        while True:
            yield from files(many(BATCH_FILES))

    crew = Crew(endless(), 2)
    results = crew.run()
    next(results)
    began = time.monotonic()
    results.close()
    crew.join()
    assert time.monotonic() - began < 10


def test_missing_bytes_are_told() -> None:
    entry = FileEntry("gone.py", "0" * 40, SMALL_FILE_BYTES + 1)
    assert list(analyzed([(entry, None)], [entry])) == [(entry, None)]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, []),
        ({"cpu.max": "max 100000\n"}, []),
        ({"cpu.max": "200000 100000\n"}, [2]),
        ({"cpu.max": "150000 100000\n"}, [2]),
        ({"cpu.max": "10000 100000\n"}, [1]),
        ({"cpu.max": "what else?\n"}, []),
        ({"cpu.max": "100000 0\n"}, []),
        ({"own": "0::/a/b\n", "cpu.max": "max 1\n", "a/cpu.max": "9 3\n"}, [3]),
        ({"own": "1:cpu:/x\n0::/a/b\n", "a/cpu.max": "9 3\n", "a/b/cpu.max": "8 2\n"}, [4, 3]),
        ({"own": "0::/gone\n", "cpu.max": "9 3\n"}, [3]),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, []),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, [3]),
    ],
)
def test_what_limits_control_groups_set(
    tmp_path: Path, files: dict[str, str], expected: list[int]
) -> None:
    write_files(tmp_path, files)
    assert list(limits(tmp_path, tmp_path / "own")) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no processes are bound here")
def test_a_process_bound_to_one_processor_counts_one() -> None:
    script = (
        "import os\n"
        "from repoqa.index import analysis\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "assert analysis.usable_processors() == 1\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
