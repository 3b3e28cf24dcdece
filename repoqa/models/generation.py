"""The answer, token by token: a prompt is read in chunks, then each token is chosen from logits.

A plain generator is all there is: it does nothing between two tokens, so closing it or Ctrl-C
stops the work at once, and what the model raises reaches the reader by itself. A streamer on a
thread of its own, as transformers' `generate` needs one, has to arrange all three, and adds its
own bookkeeping to each token.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from repoqa.errors import ModelError
from repoqa.models.causal_mask import causal_mask
from repoqa.models.device import chunk_for
from repoqa.models.few_bits import FewBitsLinear
from repoqa.models.held import Held
from repoqa.models.key_values import filled, rewind
from repoqa.models.llama import Llama
from repoqa.models.lookup import MOST_GUESSED, Lookup
from repoqa.models.threads import Threads
from repoqa.protocols import Progress

# What is known of the machine holds for the next answer too.
threads = Threads()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. Temperature 0 takes the likeliest; else chance decides, by the seed.

    `limit` is the most tokens answered, `ends` are the ids that end the answer. The repetition
    penalty (Keskar et al. 2019, arXiv 1909.05858) weighs on the answer's own tokens alone: the
    prompt is code whose names the answer is to repeat.
    """

    limit: int
    ends: frozenset[int]
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0


def generate(
    model: Any,
    prompt: Sequence[int],
    sampling: Sampling,
    *,
    progress: Progress,
    held: Held | None = None,
) -> Iterator[int]:
    """Yield the ids of the answer to `prompt`, without the one that ends it.

    What `held` has of the prompt is not read again; in the end it has this prompt and answer.
    Raises ModelError where memory runs out or the numbers are not finite.
    """
    held = held or Held()
    shared = held.begin(model.config, prompt, room=len(prompt) + sampling.limit + MOST_GUESSED)
    cache = held.cache
    chunk = chunk_for(model.device.type)
    randomness = torch.Generator(device=model.device).manual_seed(sampling.seed)
    behind = read(model, prompt[shared:], cache, chunk=chunk, progress=progress)[None]
    lookup = Lookup() if _checks_cheaply(model) else None
    answer: list[int] = []
    guessed: list[int] = []
    while True:
        with threads.limited():
            said, is_over = _said(
                behind, guessed, sampling=sampling, answer=answer, randomness=randomness
            )
        answer += said
        held.tokens += said
        if guessed:  # forgets the wrong ones; the last token said is read with the next guesses
            rewind(cache, len(held.tokens) - (0 if is_over else 1))
        yield from said
        if is_over or len(answer) == sampling.limit:
            return
        guessed = lookup.guess(held.tokens) if lookup else []
        behind = _forward(model, (answer[-1], *guessed), cache, keep=len(guessed) + 1)


def _checks_cheaply(model: Any) -> bool:
    """Whether a few tokens take little longer than one, as they do in fp32 on a CPU. The products
    with weights in few bits do not: four rows take 1.5 to 1.8 times as long as one."""
    is_exact = isinstance(model, Llama) and model.is_exact
    return is_exact and not isinstance(model.head, FewBitsLinear)


def _said(
    behind: torch.Tensor,
    guessed: Sequence[int],
    *,
    sampling: Sampling,
    answer: Sequence[int],
    randomness: torch.Generator,
) -> tuple[list[int], bool]:
    """The tokens that the logits `[guessed + 1, vocabulary]` choose, as far as they were guessed
    and one more; and whether an end, which is not among them, came."""
    said: list[int] = []
    for place, logits in enumerate(behind):
        token = choose(logits, [*answer, *said], sampling, randomness=randomness)
        if token in sampling.ends:
            return said, True
        said.append(token)
        is_last = len(answer) + len(said) == sampling.limit
        if is_last or guessed[place : place + 1] != [token]:
            break
    return said, False


def read(
    model: Any, prompt: Sequence[int], cache: Any, *, chunk: int, progress: Progress
) -> torch.Tensor:
    """Fill `cache` with the prompt, `chunk` tokens at once; return the logits of what follows."""
    held = filled(cache)
    with _guarded():
        masks = causal_mask(model, chunk=min(chunk, len(prompt)), tokens=held + len(prompt))
    progress.start("Reading the prompt", total=len(prompt), unit="tokens")
    try:
        for start in range(0, len(prompt), chunk):
            tokens = prompt[start : start + chunk]
            mask = masks.of(held + start, len(tokens)) if masks else None
            logits = _forward(model, tokens, cache, mask=mask)[0]
            progress.advance(len(tokens))
    finally:
        progress.finish()
    return logits


def choose(
    logits: torch.Tensor,
    answer: Sequence[int],
    sampling: Sampling,
    *,
    randomness: torch.Generator,
) -> int:
    """The next token's id."""
    if sampling.repetition_penalty != 1.0 and answer:
        said = torch.tensor(sorted(set(answer)), device=logits.device)
        scores = logits[said]
        logits = logits.clone()
        logits[said] = torch.where(
            scores > 0, scores / sampling.repetition_penalty, scores * sampling.repetition_penalty
        )
    if sampling.temperature == 0:
        return int(logits.argmax())
    likely = (logits / sampling.temperature).softmax(-1)
    if sampling.top_p < 1:
        likely = _nucleus(likely, sampling.top_p)
    return int(likely.multinomial(1, generator=randomness))


def _nucleus(likely: torch.Tensor, top_p: float) -> torch.Tensor:
    """Only the likeliest tokens that together reach `top_p` (Holtzman et al. 2020)."""
    ordered, tokens = likely.sort(descending=True)
    # The token that crosses the line still belongs to it.
    outside = ordered.cumsum(-1) - ordered >= top_p
    return likely.index_fill(0, tokens[outside], 0.0)


def _forward(
    model: Any,
    tokens: Sequence[int],
    cache: Any,
    *,
    mask: torch.Tensor | None = None,
    keep: int = 1,
) -> torch.Tensor:
    """The logits behind the last `keep` of `tokens`, in fp32; `cache` grows by them."""
    computing = threads.working(len(tokens)) if model.device.type == "cpu" else nullcontext()
    with _guarded(), computing:
        output = model(
            input_ids=torch.tensor([tokens], device=model.device),
            attention_mask=mask,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=keep,
        )
        logits: torch.Tensor = output.logits[0].float()
        return _finite(logits)


@contextmanager
def _guarded() -> Iterator[None]:
    """The model at work. Raises ModelError where memory runs out."""
    # Entered for each call: a mode left on across a yield would hold for the reader as well.
    with torch.inference_mode():
        try:
            yield
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise ModelError(
                "memory ran out while the model was working",
                remedy="Ask with a smaller --budget, or close other programs.",
            ) from error


def _finite(logits: torch.Tensor) -> torch.Tensor:
    if not bool(logits.isfinite().all()):
        raise ModelError(
            "the model produced numbers that are not finite",
            remedy="Its weights may be damaged: download them again.",
        )
    return logits


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device has no memory left: the CPU's allocator raises a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)
