"""The names that others rely on: changing one is a decision, not an accident."""

import importlib
import pkgutil
import tomllib
from pathlib import Path

import pytest

import repoqa

ROOT = Path(__file__).parent.parent


def test_the_public_names_of_the_package() -> None:
    assert repoqa.__all__ == [
        "Diagnosis",
        "Options",
        "Preparation",
        "RepoqaError",
        "__version__",
        "ask",
        "open_repository",
        "pack",
    ]
    assert repoqa.__all__ == sorted(repoqa.__all__)
    assert all(hasattr(repoqa, name) for name in repoqa.__all__)


def test_the_version_is_the_one_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == repoqa.__version__


def test_the_command_is_where_the_distribution_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert list(project["scripts"]) == ["repoqa"]
    module, _, name = project["scripts"]["repoqa"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_every_module_can_be_imported_on_its_own_and_says_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    names = [module.name for module in pkgutil.walk_packages(repoqa.__path__, "repoqa.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    assert len(names) > 40
    read = capfd.readouterr()
    assert (read.out, read.err) == ("", "")
