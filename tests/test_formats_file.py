"""Results land where the user said, whole, or not at all with the reason."""

import os
import stat
import threading
from pathlib import Path

import pytest
from conftest import Unprivileged

from repoqa.errors import UsageError
from repoqa.formats.file import check_target, write_file


def write(path: Path, content: bytes = b"new") -> None:
    check_target(path, option="--html")
    write_file(path, content, option="--html")


def test_a_new_file_has_the_usual_permissions_and_no_rest_stays(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "page.html")
    finally:
        os.umask(before)
    assert (tmp_path / "page.html").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    page = tmp_path / ("long" * 60)
    page.write_bytes(b"old")
    page.chmod(0o600)
    write(page)
    assert (page.read_bytes(), stat.S_IMODE(page.stat().st_mode)) == (b"new", 0o600)


def test_a_link_stays_and_leads_to_the_new_file(tmp_path: Path) -> None:
    (tmp_path / "real.html").write_bytes(b"old")
    (tmp_path / "link.html").symlink_to("real.html")
    write(tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_bytes() == b"new"


def test_a_pipe_is_written_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write(pipe)
    reader.join(10)
    assert read == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "problem"),
    [("", "it is a folder"), ("absent/page.html", "there is no folder")],
)
def test_what_is_no_file_is_refused(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"--html: .* cannot be written: {problem}") as refused:
        check_target(tmp_path / name, option="--html")
    assert refused.value.remedy == "Name another file: --html FILE"


def test_what_may_not_be_written_is_refused(open_folder: Path, unprivileged: Unprivileged) -> None:
    (open_folder / "kept.html").write_bytes(b"old")
    (open_folder / "kept.html").chmod(0o444)
    (open_folder / "closed").mkdir()

    def refused() -> list[str]:
        (open_folder / "closed").chmod(0o555)
        found = []
        for name in ("kept.html", "closed/page.html"):
            try:
                check_target(open_folder / name, option="--html")
            except UsageError as error:
                found.append(error.message.rpartition(": ")[2])
        return found

    first, second = unprivileged(open_folder, refused)
    assert first == "it may not be changed"
    assert second.startswith("nothing may be written into ")
