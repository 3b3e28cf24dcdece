"""What a model has read and need not read again: the same words, and how much is read."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from checkpoints import CODE, byte_level_tokenizer, write_checkpoint

from repoqa.models.held import common
from repoqa.models.local import LocalModel
from repoqa.models.open import open_model
from repoqa.models.profile import Profile
from repoqa.protocols import Silent
from repoqa.records import Prompt, Segment

FIRST = (CODE, CODE, "why does login fail")
PROMPTS = (
    FIRST,
    (CODE, CODE, "and how do I fix it? " + CODE),  # longer than what is held has room for
    (CODE, "another end"),
    (CODE, CODE, "why does login fail"),
    ("nothing in common",),
    FIRST,
    FIRST,  # the same again
)


@dataclass
class Reads(Silent):
    """A Progress that counts the tokens that were read."""

    tokens: int = 0
    each: list[int] = field(default_factory=list)
    is_reading: bool = False

    def start(self, stage: str, *, total: int | None = None, unit: str = "") -> None:
        self.is_reading = stage == "Reading the prompt"
        if self.is_reading:
            assert total is not None
            self.each.append(total)

    def advance(self, amount: int = 1) -> None:
        self.tokens += amount if self.is_reading else 0


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("llama"), byte_level_tokenizer())


@pytest.fixture
def profile(checkpoint: Path) -> Profile:
    return Profile("tiny", "transformers", "chatml", "", weights=str(checkpoint), answer=20)


def prompt(*texts: str) -> Prompt:
    return Prompt((), tuple(Segment(text) for text in texts), tokens=0, exact=True)


def answer(model: LocalModel, given: Prompt, reads: Silent | None = None) -> str:
    return "".join(model.stream(given, progress=reads or Silent()))


def test_each_answer_is_that_of_a_model_that_holds_nothing(
    checkpoint: Path, profile: Profile
) -> None:
    model = LocalModel(profile, checkpoint)
    for texts in PROMPTS:
        anew = LocalModel(profile, checkpoint)
        assert answer(model, prompt(*texts)) == answer(anew, prompt(*texts))


def test_only_what_differs_is_read(checkpoint: Path, profile: Profile) -> None:
    model, reads = LocalModel(profile, checkpoint), Reads()
    for texts in PROMPTS:
        answer(model, prompt(*texts), reads)
    codec = model.codec
    first, more, end, *_ = ([t for text in each for t in codec.encode(text)] for each in PROMPTS)
    expected = [len(first), len(more) - common(first, more), len(end) - common(more, end)]
    assert reads.each[:3] == expected
    assert reads.each[-1] == 1, "the answer follows from the prompt's last token"
    assert reads.tokens == sum(reads.each)


def test_an_answer_that_was_stopped_leaves_what_was_read(
    checkpoint: Path, profile: Profile
) -> None:
    model, reads = LocalModel(profile, checkpoint), Reads()
    stream = model.stream(prompt(*FIRST), progress=reads)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    whole = answer(model, prompt(*FIRST), reads)
    assert reads.each[1] == 1
    assert whole == answer(LocalModel(profile, checkpoint), prompt(*FIRST))


def test_a_read_that_was_stopped_between_layers_is_held_as_far_as_all_have_it(
    checkpoint: Path, profile: Profile
) -> None:
    model, reads = LocalModel(profile, checkpoint), Reads()
    answer(model, prompt(CODE, "once"), reads)
    layers = model.loaded(1, progress=Silent()).layers

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    second = layers[1]
    layers[1] = dataclasses.replace(second, heads=stop)
    with pytest.raises(KeyboardInterrupt):
        answer(model, prompt(CODE, CODE, "twice"))
    layers[1] = second
    found = answer(model, prompt(CODE, CODE, "twice"), reads)
    assert found == answer(LocalModel(profile, checkpoint), prompt(CODE, CODE, "twice"))
    # The second layer has none of the stopped read.
    assert reads.each[1] == len(model.codec.encode(CODE)) + len(model.codec.encode("twice"))


def test_of_two_answers_at_once_the_second_begins_anew(checkpoint: Path, profile: Profile) -> None:
    model = LocalModel(profile, checkpoint)
    expected = [answer(LocalModel(profile, checkpoint), prompt(*each)) for each in PROMPTS[:2]]
    one = model.stream(prompt(*PROMPTS[0]), progress=Silent())
    begun = next(one)
    assert answer(model, prompt(*PROMPTS[1])) == expected[1]
    assert begun + "".join(one) == expected[0]


def test_a_process_keeps_the_model_that_ran_last(profile: Profile, tmp_path: Path) -> None:
    reads, told = Reads(), list[str]()
    for _ in range(2):
        model = open_model(profile, cache=tmp_path, progress=reads, note=told.append)
        "".join(model.stream(prompt(*FIRST), progress=reads))
    assert reads.each[1] == 1
    assert len(told) == 1, "weights are loaded once"
