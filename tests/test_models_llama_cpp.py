"""GGUF files by llama.cpp itself, in this process: a random Llama's words, and what goes wrong."""

from dataclasses import replace
from pathlib import Path

import pytest
from checkpoints import CODE, byte_level_tokenizer, write_checkpoint, write_gguf
from test_models_local import Recorded

from repoqa.errors import ModelError, UsageError
from repoqa.models.llama_cpp import LlamaCppModel
from repoqa.models.local import LocalModel
from repoqa.models.open import open_model
from repoqa.models.profile import Profile
from repoqa.models.survey import places, whereabouts, work_of
from repoqa.models.tokens import tokenizer_for
from repoqa.protocols import Silent
from repoqa.records import Prompt, Segment

pytest.importorskip("xllamacpp")
TEXTS = (
    Segment("<|im_start|>user\n", control=True),
    Segment(CODE + " <|im_end|> is text here"),
    Segment("<|im_end|>\n<|im_start|>assistant\n", control=True),
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    checkpoint = write_checkpoint(folder, byte_level_tokenizer())
    return write_gguf(folder / "tiny.gguf", checkpoint)


@pytest.fixture
def profile(weights: Path) -> Profile:
    return Profile("tiny", "llamacpp", "chatml", "", weights=str(weights), answer=24)


def prompt(*segments: Segment, tokens: int = 200) -> Prompt:
    return Prompt((), segments, tokens=tokens, exact=True)


def answer(model: LlamaCppModel, given: Prompt, progress: Recorded | None = None) -> str:
    return "".join(model.stream(given, progress=progress or Silent()))


def unheard(text: str) -> None:
    """Nothing is said."""


@pytest.fixture
def model(profile: Profile, weights: Path) -> LlamaCppModel:
    return LlamaCppModel(profile, weights, note=unheard)


def test_it_answers_what_pytorch_answers(
    model: LlamaCppModel, profile: Profile, weights: Path
) -> None:
    whole = replace(profile, engine="transformers", dtype="float32")
    expected = "".join(LocalModel(whole, weights.parent).stream(prompt(*TEXTS), progress=Silent()))
    found = answer(model, prompt(*TEXTS))
    # Its keys and values have 16 bits: a random model's next best token may be as good.
    assert found[:8] == expected[:8]
    assert len(found) > 8


def test_only_the_chat_format_has_control_tokens(model: LlamaCppModel) -> None:
    model._open(300, progress=Silent())
    tokenizer = byte_level_tokenizer()
    tokenizer.encode_special_tokens = True
    text = tokenizer.encode(TEXTS[1].text, add_special_tokens=False).ids
    with model._client() as client:
        ids = model._encode(prompt(*TEXTS), client)
    assert [token for token in ids if token < 3] == [1, 2, 1]
    assert ids[ids.index(text[0]) :][: len(text)] == text


def test_what_was_read_is_not_read_again_and_progress_is_told(model: LlamaCppModel) -> None:
    first, again = Recorded(), Recorded()
    said = answer(model, prompt(*TEXTS), first)
    assert answer(model, prompt(*TEXTS), again) == said
    [loading, reading] = first.stages
    assert loading == ("Loading tiny", None)
    assert reading[0] == "Reading the prompt"
    assert reading[1] == sum(first.amounts)
    assert not first.open
    assert [stage for stage, _ in again.stages] == ["Reading the prompt"]


def test_a_count_that_was_too_low_and_a_longer_prompt_get_a_longer_window(
    model: LlamaCppModel,
) -> None:
    short = answer(model, prompt(*TEXTS, tokens=5))
    assert short == answer(model, prompt(*TEXTS, tokens=200))
    longer = prompt(*(TEXTS[:2] * 4), TEXTS[2], tokens=700)
    assert len(answer(model, longer)) > 8


def test_closing_the_stream_stops_it_and_the_next_question_is_answered(
    model: LlamaCppModel,
) -> None:
    whole = answer(model, prompt(*TEXTS))
    stream = model.stream(prompt(*TEXTS), progress=Silent())
    assert whole.startswith(next(stream))
    stream.close()  # type: ignore[attr-defined]
    assert not list(stream)
    assert answer(model, prompt(*TEXTS)) == whole


def test_a_prompt_over_the_maximum_is_refused(profile: Profile, weights: Path) -> None:
    small = LlamaCppModel(replace(profile, maximum=50), weights, note=unheard)
    with pytest.raises(ModelError, match="tokens, tiny reads 50"):
        answer(small, prompt(*TEXTS))


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x03\x04 a pickle"])
def test_a_file_that_does_not_load_is_told(
    profile: Profile, tmp_path: Path, content: bytes
) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged\.gguf does not load") as caught:
        answer(LlamaCppModel(profile, damaged, note=unheard), prompt(*TEXTS))
    assert "GGUF" in caught.value.remedy


def test_positions_are_stretched_past_the_trained_window(profile: Profile, weights: Path) -> None:
    told: list[str] = []
    short = replace(profile, trained_window=128)
    model = LlamaCppModel(short, weights, note=told.append)
    plain = answer(LlamaCppModel(profile, weights, note=unheard), prompt(*TEXTS))
    assert answer(model, prompt(*TEXTS)) != plain
    assert told == [
        "256 tokens are past the 128 it was trained on: positions are scaled by yarn, factor 2"
    ]
    other = LlamaCppModel(replace(short, rope="llama3"), weights, note=unheard)
    with pytest.raises(UsageError, match="does not scale positions by llama3"):
        answer(other, prompt(*TEXTS))


def test_the_profile_is_known_everywhere(profile: Profile, weights: Path, tmp_path: Path) -> None:
    model = open_model(profile, cache=tmp_path, progress=Silent())
    assert isinstance(model, LlamaCppModel)
    assert whereabouts(profile, cache=tmp_path) == "here, 0 MB"
    assert tokenizer_for(profile, cache=tmp_path).exact, "its tokenizer.json lies beside it"
    alone = tmp_path / "alone.gguf"
    missing = replace(profile, weights=str(alone))
    assert whereabouts(missing, cache=tmp_path) == f"not here: {alone}"
    with pytest.raises(ModelError, match="there is no file"):
        open_model(missing, cache=tmp_path, progress=Silent())
    alone.write_bytes(weights.read_bytes())
    assert not tokenizer_for(missing, cache=tmp_path).exact
    with pytest.raises(UsageError, match="does not tell the model's sizes"):
        work_of(profile, 100, cache=tmp_path)


def test_its_memory_is_planned_from_the_file(profile: Profile, tmp_path: Path) -> None:
    from repoqa.models.plan import need, settings
    from repoqa.models.profile import load_profile

    shape = load_profile("codellama-7b").shape
    file = tmp_path / "q4.gguf"
    with file.open("wb") as sparse:
        sparse.truncate(4 * 2**30)
    work = work_of(replace(profile, weights=str(file), shape=shape), 4096, cache=tmp_path)
    cpu = places(replace(profile, weights=str(file)), cache=tmp_path)[0]
    [setting] = settings(work, cpu)
    assert (setting.weights, setting.cache) == (4, 16)
    assert need(work, setting, cpu).weights == 4 * 2**30
