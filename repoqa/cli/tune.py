"""`repoqa tune`: fine-tunes a model on a repository, and shows what that gains."""

from pathlib import Path

import typer

from repoqa.cli.options import Repo
from repoqa.cli.tune_options import Folder, Most, Share
from repoqa.cli.tuning import eval_, run

app = typer.Typer(name="tune", help="Fine-tune a model on your repository (repoqa-cli[tune]).")


@app.callback()
def _group() -> None:
    """Fine-tune a model on your repository (repoqa-cli[tune])."""


@app.command()
def data(
    repo: Repo = None,
    out: Folder = None,
    most: Most = 500,
    held_out: Share = 0.1,
) -> None:
    """Make training examples of a repository's history and of its current code.

    A fix in the history gives a pair: its message and the code before, where it changed that and
    how. A function of the current code gives another: lines taken out of it. Secrets are replaced;
    tests, documents, generated and vendored files are left out. Nothing is written into the
    repository.
    """
    from repoqa.api.tune import allowed_files
    from repoqa.errors import JobError
    from repoqa.repository.past import Past
    from repoqa.repository.snapshot import open_snapshot
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress
    from repoqa.terminal.tune import data_lines
    from repoqa.tuning import folder
    from repoqa.tuning.make import Wanted, make

    output = standard_output()
    past = Past(repo or Path())
    snapshot = open_snapshot(past.root)
    for line in snapshot.notes:
        output.note(line)
    target = folder.checked(out or folder.default_folder(past.root), repository=past.root)
    files, rules = allowed_files(snapshot)
    wanted = Wanted(most, held_out, rules.ignores)
    with shown_progress(output) as progress:
        made = make(files, past, wanted, progress=progress)
    parts = made.parts
    if not parts.train:
        raise JobError(
            f"{snapshot.name} gives no training example: no commit says that it fixes a bug in few "
            "places, and no code has functions",
            remedy="Name a repository with more history: --repo DIR.",
        )
    about = folder.About(
        repo=snapshot.name,
        revision=past.head(),
        train=folder.counted(parts.train),
        held_out=folder.counted(parts.held_out),
        files_left_out=dict(sorted(made.files.items())),
        examples_left_out=dict(sorted(parts.left_out.items())),
        redacted=made.redacted,
    )
    folder.write(target, about, train=parts.train, held_out=parts.held_out)
    output.write(data_lines(about, target))


app.command()(run)
app.command(name="eval")(eval_)
