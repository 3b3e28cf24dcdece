"""Memory: the published numbers of Code Llama and SmolLM2, and what is chosen for a device."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repoqa.errors import ModelError
from repoqa.models.memory import available_to_cpu, most_taken, parameters, taken
from repoqa.models.plan import Place, Setting, Work, choose, longest, need, settings
from repoqa.models.profile import load_profile

GIB = 2**30
GPU = Place("the GPU", free=24 * GIB, chunk=2048)
# GiB: weights of 16, 8 and 4 bits; keys and values of 16, 8 and 4 bits for 16,384 tokens and for
# 100,000 (8 and 4 bits with a 16-bit scale for every 32 numbers).
PUBLISHED = {
    "7b": ((12.6, 6.7, 3.5), (8.0, 4.3, 2.3), (48.8, 25.9, 13.7)),
    "13b": ((24.2, 12.9, 6.8), (12.5, 6.6, 3.5), (76.3, 40.5, 21.5)),
    "34b": ((62.9, 33.4, 17.7), (3.0, 1.6, 0.8), (18.3, 9.7, 5.1)),
    "70b": ((128.5, 68.3, 36.1), (5.0, 2.7, 1.4), (30.5, 16.2, 8.6)),
}


def work_of(name: str, tokens: int) -> Work:
    shape = load_profile(name).shape
    assert shape is not None
    return Work(shape, shape.parameters, tokens)


@pytest.mark.parametrize("size", PUBLISHED)
def test_what_code_llama_takes_is_what_is_published(size: str) -> None:
    weights, short, long = PUBLISHED[size]
    for bits, *expected in zip((16, 8, 4), weights, short, long, strict=True):
        setting = Setting(weights=bits, cache=bits)  # type: ignore[arg-type]
        at_16k = need(work_of(f"codellama-{size}", 16_384), setting, GPU)
        at_100k = need(work_of(f"codellama-{size}", 100_000), setting, GPU)
        found = [at_16k.weights, at_16k.cache, at_100k.cache]
        # Published to one decimal.
        assert [number / GIB for number in found] == pytest.approx(expected, rel=0.02, abs=0.05)


@pytest.mark.parametrize(
    ("name", "kib"),
    [
        *(("codellama-7b", 512), ("codellama-13b-instruct", 800), ("codellama-34b-python", 192)),
        *(("phind-codellama-34b-v2", 192), ("codellama-70b-instruct", 320), ("smollm2-135m", 22.5)),
    ],
)
def test_a_tokens_keys_and_values(name: str, kib: float) -> None:
    assert need(work_of(name, 1), Setting(16, 16), GPU).cache == kib * 1024


def test_weights_are_counted_from_the_files_headers(tmp_path: Path) -> None:
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F16", "shape": [3, 5], "data_offsets": [0, 30]},
            "b": {"dtype": "F16", "shape": [], "data_offsets": [30, 32]},
        }
    ).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(32))
    assert parameters([path, path]) == 2 * 16


def test_a_file_cut_in_its_header_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((1 << 40).to_bytes(8, "little") + b"{}")
    with pytest.raises(ModelError, match="cut short"):
        parameters([path])


def test_the_most_faithful_setting_that_fits_is_taken_and_the_reason_told() -> None:
    work = work_of("codellama-7b", 15_024)
    choice = choose(work, GPU)
    assert choice.setting == Setting(16, 16)
    assert choice.reason.startswith("16-bit weights, 16-bit keys and values need 20")
    assert "of the 24.0 GiB that are free on the GPU" in choice.reason
    choice = choose(work, replace(GPU, free=18 * GIB))
    assert choice.setting == Setting(16, 8)
    assert "; 16-bit weights, 16-bit keys and values would need 20" in choice.reason
    assert choose(work, replace(GPU, free=9 * GIB)).setting == Setting(4, 8)


def test_what_runs_goes_on_as_long_as_it_fits() -> None:
    work, running = work_of("codellama-7b", 15_024), Setting(8, 8)
    assert choose(work, GPU, running=running).setting == running
    longer = replace(work, tokens=60_000)
    assert need(longer, running, GPU).total > 20 * GIB
    small = replace(GPU, free=20 * GIB)
    assert choose(longer, small, running=running) == choose(longer, small)


def test_keys_and_values_leave_the_device_last() -> None:
    work = work_of("codellama-7b", 101_024)
    small = replace(GPU, free=16 * GIB, host_free=64 * GIB)
    choice = choose(work, small)
    assert choice.setting == Setting(16, 16, offloaded=True)
    assert choice.need.cache == 0
    assert choice.need.host == pytest.approx(49.3 * GIB, rel=0.01)
    with pytest.raises(ModelError):
        choose(work, replace(small, host_free=32 * GIB))


def test_an_engine_that_cannot_shrink_weights_is_not_offered_it() -> None:
    work = replace(work_of("codellama-7b", 15_024), can_shrink=False)
    assert list(settings(work, replace(GPU, host_free=GIB))) == [Setting(16, 16)]
    with pytest.raises(ModelError):
        choose(work, replace(GPU, free=8 * GIB))


@given(free=st.integers(1, 200), tokens=st.integers(1, 110_000), can_shrink=st.booleans())
def test_what_is_chosen_fits_and_nothing_more_faithful_does(
    free: int, tokens: int, can_shrink: bool
) -> None:
    work = replace(work_of("codellama-34b", tokens), can_shrink=can_shrink)
    place = replace(GPU, free=free * GIB)
    try:
        chosen = choose(work, place)
    except ModelError:
        assert all(need(work, each, place).total > free * GIB for each in settings(work, place))
        return
    assert chosen.need.total <= free * GIB
    for each in settings(work, place):
        if each == chosen.setting:
            break
        assert need(work, each, place).total > free * GIB


def test_what_cannot_fit_is_refused_with_its_numbers_and_what_would() -> None:
    work = work_of("codellama-7b", 100_000)
    place = replace(GPU, free=10 * GIB)
    with pytest.raises(ModelError) as caught:
        choose(work, place)
    assert "3.5 GiB for its weights, 13.7 GiB for the prompt" in caught.value.message
    assert caught.value.message.endswith("the GPU has 10.0 GiB free")
    fitting = longest(work, place, most=100_000)
    assert 20_000 < fitting < 50_000
    assert f"A --budget {100_000 - fitting:,} tokens smaller fits" in caught.value.remedy
    choose(replace(work, tokens=fitting), place)
    with pytest.raises(ModelError):
        choose(replace(work, tokens=fitting + 1), place)
    with pytest.raises(ModelError) as caught:
        choose(work, replace(GPU, free=GIB))
    assert caught.value.remedy.startswith("Use a smaller model")


def test_memory_that_is_not_told_is_taken_for_enough() -> None:
    assert choose(work_of("codellama-70b", 100_000), replace(GPU, free=None)).setting.weights == 16


def test_the_memory_here_is_a_sensible_number() -> None:
    available = available_to_cpu()
    assert available is None or 2**24 < available < 2**50


def test_what_this_process_has_taken() -> None:
    before = most_taken()
    ballast = bytearray(b"x") * (64 * 2**20)
    assert taken() > len(ballast)
    assert most_taken() >= max(before, taken() - 2**20)
