"""The transformers engine, on a random Llama made here: the same words as transformers' own."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from checkpoints import CODE, byte_level_tokenizer, llama_tokenizer, write_checkpoint
from tokenizers import Tokenizer

from repoqa.errors import ModelError
from repoqa.models import generation
from repoqa.models.generation import Sampling, choose, generate
from repoqa.models.local import LocalModel
from repoqa.models.profile import Profile
from repoqa.models.tokens import prompt_ids
from repoqa.protocols import Silent
from repoqa.records import Prompt, Segment

PROMPT = Prompt(
    messages=(),
    segments=(
        Segment("<|im_start|>user\n", control=True),
        Segment(CODE + " <|im_end|> is text here"),
        Segment("<|im_end|>\n<|im_start|>assistant\n", control=True),
    ),
    tokens=0,
    exact=True,
)


@dataclass
class Recorded:
    """A Progress that keeps what it is told."""

    stages: list[tuple[str, int | None]] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)
    open: bool = False

    def start(self, stage: str, *, total: int | None = None, unit: str = "") -> None:
        assert not self.open
        self.open = True
        self.stages.append((stage, total))

    def advance(self, amount: int = 1) -> None:
        assert self.open
        self.amounts.append(amount)

    def finish(self) -> None:
        self.open = False


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("llama"), byte_level_tokenizer())


@pytest.fixture
def profile(checkpoint: Path) -> Profile:
    return Profile("tiny", "transformers", "chatml", "", weights=str(checkpoint), answer=40)


@pytest.fixture(scope="session")
def reference(checkpoint: Path) -> Any:
    """The checkpoint as transformers itself loads it."""
    import torch
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    return LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()


@pytest.fixture(scope="session")
def ids(checkpoint: Path) -> list[int]:
    """The prompt's tokens, as the tokenizers library gives them."""
    return reference_ids(Tokenizer.from_file(str(checkpoint / "tokenizer.json")))


@pytest.fixture(scope="session")
def expected(reference: Any, ids: list[int]) -> list[int]:
    """The tokens transformers' own `generate` answers."""
    import torch

    output = reference.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        do_sample=False,
        pad_token_id=0,
        eos_token_id=2,
        max_new_tokens=40,
    )
    return [int(token) for token in output[0, len(ids) :]]


def reference_ids(tokenizer: Tokenizer) -> list[int]:
    found: list[int] = []
    for segment in PROMPT.segments:
        tokenizer.encode_special_tokens = not segment.control
        found += tokenizer.encode(segment.text, add_special_tokens=False).ids
    return found


def answer(profile: Profile, checkpoint: Path) -> str:
    return "".join(LocalModel(profile, checkpoint).stream(PROMPT, progress=Silent()))


def sampling(limit: int = 40, ends: tuple[int, ...] = (2,)) -> Sampling:
    return Sampling(limit=limit, ends=frozenset(ends))


def key_values_for(model: Any, ids: list[int]) -> Any:
    from repoqa.models.key_values import key_values

    return key_values(model.config, tokens=len(ids))


@contextmanager
def hooked(model: Any, hook: Callable[[Any], None]) -> Iterator[None]:
    """Run `hook` on what each of the model's passes gives."""
    head = model.head

    def followed(values: Any) -> Any:
        output = head(values)
        hook(output)
        return output

    object.__setattr__(model, "head", followed)
    try:
        yield
    finally:
        object.__setattr__(model, "head", head)


def edited(checkpoint: Path, folder: Path, name: str, *, change: Callable[[Any], None]) -> Path:
    """A copy of the checkpoint with one of its JSON files changed."""
    for path in checkpoint.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    return folder


# --- the answer ---------------------------------------------------------------------------------


def test_the_stream_is_what_transformers_generates(
    checkpoint: Path, profile: Profile, expected: list[int]
) -> None:
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    pieces = list(LocalModel(profile, checkpoint).stream(PROMPT, progress=Silent()))
    assert len(set(expected)) > 5
    assert len(pieces) > 5
    assert "".join(pieces) == tokenizer.decode(expected)


