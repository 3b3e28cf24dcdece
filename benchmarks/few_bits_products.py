"""One linear layer of Code Llama 7B's size by each product that could run it in few bits on a CPU.

    python benchmarks/few_bits_products.py [--threads 2]

Milliseconds for 1 row (answering) and for 256 (reading a prompt), medians of 7. torchao and
bitsandbytes take part where they are installed.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TypeAlias

import torch

OUTPUTS, INPUTS = 11_008, 4_096
ROWS = (1, 256)
ROUNDS = 7
Product: TypeAlias = Callable[[torch.Tensor], object]


def main() -> None:
    """Print a row for each product."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    torch.set_num_threads(parser.parse_args().threads)
    torch.manual_seed(0)
    weight = torch.randn(OUTPUTS, INPUTS) * 0.02
    products = (*by_pytorch(weight), *by_libraries(weight))
    print("| weights | 1 row | 256 rows |")
    print("|---|---:|---:|")
    with torch.inference_mode():
        for words, dtype, product in products:
            times = [milliseconds(product, torch.randn(rows, INPUTS, dtype=dtype)) for rows in ROWS]
            print(f"| {words} | {times[0]:.1f} | {times[1]:.0f} |")


def by_pytorch(weight: torch.Tensor) -> Iterator[tuple[str, torch.dtype, Product]]:
    """What PyTorch carries, and the layers made of it."""
    from repoqa.models.few_bits import FewBitsLinear, Quarters, matrix
    from repoqa.models.half_linear import HalfLinear

    whole = torch.nn.Linear(INPUTS, OUTPUTS, bias=False)
    whole.weight.data = weight
    yield "fp32", torch.float32, whole
    yield "fp16, fbgemm", torch.float32, HalfLinear(weight)
    yield "8 bits, as taken", torch.float32, FewBitsLinear(matrix(weight, 8))
    yield "4 bits, as taken", torch.float32, FewBitsLinear(matrix(weight, 4))
    yield "4 bits, unpacked to fp32", torch.float32, FewBitsLinear(Quarters(weight))


def by_libraries(weight: torch.Tensor) -> Iterator[tuple[str, torch.dtype, Product]]:
    """torchao's 8 bits and bitsandbytes' 4."""
    for dtype in (torch.float32, torch.bfloat16):
        words = str(dtype).removeprefix("torch.")
        if find_spec("torchao"):
            from torchao.quantization import Int8WeightOnlyConfig, quantize_

            layer = torch.nn.Linear(INPUTS, OUTPUTS, bias=False, dtype=dtype)
            layer.weight.data = weight.to(dtype)
            quantize_(torch.nn.Sequential(layer), Int8WeightOnlyConfig())
            yield f"8 bits, torchao, {words}", dtype, layer
        if find_spec("bitsandbytes"):
            from bitsandbytes.nn import Linear4bit, Params4bit

            four = Linear4bit(INPUTS, OUTPUTS, bias=False, compute_dtype=dtype, quant_type="nf4")
            four.weight = Params4bit(weight.to(dtype), requires_grad=False, quant_type="nf4")
            yield f"4 bits, bitsandbytes, {words}", dtype, four.to("cpu")


def milliseconds(product: Product, values: torch.Tensor) -> float:
    """The median time of the product, after one that is not counted."""
    product(values)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        product(values)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


if __name__ == "__main__":
    main()
