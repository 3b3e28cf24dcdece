"""`repoqa models`: profiles, where their weights are, and what fits in memory."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from repoqa.cli import completion

if TYPE_CHECKING:
    from pathlib import Path

    from repoqa.models.profile import Profile

app = typer.Typer(name="models", help="Profiles of models, their weights and their memory.")
Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A model's profile.", autocompletion=completion.profiles),
]


@app.callback()
def _group() -> None:
    """Profiles of models, their weights and their memory."""


@app.command(name="list")
def list_() -> None:
    """List the model profiles, and where the weights of each are."""
    from repoqa.models.profile import load_profile, profile_names
    from repoqa.models.survey import whereabouts
    from repoqa.settings import profile_directory
    from repoqa.terminal.models import profile_lines
    from repoqa.terminal.output import standard_output

    directories = (profile_directory(),)
    cache = _cache()
    profiles = [
        load_profile(name, directories=directories)
        for name in profile_names(directories=directories)
    ]
    rows = [(each.name, whereabouts(each, cache=cache), each.summary) for each in profiles]
    standard_output().write(profile_lines(rows))


@app.command()
def show(name: Name) -> None:
    """Show all that a profile says, with what it inherits."""
    from repoqa.models.survey import lines_of, whereabouts
    from repoqa.models.weights import find_checkpoint
    from repoqa.terminal.models import key_lines
    from repoqa.terminal.output import standard_output

    profile, cache = _profile(name), _cache()
    rows = [*lines_of(profile), ("where", whereabouts(profile, cache=cache))]
    if (checkpoint := find_checkpoint(profile, cache=cache)) is not None:
        rows.append(("folder", str(checkpoint)))
    standard_output().write(key_lines(rows))


@app.command()
def pull(name: Name) -> None:
    """Fetch a model's weights, or what is missing of them, and check them.

    From Hugging Face by its own settings: HF_ENDPOINT for a mirror, HF_TOKEN for models behind a
    licence, HF_HOME for the folder. Safetensors only: pickled weights can run code.
    """
    from repoqa.errors import UsageError
    from repoqa.models.weights import ensure_checkpoint, verify
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    profile, output = _profile(name), standard_output()
    if profile.engine == "llamacpp":
        raise UsageError(
            f"{name} runs a file of yours: {profile.weights}",
            remedy="Fetch the GGUF file from where its makers say, and name it as `weights`.",
        )
    if profile.engine != "transformers":
        raise UsageError(
            f"{name} does not run on this machine: there is nothing to fetch",
            remedy="Name a model that does: repoqa models list.",
        )
    with shown_progress(output) as progress:
        place = ensure_checkpoint(profile, cache=_cache(), progress=progress)
        verify(place, progress=progress)
    output.write(f"{place}\n")


@app.command()
def plan(
    name: Name,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="TOKENS",
            help="The prompt, as in 13k (default: the profile's reliable window).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Say what a model takes of memory with a prompt, and where it would run.

    Counted for the CPU and the graphics cards here, and for cards of usual sizes. Nothing is
    loaded. `repoqa ask` makes the same plan before it loads a model, and refuses what cannot fit.
    """
    from repoqa.amounts import parse_tokens
    from repoqa.models.survey import outlook, places, work_of
    from repoqa.terminal.models import plan_tables
    from repoqa.terminal.output import standard_output

    profile = _profile(name)
    tokens = parse_tokens(budget, origin="--budget") if budget else profile.reliable_window
    work = work_of(profile, tokens, cache=_cache())
    most = profile.maximum + profile.answer
    found = places(profile, cache=_cache())
    outlooks = [outlook(work, place, most=most) for place in found]
    standard_output().write(plan_tables(work, outlooks, answer=profile.answer))


def _profile(name: str) -> "Profile":
    from repoqa.models.profile import load_profile
    from repoqa.settings import profile_directory

    return load_profile(name, directories=(profile_directory(),))


def _cache() -> "Path":
    from repoqa.settings import read_settings

    return read_settings(environment=os.environ, flags={}).cache_dir