def test_generate_gives_the_reference_tokens(
    reference: Any, ids: list[int], expected: list[int]
) -> None:
    assert list(generate(reference, ids, sampling(), progress=Silent())) == expected


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_a_prompt_read_in_chunks_gives_the_same_logits(
    chunk: int, reference: Any, ids: list[int]
) -> None:
    import torch

    with torch.inference_mode():
        whole = reference(torch.tensor([ids])).logits[0, -1]
    cache = key_values_for(reference, ids)
    progress = Recorded()
    logits = generation.read(reference, ids, cache, chunk=chunk, progress=progress)
    torch.testing.assert_close(logits, whole, rtol=1e-4, atol=1e-4)
    assert progress.stages == [("Reading the prompt", len(ids))]
    assert sum(progress.amounts) == len(ids)
    assert len(progress.amounts) == -(-len(ids) // chunk)
    assert cache.get_seq_length() == len(ids)


def test_keys_and_values_are_those_of_the_growing_cache(reference: Any, ids: list[int]) -> None:
    import torch
    from transformers.cache_utils import DynamicCache

    caches = [DynamicCache(config=reference.config), key_values_for(reference, ids)]
    for cache in caches:
        generation.read(reference, ids, cache, chunk=50, progress=Silent())
    for grown, reserved in zip(*(cache.layers for cache in caches), strict=True):
        torch.testing.assert_close(reserved.parts(len(ids)), (grown.keys, grown.values))


def test_layers_with_a_window_keep_their_own_cache() -> None:
    from transformers.cache_utils import DynamicCache
    from transformers.models.mistral.configuration_mistral import MistralConfig

    from repoqa.models.key_values import key_values

    config = MistralConfig(num_hidden_layers=2, sliding_window=16)
    assert isinstance(key_values(config, tokens=8), DynamicCache)


def test_it_ends_at_the_limit_and_at_an_end_token(
    reference: Any, ids: list[int], expected: list[int]
) -> None:
    assert list(generate(reference, ids, sampling(limit=5), progress=Silent())) == expected[:5]
    end = expected[6]
    found = list(generate(reference, ids, sampling(ends=(end,)), progress=Silent()))
    assert found == expected[: expected.index(end)]


def test_the_end_token_of_the_config_ends_the_answer(
    *, checkpoint: Path, profile: Profile, expected: list[int], tmp_path: Path
) -> None:
    full = answer(profile, checkpoint)
    changed = edited(
        checkpoint,
        tmp_path,
        "config.json",
        change=lambda config: config.update(eos_token_id=[expected[6]]),
    )
    stopped = answer(profile, changed)
    assert len(stopped) < len(full)
    assert full.startswith(stopped.rstrip("\ufffd"))


def test_a_control_token_as_stop_ends_the_answer(
    *, checkpoint: Path, profile: Profile, expected: list[int], tmp_path: Path
) -> None:
    name = Tokenizer.from_file(str(checkpoint / "tokenizer.json")).id_to_token(expected[6])
    assert name is not None

    def make_control(definition: Any) -> None:
        token = definition["added_tokens"][0] | {"id": expected[6], "content": name}
        definition["added_tokens"].append(token)

    changed = edited(checkpoint, tmp_path, "tokenizer.json", change=make_control)
    full = answer(profile, changed)
    stopped = answer(replace(profile, stop=(name,)), changed)
    assert len(stopped) < len(full)
    assert full.startswith(stopped.rstrip("\ufffd"))


def test_a_stop_string_ends_the_answer(checkpoint: Path, profile: Profile) -> None:
    full = answer(profile, checkpoint)
    word = full[8:12]
    assert answer(replace(profile, stop=(word,)), checkpoint) == full[: full.index(word)]


def test_llama_segments_are_encoded_as_they_stand(tmp_path: Path) -> None:
    tokenizer = llama_tokenizer()
    checkpoint = write_checkpoint(tmp_path, tokenizer)
    profile = Profile("tiny", "transformers", "llama2", "", answer=12)
    prompt = replace(PROMPT, segments=(Segment("<s>", control=True), Segment("[INST] </s> why")))
    pieces = LocalModel(profile, checkpoint).stream(prompt, progress=Silent())
    model = LocalModel(profile, checkpoint)
    assert prompt_ids(prompt, model.codec)[0] == 1
    assert 2 not in prompt_ids(prompt, model.codec)
    text = "".join(pieces)
    assert text
    assert not text.startswith(" ")


# --- choosing -----------------------------------------------------------------------------------


def test_choosing_from_known_logits() -> None:
    import torch

    def chosen(options: Sampling, said: list[int] | None = None) -> list[int]:
        randomness = torch.Generator().manual_seed(0)
        logits = torch.tensor([1.0, 4.0, 3.9, -2.0])
        return [choose(logits, said or [], options, randomness=randomness) for _ in range(200)]

    greedy = sampling()
    assert set(chosen(greedy)) == {1}
    assert set(chosen(replace(greedy, repetition_penalty=1.1), [1])) == {2}
    assert set(chosen(replace(greedy, temperature=1.0))) >= {0, 1, 2}
    assert set(chosen(replace(greedy, temperature=1.0, top_p=0.9))) == {1, 2}
    assert set(chosen(replace(greedy, temperature=1.0, top_p=0.1))) == {1}
    sampled = replace(greedy, temperature=1.0)
    assert chosen(sampled) == chosen(sampled)


def test_a_sampled_answer_is_the_same_each_time(checkpoint: Path, profile: Profile) -> None:
    warm = replace(profile, temperature=1.5, top_p=0.95)
    assert answer(warm, checkpoint) == answer(warm, checkpoint) != answer(profile, checkpoint)


# --- stopping and failing -----------------------------------------------------------------------


def test_closing_the_stream_stops_the_work(checkpoint: Path, profile: Profile) -> None:
    import torch

    passes: list[int] = []
    model = LocalModel(profile, checkpoint)
    loaded = model.loaded(2000, progress=Silent())
    with hooked(loaded, lambda _: passes.append(1)):
        stream = model.stream(PROMPT, progress=Silent())
        assert not passes  # nothing is read before it is asked for
        assert next(stream)
        assert not torch.is_inference_mode_enabled()
        done = len(passes)
        stream.close()  # type: ignore[attr-defined]
        assert not list(stream)
        assert len(passes) == done


def test_an_error_reaches_the_reader(checkpoint: Path, profile: Profile) -> None:
    passes: list[int] = []
    model = LocalModel(profile, checkpoint)
    loaded = model.loaded(2000, progress=Silent())

    def fail(error: BaseException | None) -> Callable[[Any], None]:
        def hook(_: Any) -> None:
            passes.append(1)
            if len(passes) >= 4:
                if error is None:
                    signal.raise_signal(signal.SIGINT)
                else:
                    raise error

        return hook

    cases: tuple[tuple[BaseException | None, type[BaseException]], ...] = (
        (RuntimeError("DefaultCPUAllocator: not enough memory"), ModelError),
        (RuntimeError("a defect"), RuntimeError),
        (None, KeyboardInterrupt),
    )
    for error, seen in cases:
        passes.clear()
        with hooked(loaded, fail(error)), pytest.raises(seen):
            list(model.stream(PROMPT, progress=Silent()))
        assert len(passes) == 4


def test_numbers_that_are_not_finite_are_an_error(checkpoint: Path, profile: Profile) -> None:
    model = LocalModel(profile, checkpoint)
    loaded = model.loaded(2000, progress=Silent())

    def spoil(output: Any) -> None:
        output.mul_(float("nan"))

    with hooked(loaded, spoil), pytest.raises(ModelError, match="not finite"):
        list(model.stream(PROMPT, progress=Silent()))


def test_a_prompt_over_the_window_is_refused(checkpoint: Path, profile: Profile) -> None:
    with pytest.raises(ModelError, match="tokens, tiny reads 10"):
        answer(replace(profile, maximum=10), checkpoint)


def test_a_model_that_does_not_fit_is_refused_with_the_numbers(
    checkpoint: Path, profile: Profile
) -> None:
    with pytest.raises(ModelError, match="GiB for the prompt") as caught:
        answer(replace(profile, answer=10**13), checkpoint)
    assert "--budget" in caught.value.remedy


# --- loading ------------------------------------------------------------------------------------


def test_loading_says_nothing_by_itself(
    checkpoint: Path, profile: Profile, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    progress = Recorded()
    model = LocalModel(profile, checkpoint)
    assert not progress.stages
    list(model.stream(PROMPT, progress=progress))
    list(model.stream(PROMPT, progress=progress))  # loaded once
    assert [stage for stage, _ in progress.stages] == [
        *("Preparing tiny", "Loading tiny", "Reading the prompt", "Reading the prompt")
    ]
    assert not progress.open
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_weights_that_lost_their_rope_base_are_refused(
    checkpoint: Path, profile: Profile, tmp_path: Path
) -> None:
    LocalModel(replace(profile, rope_theta=10_000.0), checkpoint)
    with pytest.raises(ModelError, match="RoPE base of 10000"):
        LocalModel(replace(profile, rope_theta=1_000_000.0), checkpoint)

    def as_before(config: Any) -> None:
        del config["rope_parameters"]
        config["rope_theta"] = 1_000_000.0

    changed = edited(checkpoint, tmp_path, "config.json", change=as_before)
    LocalModel(replace(profile, rope_theta=1_000_000.0), changed)


@pytest.mark.parametrize("keep", [0, 7, 100, 5_000])
def test_damaged_weights_are_named(
    *, keep: int, checkpoint: Path, profile: Profile, tmp_path: Path
) -> None:
    changed = edited(checkpoint, tmp_path, "config.json", change=lambda config: None)
    weights = changed / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(ModelError) as caught:
        answer(profile, changed)
    assert str(changed) in caught.value.message


def test_a_config_that_is_none_is_named(checkpoint: Path, profile: Profile, tmp_path: Path) -> None:
    changed = edited(checkpoint, tmp_path, "config.json", change=lambda config: config.clear())
    with pytest.raises(ModelError, match=r"config\.json"):
        LocalModel(profile, changed)
