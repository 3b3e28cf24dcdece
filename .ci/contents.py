"""Whether a wheel and an sdist hold what they need, and nothing else: contents.py FOLDER"""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def tracked(*folders: str) -> set[str]:
    """The files that git tracks below folders of this checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *folders], cwd=ROOT, capture_output=True, check=True
    )
    return {name.decode() for name in listed.stdout.split(b"\0") if name}


def wheel_wanted() -> set[str]:
    """What belongs into the wheel, its metadata aside."""
    schemas = {name.replace("docs/schema/", "repoqa/schema/") for name in tracked("docs/schema")}
    return tracked("repoqa") | {f"repoqa/{name}" for name in tracked("configs")} | schemas


def main() -> None:
    """Compare, and say what differs."""
    folder = Path(sys.argv[1])
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    with tarfile.open(sdist) as archive:
        shipped = {name.partition("/")[2] for name in archive.getnames()}
    wanted = wheel_wanted()
    needed = ("configs/smollm2-135m.toml", "parsing/queries/python.scm", "py.typed")
    needed = {f"repoqa/{name}" for name in (*needed, "schema/pack.schema.json")}
    sources = tracked("repoqa", "configs", "docs", "tests", "examples", "benchmarks")
    commit = "repoqa/COMMIT"
    problems = [
        *(f"the wheel lacks {name}" for name in sorted((wanted | needed) - names)),
        *(f"the wheel has {name}" for name in sorted(names - wanted - {commit})),
        *(f"the sdist lacks {name}" for name in sorted(sources - shipped)),
        *([] if commit in names else ["the wheel does not know its commit"]),
    ]
    if problems:
        sys.exit("\n".join(problems))
    print(f"{wheel.name}: {len(names)} files; {sdist.name}: {len(shipped)}")  # noqa: T201


if __name__ == "__main__":
    main()
