"""Keeps the commit that a distribution is built from, for `repoqa --version`.

In an sdist it is the file COMMIT, which a wheel that is built from the sdist takes over.
"""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KEPT = "COMMIT"
IN_WHEEL = f"repoqa/{KEPT}"


class KeepCommit(BuildHookInterface):  # type: ignore[type-arg]
    """The build hook that hatchling calls before each build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file, where the commit is known; an editable install asks git itself."""
        commit = _kept(Path(self.root)) or _of_checkout(Path(self.root))
        if version == "editable" or not commit:
            return
        file = Path(self.directory) / KEPT
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{commit}\n", encoding="utf-8")
        target = KEPT if self.target_name == "sdist" else IN_WHEEL
        build_data["force_include"][str(file)] = target

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing but the distribution behind."""
        (Path(self.directory) / KEPT).unlink(missing_ok=True)


def _kept(root: Path) -> str:
    file = root / KEPT
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def _of_checkout(root: Path) -> str:
    if not (root / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
