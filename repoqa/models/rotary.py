"""Rotary positions (RoPE, Su et al. 2021, arXiv 2104.09864): by how much a head's numbers are
turned at a token's place. Scaled ones are transformers', whose import takes longer than PyTorch's.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch

from repoqa.models.checkpoint import Config

Rotary: TypeAlias = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""Positions, `[n]`, to what each token's numbers are multiplied with, `[n, head size]`, in fp32:
themselves by the cosines, and each half by the sines with the other."""


def rotary(
    config: Config,
    device: str,
    *,
    parameters: Mapping[str, Any] | None,
    theirs: Callable[[], Any],
) -> Rotary:
    """Those of the config, or of other rope `parameters` in place of its own; `theirs` gives
    transformers' form of a config with them.

    Raises ValueError or KeyError for parameters that transformers does not know.
    """
    used = config.trained().scaling if parameters is None else parameters
    if used["rope_type"] == "default":
        return _plain(config.head_size, float(used.get("rope_theta", config.theta)), device)
    return _scaled(theirs(), device)


def _plain(size: int, theta: float, device: str) -> Rotary:
    steps = torch.arange(0, size, 2, dtype=torch.float, device=device)
    frequencies = 1.0 / theta ** (steps / size)

    def turned(positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        angles = positions[:, None].float() * frequencies
        both = torch.cat((angles, angles), -1)
        return both.cos(), both.sin()

    return turned


def _scaled(theirs: Any, device: str) -> Rotary:
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    embedding = LlamaRotaryEmbedding(theirs).to(device)
    numbers = torch.empty(0, device=device)  # of the type and the place that come out

    def turned(positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        cosines, sines = embedding(numbers, positions[None])
        return cosines[0], sines[0]

    return turned
