"""Whether a wheel and an sdist hold what they need, and nothing else: contents.py FOLDER"""

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def tree(folder: str, pattern: str) -> set[str]:
    """The files below a folder of this checkout."""
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern)}


def wheel_wanted() -> set[str]:
    """What belongs into the wheel, its metadata aside."""
    schemas = {path.replace("docs/schema/", "repoqa/schema/") for path in tree("docs/schema", "*")}
    configs = {f"repoqa/{path}" for path in tree("configs", "*")}
    queries = tree("repoqa/parsing/queries", "*.scm")
    return tree("repoqa", "*.py") | queries | configs | schemas | {"repoqa/py.typed"}


def main() -> None:
    """Compare, and say what differs."""
    folder = Path(sys.argv[1])
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    with tarfile.open(sdist) as archive:
        shipped = {name.partition("/")[2] for name in archive.getnames()}
    wanted = wheel_wanted()
    sources = wanted - {
        name for name in wanted if name.startswith(("repoqa/configs", "repoqa/sch"))
    }
    sources |= tree("configs", "*.toml") | tree("docs", "*.json") | tree("tests", "*.py")
    commit = "repoqa/COMMIT"
    problems = [
        *(f"the wheel lacks {name}" for name in sorted(wanted - names)),
        *(f"the wheel has {name}" for name in sorted(names - wanted - {commit})),
        *(f"the sdist lacks {name}" for name in sorted(sources - shipped)),
        *([] if commit in names else ["the wheel does not know its commit"]),
    ]
    if problems:
        sys.exit("\n".join(problems))
    print(f"{wheel.name}: {len(names)} files; {sdist.name}: {len(shipped)}")  # noqa: T201


if __name__ == "__main__":
    main()
