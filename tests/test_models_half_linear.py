"""Weights kept in fp16: the numbers that come out, what is kept, and the memory that is planned."""

from pathlib import Path

import pytest
from checkpoints import byte_level_tokenizer, write_checkpoint

from repoqa.models.local import LocalModel
from repoqa.models.plan import Place, Setting, Work, need, settings
from repoqa.models.profile import Profile, load_profile
from repoqa.protocols import Silent

GIB = 2**30
CPU = Place("this CPU", free=None, chunk=256, bits=32, keeps_half=True)


@pytest.fixture(autouse=True)
def _only_where_it_is_possible() -> None:
    from repoqa.models.half_linear import is_possible

    if not is_possible():
        pytest.skip("this CPU, or this build of PyTorch, has no product with packed weights")


@pytest.mark.parametrize("rows", [1, 3, 256])
@pytest.mark.parametrize("bias", [False, True])
def test_the_product_is_that_of_the_rounded_weights(*, rows: int, bias: bool) -> None:
    import torch

    from repoqa.models.half_linear import HalfLinear

    torch.manual_seed(4)
    linear = torch.nn.Linear(576, 100, bias=bias)
    values = torch.randn(1, rows, 576)
    rounded = linear.weight.detach().half().float()
    expected = torch.nn.functional.linear(values, rounded, linear.bias)
    found = HalfLinear(linear.weight, linear.bias)(values)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_weights_stored_in_fp16_lose_nothing_and_all_layers_keep_them(tmp_path: Path) -> None:
    import torch
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    from repoqa.models.checkpoint import read_config
    from repoqa.models.device import Device
    from repoqa.models.half_linear import HalfLinear, keep_half
    from repoqa.models.load import load

    checkpoint = write_checkpoint(tmp_path / "whole", byte_level_tokenizer())
    whole = LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.float16)
    whole.save_pretrained(checkpoint)
    profile = Profile("tiny", "transformers", "chatml", "", weights=str(checkpoint))
    device = Device("cpu", "this machine", torch.float32, keeps_half=True)
    model = load(checkpoint, read_config(profile, checkpoint), device)
    assert {type(product) for product in model.products} == {HalfLinear}
    by_transformers = keep_half(LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.float16))
    kinds = [type(module) for module in by_transformers.modules()]
    assert kinds.count(HalfLinear) == 2 * 7 + 1
    assert torch.nn.Linear not in kinds
    ids = torch.arange(3, 60)[None]
    with torch.inference_mode():
        expected = whole.float()(ids).logits
        torch.testing.assert_close(model(ids).logits, expected)
        torch.testing.assert_close(by_transformers(ids).logits, expected)


def test_a_profile_that_asks_for_fp32_gets_all_of_it(tmp_path: Path) -> None:
    from repoqa.models.half_linear import HalfLinear

    checkpoint = write_checkpoint(tmp_path, byte_level_tokenizer())
    profile = Profile("tiny", "transformers", "chatml", "", dtype="float32")
    model = LocalModel(profile, checkpoint).loaded(10, progress=Silent())
    assert HalfLinear not in {type(product) for product in model.products}


def test_the_plan_counts_what_is_packed() -> None:
    shape = load_profile("codellama-7b").shape
    assert shape is not None
    work = Work(shape, shape.parameters, 4096, can_shrink=False)
    assert list(settings(work, CPU)) == [Setting(16, 32)]
    needed = need(work, Setting(16, 32), CPU)
    # 12.6 GiB in fp16, half a GiB of embedding in fp32, and the blocks' filling.
    assert 12.8 < needed.weights / GIB < 13.6
    small = load_profile("smollm2-135m").shape
    assert small is not None
    # Measured by packing layers of its sizes: 269 MB in fp16 take 437, and the embedding 113.
    assert small.packed_half == pytest.approx(437e6 + 113e6, rel=0.01)
