"""Memory: the published numbers of Code Llama and SmolLM2, and when a model is refused."""

import json
from pathlib import Path

import pytest

from repoqa.errors import ModelError
from repoqa.models.memory import Need, available_to_cpu, need, refuse_if_over
from repoqa.models.shape import Shape

GIB = 2**30
SHAPES = {
    "7B": Shape(4096, 32, 32),
    "13B": Shape(5120, 40, 40),
    "34B": Shape(8192, 48, 64, 8),
    "70B": Shape(8192, 80, 64, 8),
    "SmolLM2-135M": Shape(576, 30, 9, 3, 64),
}


@pytest.mark.parametrize(
    ("model", "kib", "at_16k", "at_100k"),
    [
        ("7B", 512, 8.0, 48.8),
        ("13B", 800, 12.5, 76.3),
        ("34B", 192, 3.0, 18.3),
        ("70B", 320, 5.0, 30.5),
        ("SmolLM2-135M", 22.5, 0.35, 2.1),
    ],
)
def test_the_published_cache_sizes(
    *, model: str, kib: float, at_16k: float, at_100k: float
) -> None:
    def cache(tokens: int) -> int:
        return need(SHAPES[model], [], tokens=tokens, width=2).cache

    assert cache(1) == kib * 1024
    assert cache(16_384) / GIB == pytest.approx(at_16k, abs=0.05)
    assert cache(100_000) / GIB == pytest.approx(at_100k, abs=0.05)


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
    assert need(SHAPES["7B"], [path, path], tokens=0, width=4).weights == 2 * 16 * 4


def test_a_file_cut_in_its_header_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((1 << 40).to_bytes(8, "little") + b"{}")
    with pytest.raises(ModelError, match="cut short"):
        need(SHAPES["7B"], [path], tokens=0, width=4)


def test_what_does_not_fit_is_refused_with_its_numbers() -> None:
    needed = Need(weights=13 * GIB, cache=7 * GIB)
    refuse_if_over(needed, 20 * GIB, where="the GPU")
    refuse_if_over(needed, None, where="the GPU")
    with pytest.raises(ModelError) as caught:
        refuse_if_over(needed, 16 * GIB, where="the GPU")
    assert caught.value.message == (
        "the model needs 20.0 GiB of memory (13.0 GiB for its weights, 7.0 GiB for the prompt); "
        "the GPU has 16.0 GiB free"
    )
    assert "smaller --budget" in caught.value.remedy
    with pytest.raises(ModelError) as caught:
        refuse_if_over(needed, 8 * GIB, where="the GPU")
    assert "smaller model" in caught.value.remedy


def test_the_memory_here_is_a_sensible_number() -> None:
    available = available_to_cpu()
    assert available is None or 2**24 < available < 2**50
