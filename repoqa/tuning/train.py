"""Trains a LoRA adapter: a plain loop over examples, whose every step follows from the recipe.

The loss is on what the model is to say alone. Examples are read one by one, without padding, and
their gradients added up to a batch: memory is that of one example. The base weights stay as they
are. On a CPU the same recipe gives the same adapter, to the last bit, stopped and resumed or not.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from repoqa.errors import ModelError
from repoqa.models.adapter import beside
from repoqa.models.checkpoint import read_config
from repoqa.models.device import Device
from repoqa.models.generation import is_out_of_memory
from repoqa.models.load import load_trainable
from repoqa.models.profile import Profile
from repoqa.tuning.encode import Encoded
from repoqa.tuning.recipe import Recipe, batches, rate_at, step_count

DROPOUT = 0.05
"""As in the paper that LoRA's users follow for small data (QLoRA, arXiv 2305.14314)."""
LARGEST_GRADIENT = 1.0


def adapted(profile: Profile, checkpoint: Path, recipe: Recipe, *, device: Device) -> Any:
    """The base model with an adapter beside all of its linear layers that changes nothing yet."""
    from peft import LoraConfig

    model = load_trainable(checkpoint, read_config(profile, checkpoint), device)
    torch.manual_seed(recipe.seed)
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=DROPOUT,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    model = beside(model, config)
    # Not where the weights lie on this machine, which the library notes.
    config.base_model_name_or_path = profile.name if profile.wheel else profile.weights
    return model


def optimizer_of(model: Any) -> torch.optim.AdamW:
    """The optimizer of the adapter's matrices."""
    return torch.optim.AdamW([weights for _, weights in trained(model)], weight_decay=0.0)


def trained(model: Any) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """The adapter's matrices, by name."""
    return ((name, part) for name, part in model.named_parameters() if part.requires_grad)


def train(
    model: Any,
    optimizer: torch.optim.Optimizer,
    examples: Sequence[Encoded],
    *,
    recipe: Recipe,
    done: int = 0,
) -> Iterator[float]:
    """Take the steps after the first `done`, yielding each one's mean loss, in nats a token.

    Raises ModelError where memory runs out or the loss is no number any more.
    """
    total = step_count(recipe, len(examples))
    model.train()
    for step, batch in islice(enumerate(batches(recipe, len(examples))), done, total):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(recipe, step, total)
        yield _step(model, optimizer, [examples[number] for number in batch])


def _step(model: Any, optimizer: torch.optim.Optimizer, batch: Sequence[Encoded]) -> float:
    tokens = sum(len(example.target) for example in batch)
    loss = 0.0
    for example in batch:
        try:
            part = surprise(model, example) / tokens
            part.backward()  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise ModelError(
                "memory ran out while the model was trained",
                remedy="Train with a smaller --length, or close other programs.",
            ) from error
        loss += float(part.detach())
    weights = [weights for group in optimizer.param_groups for weights in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(weights, LARGEST_GRADIENT)
    if not bool(torch.isfinite(norm)):
        raise ModelError(
            "the loss is no number any more", remedy="Train anew with a smaller --rate."
        )
    optimizer.step()
    optimizer.zero_grad()
    return loss


def surprise(model: Any, example: Encoded) -> torch.Tensor:
    """The negative log-probability, in nats, of all that the example says."""
    said = len(example.target)
    ids = torch.tensor([[*example.prompt, *example.target]], device=model.device)
    # Before the first token that is said, and before each one after it.
    logits = model(input_ids=ids, use_cache=False, logits_to_keep=said + 1).logits[0, :-1]
    return torch.nn.functional.cross_entropy(logits.float(), ids[0, -said:], reduction="sum")
