"""Checks of what is installed: Python, git, the grammars, and what a model would run on."""

import platform
import sys

from repoqa import __version__
from repoqa.checkup.check import Check
from repoqa.errors import RepositoryError
from repoqa.models.hardware import Card, Torch, cards, has_apple_gpu, torch_build
from repoqa.models.memory import available_to_cpu, gib
from repoqa.protocols import Progress


def python() -> Check:
    """The Python that runs this."""
    return Check("Python", f"{platform.python_version()} ({sys.executable}), repoqa {__version__}")


def git() -> Check:
    """The installed git."""
    from repoqa.repository.installed import git_version

    try:
        return Check("git", git_version())
    except RepositoryError as error:
        return Check("git", error.message, "missing", "no repository can be read", error.remedy)


def grammars(*, progress: Progress) -> Check:
    """Whether every language's grammar loads, with its query."""
    from repoqa.parsing.grammar import GrammarError, load
    from repoqa.parsing.languages import LANGUAGES

    broken: dict[str, str] = {}
    progress.start("Loading the grammars", total=len(LANGUAGES), unit="languages")
    for language in LANGUAGES:
        try:
            load(language.name)
        except GrammarError as error:
            package = language.grammar.replace("_", "-")
            broken[package] = f"{language.name} ({error})"
        progress.advance()
    progress.finish()
    if not broken:
        return Check("grammars", f"all {len(LANGUAGES)} languages load")
    return Check(
        "grammars",
        f"{len(broken)} of {len(LANGUAGES)} do not load: {', '.join(broken.values())}",
        "lacking",
        "such files are read as line chunks, without their functions and classes",
        f"{sys.executable} -m pip install --force-reinstall {' '.join(broken)}",
    )


def device(*, has_server: bool) -> Check:
    """What a model of this machine's own would run on."""
    torch, found = torch_build(), cards()
    if torch is None:
        return Check(
            "device",
            "PyTorch is not installed",
            "lacking",
            "no model runs on this machine; a server does",
            f"{sys.executable} -m pip install torch",
        )
    words = f"PyTorch {torch.version}"
    if found:
        return _graphics(found, torch, words)
    if has_apple_gpu():
        return Check("device", f"the Mac's own GPU, {words}")
    if has_server:
        return Check("device", f"no GPU, {words}")
    return Check(
        "device",
        f"no GPU, {words}",
        "lacking",
        "models run on the CPU: a large one takes minutes to read a prompt",
        "name a server, if you have one: export REPOQA_SERVER_URL=http://HOST:8000/v1",
    )


def memory() -> Check:
    """What a model on the CPU may take."""
    free = available_to_cpu()
    if free is None:
        return Check("memory", "this system does not tell how much is free")
    return Check("memory", f"{gib(free)} free")


def _graphics(found: tuple[Card, ...], torch: Torch, words: str) -> Check:
    names = ", ".join(
        f"{card.name} ({gib(card.free)} of {gib(card.total)} free)"
        if card.free is not None and card.total is not None
        else card.name
        for card in found
    )
    if torch.runtime:
        return Check("device", f"{names}, {words} with {torch.runtime}")
    return Check(
        "device",
        f"{names}; but {words} is built for the CPU alone",
        "lacking",
        "models run on the CPU, many times slower than on the GPU",
        f"{sys.executable} -m pip install --force-reinstall torch=={torch.version.split('+')[0]}",
    )
