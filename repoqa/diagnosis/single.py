"""The single strategy: one prompt, one streamed answer."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import cast

from repoqa.answers.clean import clean
from repoqa.diagnosis.prepare import Preparation
from repoqa.protocols import CodeSource, Model, Progress
from repoqa.records import Context


def diagnose(preparation: Preparation, model: Model, *, progress: Progress) -> Iterator[str]:
    """The model's answer as it is generated: printable, and ended where it loops.

    Closing this iterator, or its end, stops the model. Raises what the model raises.
    """
    stream = model.stream(preparation.prompt, progress=progress)
    with closing(cast("Generator[str, None, None]", stream)):
        yield from clean(stream)


def familiar_names(context: Context, code: CodeSource) -> frozenset[str]:
    """The names that the packed files use: an answer may speak of them without inventing."""
    paths = {excerpt.path for excerpt in context.excerpts}
    return frozenset(
        reference.name.rpartition(".")[2]
        for path in paths
        for reference in code.parsed(path).references
    )
