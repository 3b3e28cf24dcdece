"""`--html`: the packed context, and the answer, as a page in a file."""

from pathlib import Path
from typing import TYPE_CHECKING

from repoqa.formats.file import check_target, write_file
from repoqa.terminal.output import Output

if TYPE_CHECKING:
    from repoqa.diagnosis.prepare import Preparation
    from repoqa.formats.html.answer import Answered

OPTION = "--html"


def check_page(path: Path | None) -> None:
    """Raise UsageError where the page cannot be written, before there is one."""
    if path:
        check_target(path, option=OPTION)


def write_page(
    path: Path, preparation: "Preparation", output: Output, *, answered: "Answered | None" = None
) -> None:
    """Write the page, and say where. Raises UsageError where it cannot be written."""
    from repoqa.formats.html.page import pack_page

    write_file(path, pack_page(preparation, answered), option=OPTION)
    output.note(f"page: {path}")
