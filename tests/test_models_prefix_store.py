"""What a model has read, on disk: the same words from a process that reads less, what is kept."""

import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from checkpoints import CODE, byte_level_tokenizer, write_checkpoint

from repoqa.models.local import LocalModel
from repoqa.models.open import PREFIXES, open_model
from repoqa.models.profile import Profile
from repoqa.protocols import Silent
from repoqa.records import Prompt, Segment

FIRST = (CODE, CODE, "Question: why does login fail")
FOLLOWING = (CODE, CODE, "Earlier question: why does login fail", CODE)
OTHER = (CODE.replace("login", "logout"), CODE, "and this?")
ROOM = 10_000_000


@dataclass
class Reads(Silent):
    """A Progress that counts the tokens that each prompt was read with."""

    each: list[int] = field(default_factory=list)

    def start(self, stage: str, *, total: int | None = None, unit: str = "") -> None:
        if stage == "Reading the prompt":
            assert total is not None
            self.each.append(total)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("llama"), byte_level_tokenizer())


@pytest.fixture
def profile(checkpoint: Path) -> Profile:
    return Profile("tiny", "transformers", "chatml", "", weights=str(checkpoint), answer=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / PREFIXES


def prompt(*texts: str) -> Prompt:
    return Prompt((), tuple(Segment(text) for text in texts), tokens=0, exact=True)


def asked(
    profile: Profile, texts: tuple[str, ...], *, limit: int = ROOM, cache: Path
) -> tuple[str, int]:
    """The answer of a process that has nothing in memory, and how many tokens it read."""
    reads = Reads()
    model = LocalModel(profile, Path(profile.weights))
    model.prefixes = (cache, limit) if limit else None
    answer = "".join(model.stream(prompt(*texts), progress=reads))
    return answer, reads.each[0]


def test_a_later_process_reads_only_what_is_new_and_answers_the_same(
    profile: Profile, folder: Path
) -> None:
    whole = {texts: asked(profile, texts, limit=0, cache=folder) for texts in (FIRST, FOLLOWING)}
    assert not folder.exists(), "nothing is kept unless that is asked for"
    assert asked(profile, FIRST, cache=folder) == whole[FIRST]
    answer, read = asked(profile, FOLLOWING, cache=folder)
    assert answer == whole[FOLLOWING][0]
    assert read < whole[FOLLOWING][1] - 256
    assert asked(profile, FOLLOWING, cache=folder) == (answer, 1)
    assert len(list(folder.iterdir())) == 1, "the longer one replaces the one that it follows"
    again, read = asked(profile, FIRST, cache=folder)
    assert again == whole[FIRST][0]
    assert read < whole[FIRST][1] // 10


def test_what_is_kept_is_the_users_alone(profile: Profile, folder: Path) -> None:
    asked(profile, FIRST, cache=folder)
    [file] = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_other_weights_and_other_positions_share_nothing(
    *, profile: Profile, folder: Path, tmp_path: Path
) -> None:
    whole = asked(profile, FIRST, cache=folder)
    weights = Path(profile.weights) / "model.safetensors"
    os.utime(weights, (1, 1))
    assert asked(profile, FIRST, cache=folder) == whole
    scaled = replace(profile, trained_window=100, rope="yarn")
    assert asked(scaled, FIRST, cache=folder)[1] == whole[1]
    assert len(list(folder.iterdir())) == 3


def test_the_limit_holds_and_what_was_unused_longest_goes(profile: Profile, folder: Path) -> None:
    asked(profile, FIRST, cache=folder)
    [first] = folder.iterdir()
    size = first.stat().st_size
    os.utime(first, (1, 1))
    asked(profile, OTHER, limit=size * 3 // 2, cache=folder)
    [other] = folder.iterdir()
    assert other != first
    asked(profile, FIRST, limit=size // 2, cache=folder)
    assert list(folder.iterdir()) == [other], "what alone is over the limit is not kept"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 5000, None])
def test_a_file_that_does_not_read_is_as_if_absent(
    profile: Profile, folder: Path, content: bytes | None
) -> None:
    whole = asked(profile, FIRST, cache=folder)
    [file] = folder.iterdir()
    kept = file.read_bytes()
    file.write_bytes(kept[: len(kept) // 2] if content is None else content)
    assert asked(profile, FIRST, cache=folder) == whole
    assert [each.stat().st_size for each in folder.iterdir()] == [len(kept)]


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_flipped_byte_anywhere_is_never_read(profile: Profile, folder: Path, part: float) -> None:
    whole = asked(profile, FIRST, cache=folder)
    [file] = folder.iterdir()
    content = bytearray(file.read_bytes())
    content[int(part * len(content))] ^= 0x40
    file.write_bytes(content)
    assert asked(profile, FIRST, cache=folder) == whole, "read whole, as without a file"
    assert asked(profile, FIRST, cache=folder) == (whole[0], 1), "and kept anew"


def test_a_folder_that_cannot_be_written_costs_nothing(profile: Profile, tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("no folder")
    answer, _ = asked(profile, FIRST, cache=taken)
    assert answer == asked(profile, FIRST, limit=0, cache=taken)[0]


def test_the_setting_opens_it(profile: Profile, tmp_path: Path) -> None:
    for limit, kept in ((0, 0), (ROOM, 1)):
        model = open_model(profile, cache=tmp_path, progress=Silent(), prefix_cache=limit)
        "".join(model.stream(prompt(*FIRST), progress=Silent()))
        folder = tmp_path / PREFIXES
        assert len(list(folder.iterdir()) if folder.exists() else []) == kept
