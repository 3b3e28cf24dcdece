"""The built-in model itself: its tokens, its chat format, its answers."""

from pathlib import Path

import pytest

from repoqa.models.local import LocalModel
from repoqa.models.profile import load_profile
from repoqa.models.tokens import codec_of, tokenizer_for
from repoqa.models.weights import ensure_checkpoint
from repoqa.prompts.templates import chatml
from repoqa.protocols import Silent
from repoqa.records import Message, Prompt

pytestmark = pytest.mark.slow
PROFILE = load_profile("smollm2-135m")
MESSAGES = (
    Message("system", "You answer in one word."),
    Message("user", "What is the capital of France?"),
)


@pytest.fixture(scope="module")
def checkpoint(embedded_cache: Path) -> Path:
    return ensure_checkpoint(PROFILE, cache=embedded_cache, progress=Silent())


def prompt(*messages: Message) -> Prompt:
    return Prompt(messages, chatml(messages), tokens=0, exact=True)


def test_its_tokens_are_counted_exactly(embedded_cache: Path, checkpoint: Path) -> None:
    tokenizer = tokenizer_for(PROFILE, cache=embedded_cache)
    assert tokenizer.exact
    # Digits stand alone in the original's tokens; the GGUF alone does not say so.
    assert tokenizer.encode("    1 + 22\n")[:2] == [289, 33]
    assert tokenizer.count("1234567890") == 10


def test_its_chat_format_is_the_one_rendered(checkpoint: Path) -> None:
    jinja2 = pytest.importorskip("jinja2")
    template = jinja2.Template((checkpoint / "chat_template.jinja").read_text())
    rendered = template.render(
        messages=[{"role": message.role, "content": message.content} for message in MESSAGES],
        add_generation_prompt=True,
    )
    segments = chatml(MESSAGES)
    assert "".join(segment.text for segment in segments) == rendered
    codec = codec_of(checkpoint, name="smollm2")
    ids = [
        token
        for segment in segments
        for token in (codec.control if segment.control else codec.encode)(segment.text)
    ]
    assert ids == codec.control(rendered)


def test_it_answers(checkpoint: Path) -> None:
    model = LocalModel(PROFILE, checkpoint)
    answer = "".join(model.stream(prompt(*MESSAGES), progress=Silent()))
    assert "Paris" in answer
    assert "<|im_end|>" not in answer
