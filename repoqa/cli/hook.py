"""`repoqa hook`: the git pre-push hook that reviews what is pushed."""

from typing import Annotated, TypeAlias

import typer

from repoqa.cli import options
from repoqa.cli.review import BlockOn, NoModel

app = typer.Typer(
    name="hook",
    help="Review what is pushed, by a git pre-push hook.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Timeout: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        help="Let the push go on after so long (default: 60).",
        show_default=False,
    ),
]
MaxFindings: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--max-findings",
        metavar="N",
        min=0,
        help="Keep so many findings (default: 3).",
        show_default=False,
    ),
]


@app.command()
def install(
    repo: options.Repo = None,
    block_on: BlockOn = None,
    timeout: Timeout = None,
    model: options.Model = None,
    no_model: NoModel = False,
    max_findings: MaxFindings = None,
) -> None:
    """Install the hook where git looks for it; a hook that is there runs before it.

    The options become the hook's own. Without --block-on it never stops a push.
    """
    from repoqa.cli import hooking
    from repoqa.review.hook_settings import Told

    told = Told(block_on, timeout, model, no_model, max_findings)
    hooking.install_hook(repo, told)


@app.command()
def uninstall(repo: options.Repo = None) -> None:
    """Take the hook away, and put back the one that was there before."""
    from repoqa.cli import hooking

    hooking.uninstall_hook(repo)


@app.command()
def status(repo: options.Repo = None) -> None:
    """Say whether the hook is installed, where, and with which settings."""
    from repoqa.cli import hooking

    hooking.show_status(repo)


@app.command()
def run(
    remote: Annotated[
        str, typer.Argument(metavar="[REMOTE]", help="As git names it.", show_default=False)
    ] = "",
    _url: Annotated[
        str, typer.Argument(metavar="[URL]", help="Its address.", show_default=False)
    ] = "",
    block_on: BlockOn = None,
    timeout: Timeout = None,
    model: options.Model = None,
    no_model: NoModel = False,
    max_findings: MaxFindings = None,
    verdict: Annotated[
        bool,
        typer.Option("--verdict", help="Print `blocked` where it blocks.", show_default=False),
    ] = False,
) -> int:
    """What the hook does: review the refs that git lists on standard input.

    Exits with 1 only for what --block-on names. Settings of git are read too: repoqa.blockOn,
    repoqa.timeout, repoqa.model, repoqa.maxFindings. REPOQA_SKIP=1 skips it.
    """
    from repoqa.cli import hooking
    from repoqa.review.hook_settings import Told

    told = Told(block_on, timeout, model, no_model, max_findings)
    return hooking.run_hook(remote, told, says_verdict=verdict)
