"""Weights, keys and values in 8 and 4 bits: the numbers that come out, and when they are chosen."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from checkpoints import CODE, byte_level_tokenizer, write_checkpoint

from repoqa.errors import ModelError
from repoqa.models.checkpoint import read_config
from repoqa.models.local import LocalModel
from repoqa.models.memory import parameters
from repoqa.models.open import PREFIXES
from repoqa.models.plan import FEW, Place, Setting, Work, choose, need
from repoqa.models.profile import Profile
from repoqa.models.weights import weight_files
from repoqa.protocols import Silent
from repoqa.records import Prompt, Segment

MIB = 2**20
SIZES = {"hidden_size": 64, "intermediate_size": 192}
PROMPT = (CODE, CODE, "and why does login fail?", CODE)
FOLLOWING = (CODE, CODE, "how do I fix it?", CODE)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("llama"), byte_level_tokenizer(), **SIZES)


def profile_of(checkpoint: Path, **changes: Any) -> Profile:
    profile = Profile("tiny", "transformers", "chatml", "", weights=str(checkpoint), answer=20)
    return replace(profile, dtype="float32", **changes)


def prompt(*texts: str) -> Prompt:
    return Prompt((), tuple(Segment(text) for text in texts), tokens=0, exact=True)


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize("last", [64, 576, 80, 24, 2])
def test_a_number_is_off_by_half_a_step_at_most(bits: Any, last: int) -> None:
    import torch

    from repoqa.models.groups import group_size, grouped

    torch.manual_seed(bits)
    for offset in (0.0, 3.0, -300.0):
        numbers = torch.randn(5, 7, last) + offset
        found = grouped(numbers, bits)
        groups = numbers.view(5, 7, -1, group_size(last))
        low, high = groups.aminmax(dim=-1, keepdim=True)
        # What rounding the step and the middle to bf16 leaves out at the ends of the range.
        rounded = (low.abs() + high.abs()) / 2**8
        allowed = (high - low) / (2**bits - 1) / 2 * 1.01 + rounded + 1e-6
        off = (found.numbers(torch.float32).view_as(groups) - groups).abs()
        assert bool((off <= allowed).all())


def test_the_bits_are_as_many_as_the_plan_counts() -> None:
    import torch

    from repoqa.models.few_bits import PackedQuarters, Quarters, Rows
    from repoqa.models.groups import grouped
    from repoqa.models.plan import stored

    numbers = torch.randn(96, 640)
    for bits in FEW:
        found = grouped(numbers, bits)  # type: ignore[arg-type]
        assert found.codes.nbytes + found.scales.nbytes == stored(numbers.numel(), bits)
    for kind in (Quarters, PackedQuarters):
        matrix = kind(numbers)
        assert matrix.codes.nbytes + matrix.scales.nbytes == stored(numbers.numel(), 4)
    rows = Rows(numbers)
    assert rows.codes.nbytes + rows.scales.nbytes < stored(numbers.numel(), 8)


def test_equal_numbers_are_kept() -> None:
    import torch

    from repoqa.models.few_bits import Rows
    from repoqa.models.groups import grouped

    same = torch.full((3, 64), 0.75)
    nothing = torch.zeros(3, 64)
    for bits in FEW:
        for numbers in (same, nothing):
            found = grouped(numbers, bits).numbers(torch.float32)  # type: ignore[arg-type]
            assert torch.equal(found, numbers)
    every = torch.arange(2)
    assert torch.equal(Rows(nothing).chosen(every, torch.float32), nothing[:2])
    torch.testing.assert_close(
        Rows(same).chosen(every, torch.float32), same[:2], rtol=1 / 2**8, atol=0
    )


@pytest.mark.parametrize("rows", [1, 3, 256])
@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize(("outputs", "inputs"), [(96, 576), (100, 64), (7, 24), (48, 96)])
def test_a_product_is_that_of_the_numbers_kept(
    *, rows: int, bits: Any, outputs: int, inputs: int
) -> None:
    import torch

    from repoqa.models.few_bits import FewBitsLinear, matrix, table

    torch.manual_seed(outputs)
    weight, bias = torch.randn(outputs, inputs), torch.randn(outputs)
    values = torch.randn(1, rows, inputs)
    kept = table(weight, bits).chosen(torch.arange(outputs), torch.float32)
    assert float((kept - weight).norm() / weight.norm()) < {8: 0.01, 4: 0.12}[bits]
    found = FewBitsLinear(matrix(weight, bits), bias)(values)
    expected = torch.nn.functional.linear(values, kept, bias)
    assert found.shape == expected.shape
    assert found.dtype == torch.float32
    # bf16 rounds each value and the sum by 1 part in 256 at most.
    assert float((found - expected).norm() / expected.norm()) < 1 / 2**8


@pytest.mark.parametrize("bits", FEW)
def test_a_matrix_is_worked_on_in_parts_that_make_the_whole(
    monkeypatch: pytest.MonkeyPatch, bits: Any
) -> None:
    import torch

    from repoqa.models import few_bits

    weight = torch.randn(336, 64)
    whole = (few_bits.matrix(weight, bits), few_bits.table(weight, bits))
    monkeypatch.setattr(few_bits, "_AT_ONCE", 64 * 64)
    parts = (few_bits.matrix(weight, bits), few_bits.table(weight, bits))
    for one, other in zip(whole, parts, strict=True):
        assert torch.equal(one.codes, other.codes)
        assert torch.equal(one.scales, other.scales)


# --- a whole model -------------------------------------------------------------------------------


def opened(checkpoint: Path, bits: Any, dtype: str = "float32", **told: Any) -> Any:
    import torch

    from repoqa.models.device import Device
    from repoqa.models.load import load

    device = Device("cpu", "this machine", getattr(torch, dtype), bits=bits)
    return load(checkpoint, read_config(profile_of(checkpoint), checkpoint), device, **told)


@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_model_computes_with_the_numbers_kept(
    *, tmp_path: Path, bits: Any, tied: bool, dtype: str
) -> None:
    import torch
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    from repoqa.models.few_bits import FewBitsEmbedding, FewBitsLinear, table

    changes = {**SIZES, "tie_word_embeddings": tied, "attention_bias": True}
    checkpoint = write_checkpoint(tmp_path, byte_level_tokenizer(), **changes)
    told: list[int] = []
    model = opened(checkpoint, bits, dtype, told=told.append)
    assert {type(product) for product in model.products} == {FewBitsLinear}
    assert type(model.embedding) is FewBitsEmbedding
    expected = LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    assert sum(told) == sum(parameter.numel() for parameter in expected.parameters())
    for module in expected.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Embedding)):
            vocabulary = len(module.weight) == expected.config.vocab_size
            kept = table(module.weight.detach(), 8 if tied and vocabulary else bits)
            module.weight.data = kept.chosen(torch.arange(len(module.weight)), torch.float32)
    ids = torch.arange(3, 60)[None]
    with torch.inference_mode():
        found, wanted = model(ids).logits.float(), expected(ids).logits
    assert float((found - wanted).norm() / wanted.norm()) < 0.05


def test_weights_that_are_missing_or_of_another_shape_are_told(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    checkpoint = write_checkpoint(tmp_path, byte_level_tokenizer(), **SIZES)
    weights = load_file(checkpoint / "model.safetensors")
    name = "model.layers.1.mlp.up_proj.weight"
    save_file({**weights, name: weights[name][:50].clone()}, checkpoint / "model.safetensors")
    with pytest.raises(ModelError, match=rf"{re.escape(name)} has the shape \[50, 64\], not"):
        opened(checkpoint, 8)
    del weights[name]
    save_file(weights, checkpoint / "model.safetensors")
    with pytest.raises(ModelError, match=f"do not load: .*{re.escape(name)}"):
        opened(checkpoint, 4)


def test_the_weights_as_stored_are_never_whole_in_memory(tmp_path: Path) -> None:
    status = Path("/proc/self/status")

    def anonymous() -> int:
        found = re.search(r"RssAnon:\s+(\d+) kB", status.read_text())
        assert found
        return int(found[1]) * 1024

    sizes = {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 16}
    checkpoint = write_checkpoint(tmp_path, byte_level_tokenizer(), **sizes)
    stored = (checkpoint / "model.safetensors").stat().st_size
    assert stored > 180 * MIB
    opened(checkpoint, 4)  # what PyTorch itself takes for its first products
    before = anonymous()
    most = [before]
    model = opened(checkpoint, 4, told=lambda _: most.append(anonymous()))
    assert model is not None
    assert max(most) - before < stored / 3


# --- keys and values -----------------------------------------------------------------------------


@pytest.mark.parametrize("setting", [Setting(16, 8), Setting(16, 4), Setting(16, 16, True)])
def test_keys_and_values_are_near_the_whole_ones_and_survive_moves(setting: Setting) -> None:
    import torch
    from transformers.models.llama.configuration_llama import LlamaConfig

    from repoqa.models.key_values import key_values, make_room, rewind

    torch.manual_seed(2)
    config = LlamaConfig(num_hidden_layers=1)
    keys, values = torch.randn(2, 1, 3, 50, 64)
    cache = key_values(config, tokens=30, setting=setting)
    for start, end in ((0, 20), (20, 21), (21, 30)):
        cache.update(keys[:, :, start:end], values[:, :, start:end], 0)
    rewind(cache, 25)
    make_room(cache, 50)
    found = cache.update(keys[:, :, 25:], values[:, :, 25:], 0)
    at_once = key_values(config, tokens=50, setting=setting).update(keys, values, 0)
    assert cache.get_seq_length() == 50
    allowed = {8: 0.01, 4: 0.12, 16: 0}[setting.cache]
    for kept, fresh, whole in zip(found, at_once, (keys, values), strict=True):
        assert torch.equal(kept, fresh), "a number is kept once, whatever comes behind it"
        assert float((kept - whole).norm() / whole.norm()) <= allowed


# --- what is chosen, and what is said ------------------------------------------------------------


@dataclass
class Reads(Silent):
    """A Progress that counts the tokens that each prompt was read with, and the weights loaded."""

    each: list[int] = field(default_factory=list)
    weights: list[int | None] = field(default_factory=list)

    def start(self, stage: str, *, total: int | None = None, unit: str = "") -> None:
        if stage == "Reading the prompt":
            assert total is not None
            self.each.append(total)
        if stage.startswith("Loading"):
            self.weights.append(total)


def leave(
    monkeypatch: pytest.MonkeyPatch, model: LocalModel, setting: Setting, *, tokens: int
) -> None:
    """Let the machine have the memory that `setting` needs for so many tokens, and no more; the
    weights of `model`, while they are loaded, are taken from it."""
    from repoqa.models import device

    checkpoint = model._checkpoint
    config = read_config(profile_of(checkpoint), checkpoint)
    work = Work(config, parameters(weight_files(checkpoint)), tokens)
    place = Place("this machine", free=0, chunk=256, bits=32, is_cpu=True)
    free = need(work, setting, place).total
    assert choose(work, replace(place, free=free)).setting == setting

    def left() -> int:
        loaded = model._model is not None and model._run is not None
        return free - (model._run.choice.need.weights if loaded else 0)  # type: ignore[union-attr]

    monkeypatch.setattr(device, "available_to_cpu", left)


def tokens_of(model: LocalModel, texts: tuple[str, ...]) -> int:
    return sum(len(model.codec.encode(text)) for text in texts) + profile_of(Path()).answer


@pytest.mark.parametrize(
    "setting",
    [Setting(32, 8), Setting(8, 32), Setting(8, 8), Setting(4, 32), Setting(4, 8), Setting(4, 4)],
)
def test_what_fits_is_taken_and_told_and_goes_on_from_what_was_read(
    *, monkeypatch: pytest.MonkeyPatch, checkpoint: Path, tmp_path: Path, setting: Setting
) -> None:
    def model(*, kept: bool = False) -> LocalModel:
        new = LocalModel(profile_of(checkpoint), checkpoint, note=notes.append)
        new.prefixes = (tmp_path / PREFIXES, 10**8) if kept else None
        return new

    notes: list[str] = []
    one, reads = model(), Reads()
    leave(monkeypatch, model(), setting, tokens=tokens_of(one, PROMPT))
    whole = "".join(model().stream(prompt(*FOLLOWING), progress=reads))
    assert notes == [notes[0]]
    assert notes[0].startswith(f"{setting.words} need 0.0 GiB of the 0.0 GiB that are free")
    assert reads.weights == [parameters(weight_files(checkpoint))]
    # In one process, and from the disk in another.
    list(one.stream(prompt(*PROMPT), progress=reads))
    assert "".join(one.stream(prompt(*FOLLOWING), progress=reads)) == whole
    assert reads.each[-1] < reads.each[0] / 2
    list(model(kept=True).stream(prompt(*PROMPT), progress=reads))
    assert "".join(model(kept=True).stream(prompt(*FOLLOWING), progress=reads)) == whole
    assert reads.each[-1] < reads.each[0] / 2


@pytest.mark.parametrize("setting", [Setting(32, 8), Setting(4, 8)])
def test_a_longer_prompt_is_planned_again(
    monkeypatch: pytest.MonkeyPatch, checkpoint: Path, setting: Setting
) -> None:
    notes: list[str] = []
    long = CODE * 12
    model = LocalModel(profile_of(checkpoint), checkpoint, note=notes.append)
    list(model.stream(prompt("login"), progress=Silent()))
    loaded = model.loaded(1, progress=Silent())
    leave(monkeypatch, model, setting, tokens=tokens_of(model, (long,)))
    list(model.stream(prompt(long), progress=Silent()))
    assert [note.split(" need ")[0] for note in notes] == [Setting(32, 32).words, setting.words]
    same = model.loaded(1, progress=Silent()) is loaded
    assert same is (setting.weights == 32), "weights that stay as they are are not loaded again"
    monkeypatch.setattr("repoqa.models.device.available_to_cpu", lambda: 0)
    with pytest.raises(ModelError, match="memory"):
        list(model.stream(prompt(long, CODE), progress=Silent()))
    if same:
        assert list(model.stream(prompt("login"), progress=Silent())), "what fits is still answered"


def test_an_adapter_and_other_architectures_are_run_whole() -> None:
    from repoqa.models.checkpoint import Config
    from repoqa.models.load import can_shrink

    sizes = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 1}
    llama = Config(**sizes, architectures=["LlamaForCausalLM"])  # type: ignore[arg-type]
    other = Config(**sizes, architectures=["MistralForCausalLM"])  # type: ignore[arg-type]
    assert can_shrink(llama, None)
    assert not can_shrink(llama, Path("adapter"))
    assert not can_shrink(other, None)


def test_a_vocabulary_that_is_read_from_both_sides_is_planned_with_8_bits(checkpoint: Path) -> None:
    config = read_config(profile_of(checkpoint), checkpoint)
    work = Work(config, config.parameters, 1)
    tied = replace(work, shape=msgspec.structs.replace(config, tie_word_embeddings=True))
    place = Place("a card", free=None, chunk=1)
    apart, both = (need(each, Setting(4, 16), place).weights for each in (work, tied))
    assert both - apart == pytest.approx(config.vocab_size * config.hidden_size / 2, abs=2)
