"""Breaks what can break, again and again, and compares every answer with that of a fresh cache.

    python tests/torture/faults.py [--rounds 200] [--seed 1]

Each round changes a repository a little, does something bad (kills processes, damages the cache,
takes permissions away, runs several questions at once, empties or shrinks the cache under them),
and asks. A wrong answer, a traceback or an unexpected exit code stops it with the seed to repeat
it. Permissions do not bind root: the rights to pass them over are given up then.
"""

import argparse
import contextlib
import ctypes
import faulthandler
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from repoqa.cli.app import run  # noqa: E402
from repoqa.terminal.output import standard_output  # noqa: E402

# From linux/prctl.h and linux/capability.h.
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
BOUND = "TORTURE_BOUND"
QUESTION = "Store.add fails when the disk is full and the segment of a snapshot is damaged"
SOURCES = ("repoqa/index",)
LANGUAGES = ("inventory.go", "inventory.ts", "inventory.rs")
# Over the size that is analyzed in the asking process: these need workers.
LARGE_BYTES = 70_000
PATIENCE_SECONDS = 120
EXIT_CODES = {0}
# The answer of a fresh cache for the last state of the repository.
KNOWN: dict[tuple[Any, ...], Any] = {}


@dataclass(frozen=True)
class Place:
    """Where it all happens."""

    base: Path

    @property
    def repository(self) -> Path:
        return self.base / "repository"

    @property
    def cache(self) -> Path:
        return self.base / "cache"


class FoundError(Exception):
    """Something is wrong with repoqa."""


