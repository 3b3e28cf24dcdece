"""The log of an unexpected error: everything that a bug report needs, in the user's folders."""

import platform
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from repoqa import __version__

NAME = "repoqa"


def write_log(arguments: Sequence[str], trace: str) -> Path:
    """Write it, and return where."""
    from repoqa.settings import log_directory

    name = f"error-{time.strftime('%Y%m%d-%H%M%S')}.log"
    text = (
        f"{NAME} {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"arguments: {list(arguments)!r}\n\n{trace}"
    )
    try:
        directory = log_directory()
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / name
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        path = Path(tempfile.mkdtemp(prefix=f"{NAME}-")) / name
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path