class Asking:
    """A command in a process of its own, forked from this one, which has everything imported."""

    def __init__(self, *arguments: str, place: Path, cache: Path, limit: str = "") -> None:
        self.arguments = arguments
        self._folder = Path(tempfile.mkdtemp(prefix="asking-"))
        self.stdout, self.stderr = self._folder / "out", self._folder / "err"
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            self._run(place, {"REPOQA_CACHE_DIR": str(cache), "REPOQA_CACHE_LIMIT": limit})

    def _run(self, place: Path, variables: dict[str, str]) -> None:
        status = 99
        try:
            os.environ.update(variables)
            os.chdir(place)
            for number, path in enumerate((Path(os.devnull), self.stdout, self.stderr)):
                flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
                os.dup2(os.open(path, flags, 0o600), number)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            faulthandler.register(signal.SIGUSR1, file=sys.stderr)
            status = run(self.arguments, standard_output())
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(status)

    def kill_after(self, seconds: float) -> None:
        """Kill it and its workers, unless it ends sooner."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                self._clean()
                return
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._clean()

    def kill_a_worker_after(self, seconds: float) -> None:
        """Kill one of its worker processes, if it has one by then."""
        time.sleep(seconds)
        for worker in workers(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                return

    def answer(self) -> Any:
        """What it printed, without its timings. Raises FoundError where it failed."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (ended := os.waitpid(self.pid, os.WNOHANG))[0]:
            if time.monotonic() > end:
                raise FoundError(f"{self.arguments} hangs\n{self._where_it_hangs()}")
            time.sleep(0.002)
        code = os.waitstatus_to_exitcode(ended[1])
        said = self.stderr.read_text(errors="replace") if self.stderr.exists() else ""
        if code not in EXIT_CODES or "Traceback" in said or "bug in repoqa" in said:
            raise FoundError(f"{self.arguments}: exit code {code}\n{said}{logs()}")
        text = self.stdout.read_text()
        self._clean()
        if "--json" not in self.arguments:
            return text
        report = json.loads(text)
        report.pop("run")
        return report

    def _where_it_hangs(self) -> str:
        """The stacks of its threads and the processes that it waits for; ends it."""
        waiting = [f"{pid}: {command!r}" for pid, command in children(self.pid)]
        os.kill(self.pid, signal.SIGUSR1)
        time.sleep(1)
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return "\n".join((self.stderr.read_text(errors="replace"), *waiting))

    def _clean(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def children(pid: int) -> list[tuple[int, bytes]]:
    """The processes that a process started, with their command lines."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):  # ended since it was listed
            if f"\nPPid:\t{pid}\n" in status.read_text():
                command = (status.parent / "cmdline").read_bytes()
                found.append((int(status.parent.name), command))
    return found


def workers(pid: int) -> list[int]:
    """The parsing processes that a process started."""
    return [child for child, command in children(pid) if b"repoqa.index.worker" in command]


def logs() -> str:
    folder = Path(os.environ["XDG_STATE_HOME"])
    return "".join(path.read_text() for path in sorted(folder.rglob("*.log"))[-1:])


def ask(place: Place, cache: Path | None = None, limit: str = "") -> Asking:
    return Asking(
        *("pack", "--json", "--no-stdin", QUESTION),
        place=place.repository,
        cache=cache or place.cache,
        limit=limit,
    )


def state(place: Place) -> tuple[Any, ...]:
    """What the answer depends on: it need not be asked for again while this stays."""
    found = []
    for path in sorted(place.repository.rglob("*")):
        if ".git" not in path.parts:
            status = path.lstat()
            found.append((path, status.st_mode, status.st_size, status.st_mtime_ns))
    metadata = (place.repository / ".git" / name for name in ("HEAD", "index"))
    return (*found, *(path.read_bytes() for path in metadata))


def fresh_answer(place: Place) -> Any:
    if (now := state(place)) not in KNOWN:
        KNOWN.clear()
        KNOWN[now] = unknown_answer(place)
    return KNOWN[now]


def unknown_answer(place: Place) -> Any:
    with tempfile.TemporaryDirectory(prefix="fresh-") as cache:
        return ask(place, Path(cache)).answer()


def git(place: Place, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=place.repository, capture_output=True, check=True)


# What changes the repository between questions.


def source_files(place: Place) -> list[Path]:
    return sorted(p for p in place.repository.rglob("*") if p.is_file() and ".git" not in p.parts)


def edit(place: Place, chooser: random.Random) -> None:
    path = chooser.choice(source_files(place))
    lines = path.read_text(errors="replace").splitlines()
    at = chooser.randrange(len(lines) + 1)
    lines[at:at] = [f"# damaged segment {chooser.random()}"] * chooser.randrange(1, 4)
    path.write_text("\n".join(lines) + "\n")


def add(place: Place, chooser: random.Random) -> None:
    name = f"added_{chooser.randrange(1000)}"
    text = f"def {name}(store):\n    return store.add({chooser.random()})\n"
    (place.repository / f"{name}.py").write_text(text)


def rename(place: Place, chooser: random.Random) -> None:
    path = chooser.choice(source_files(place))
    path.rename(path.with_name(f"moved_{chooser.randrange(1000)}{path.suffix}"))


def delete(place: Place, chooser: random.Random) -> None:
    chooser.choice(source_files(place)).unlink()


def commit(place: Place, chooser: random.Random) -> None:
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--allow-empty", "--message=x")
    git(place, "branch", "--force", f"b{chooser.randrange(3)}")


def switch(place: Place, chooser: random.Random) -> None:
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--allow-empty", "--message=x")
    git(place, "checkout", "--quiet", "--detach", f"HEAD~{chooser.randrange(2)}")


def reset(place: Place, _: random.Random) -> None:
    git(place, "checkout", "--quiet", "--force", "main")
    git(place, "clean", "--quiet", "-fd")


CHANGES: tuple[Callable[[Place, random.Random], None], ...] = (
    edit,
    edit,
    add,
    rename,
    delete,
    commit,
    switch,
    reset,
)


# What goes wrong.


def cache_files(place: Place) -> list[Path]:
    return sorted(p for p in place.cache.rglob("*") if p.is_file())


def killed(place: Place, chooser: random.Random) -> None:
    if chooser.random() < 0.5:
        shutil.rmtree(place.cache, ignore_errors=True)
    ask(place).kill_after(chooser.random() * 1.5)


def need_workers(place: Place) -> None:
    """Give the repository a file that the asking process does not analyze itself."""
    text = (ROOT / "repoqa" / "index" / "segment.py").read_text()
    (place.repository / "large.py").write_text(text * (LARGE_BYTES // len(text) + 1))


def worker_killed(place: Place, chooser: random.Random) -> None:
    need_workers(place)
    shutil.rmtree(place.cache, ignore_errors=True)
    asking = ask(place)
    asking.kill_a_worker_after(chooser.random())
    check(place, asking.answer())


def flipped(place: Place, chooser: random.Random) -> None:
    for path in chooser.sample(files := cache_files(place), min(len(files), 3)):
        content = bytearray(path.read_bytes())
        for _ in range(chooser.choice((1, 1, 10, 1000))):
            if content:
                content[chooser.randrange(len(content))] ^= 1 << chooser.randrange(8)
        path.write_bytes(content)


def cut(place: Place, chooser: random.Random) -> None:
    for path in chooser.sample(files := cache_files(place), min(len(files), 2)):
        size = path.stat().st_size
        os.truncate(path, chooser.choice((0, chooser.randrange(size + 1), size + 4096)))


def swapped(place: Place, chooser: random.Random) -> None:
    """Files take each other's places, or become folders and links."""
    files = cache_files(place)
    if len(files) > 1:
        one, two = chooser.sample(files, 2)
        content = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(content)
        one.unlink()
        chooser.choice((one.mkdir, lambda: one.symlink_to(two), lambda: None))()


def forbidden(place: Place, chooser: random.Random) -> None:
    """Permissions change in the cache, or on a file of the repository."""
    everything = sorted(place.cache.rglob("*")) + [place.cache]
    wanted = [path for path in everything if path.exists()]
    for path in chooser.sample(wanted, min(len(wanted), 2)):
        with contextlib.suppress(PermissionError):  # the folder around it may be closed already
            path.chmod(chooser.choice((0, 0o400, 0o500)))
    if chooser.random() < 0.3:
        chooser.choice(source_files(place)).chmod(0)


def side_by_side(place: Place, chooser: random.Random) -> None:
    """Several questions at once, one of which leaves no room for the others."""
    if chooser.random() < 0.5:
        shutil.rmtree(place.cache, ignore_errors=True)
    asked = [ask(place, limit=chooser.choice(("", "", "0", "100K"))) for _ in range(3)]
    if chooser.random() < 0.5:
        arguments = chooser.choice((("index", "--clear"), ("index", "--status"), ("index",)))
        other = Asking(*arguments, place=place.repository, cache=place.cache)
        other.answer()
    answers = [asking.answer() for asking in asked]
    for answer in answers:
        check(place, answer)


def side_by_side_and_killed(place: Place, chooser: random.Random) -> None:
    shutil.rmtree(place.cache, ignore_errors=True)
    survivor, victim = ask(place), ask(place)
    victim.kill_after(chooser.random())
    check(place, survivor.answer())


FAULTS: tuple[Callable[[Place, random.Random], None], ...] = (
    killed,
    worker_killed,
    flipped,
    cut,
    swapped,
    forbidden,
    side_by_side,
    side_by_side_and_killed,
)


def check(place: Place, answer: Any) -> None:
    expected = fresh_answer(place)
    if answer != expected:
        wrong = sorted(key for key in expected if answer.get(key) != expected[key])
        kept = Path(tempfile.mkdtemp(prefix="wrong-answer-", dir="/tmp"))
        (kept / "given.json").write_text(json.dumps(answer, indent=1))
        (kept / "expected.json").write_text(json.dumps(expected, indent=1))
        raise FoundError(f"a wrong answer in {', '.join(wrong)}: diff {kept}/*.json")


def permit(folder: Path) -> None:
    """Give all permissions back, from the top down: a closed folder cannot be listed."""
    folder.chmod(0o755)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            permit(path)
        elif not path.is_symlink():
            path.chmod(0o644)


def make(base: Path) -> Place:
    place = Place(base)
    place.repository.mkdir()
    for folder in SOURCES:
        shutil.copytree(
            ROOT / folder, place.repository / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in LANGUAGES:
        shutil.copy(ROOT / "tests" / "languages" / f"{name}.source", place.repository / name)
    (place.repository / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    git(place, "init", "--quiet", "--initial-branch=main")
    git(place, "config", "user.name", "Ada")
    git(place, "config", "user.email", "ada@example.org")
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message=First")
    return place


def preload(place: Place) -> None:
    """Import what a question needs, once for all the processes that are forked from this one."""
    with (
        tempfile.TemporaryDirectory() as cache,
        contextlib.chdir(place.repository),
        contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())),
    ):
        os.environ["REPOQA_CACHE_DIR"] = cache
        run(["pack", "--json", "--no-stdin", QUESTION], standard_output())


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A folder and a home of one's own."""
    base = Path(os.path.realpath(tempfile.mkdtemp(prefix="torture-")))
    for variable in [name for name in os.environ if name.startswith(("GIT_", "REPOQA_", "XDG_"))]:
        del os.environ[variable]
    os.environ["HOME"] = str(base)
    for name in ("CONFIG", "CACHE", "DATA", "STATE"):
        os.environ[f"XDG_{name}_HOME"] = str(base / name.lower())
    os.environ["TMPDIR"] = str(base / "tmp")
    tempfile.tempdir = None
    (base / "tmp").mkdir()
    yield base
    permit(base)
    shutil.rmtree(base, ignore_errors=True)


def torture(rounds: int, seed: int) -> None:
    counts: Counter[str] = Counter()
    began = time.monotonic()
    with own_folder() as base:
        place = make(base)
        preload(place)
        for number in range(rounds):
            chooser = random.Random(seed * 1_000_003 + number)
            change, fault = chooser.choice(CHANGES), chooser.choice(FAULTS)
            try:
                if chooser.random() < 0.7:
                    change(place, chooser)
                if chooser.random() < 0.2:
                    need_workers(place)
                if fault in (flipped, cut, swapped, forbidden):
                    ask(place).answer()
                fault(place, chooser)
                check(place, ask(place).answer())
            except FoundError as error:
                sys.exit(
                    f"round {number} (seed {seed}): {change.__name__}, {fault.__name__}: {error}"
                )
            finally:
                permit(place.base)
            (place.repository / "large.py").unlink(missing_ok=True)
            counts[fault.__name__] += 1
            if number % 20 == 19:
                print(f"{number + 1} rounds, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{rounds} rounds, seed {seed}: no wrong answer, no traceback")
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))


def be_bound_by_permissions() -> None:
    """Start again without root's rights over all files; says so where permissions do not bind."""
    if os.geteuid() == 0 and BOUND not in os.environ:
        system = ctypes.CDLL(None)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            system.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        os.environ[BOUND] = "1"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).chmod(0)
        if os.access(file.name, os.R_OK):
            print("permissions do not bind here: those changed prove nothing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    be_bound_by_permissions()
    torture(given.rounds, given.seed)


if __name__ == "__main__":
    main()
