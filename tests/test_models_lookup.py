"""Guessed tokens: which ones, and that they change no word of an answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from checkpoints import CODE, byte_level_tokenizer, write_checkpoint
from hypothesis import given
from hypothesis import strategies as st

from repoqa.models.local import LocalModel
from repoqa.models.lookup import MOST_GUESSED, Lookup
from repoqa.models.profile import Profile
from repoqa.protocols import Silent

ANSWER = 60


def test_what_stood_behind_the_last_two_is_guessed() -> None:
    lookup = Lookup()
    assert lookup.guess([1, 2, 3, 4, 5, 6, 1, 2]) == [3, 4, 5]
    assert lookup.guess([1, 2, 3, 4, 5, 6, 1, 2, 9]) == []
    # The place that it stood at last.
    assert lookup.guess([1, 2, 3, 4, 5, 6, 1, 2, 9, 1, 2]) == [9, 1, 2]


@pytest.mark.parametrize("tokens", [[], [1], [1, 1], [1, 2, 3]])
def test_nothing_is_guessed_where_nothing_stood_before(tokens: list[int]) -> None:
    assert Lookup().guess(tokens) == []


@given(st.lists(st.integers(0, 4), max_size=40), st.data())
def test_it_guesses_the_same_however_the_tokens_came(tokens: list[int], data: Any) -> None:
    lookup = Lookup()
    lookup.guess(tokens[: data.draw(st.integers(0, len(tokens)))])
    found = lookup.guess(tokens)
    assert found == Lookup().guess(tokens)
    pairs = [tokens[place - 2 : place] for place in range(2, len(tokens))]
    places = [place for place, pair in enumerate(pairs, 2) if pair == tokens[-2:]]
    expected = tokens[places[-1] :][:MOST_GUESSED] if places else []
    assert found == expected


# --- answers with them --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("llama"), byte_level_tokenizer())


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens each pass has."""
    from repoqa.models.llama import Llama

    found: list[int] = []
    own = Llama.__call__

    def counted(model: Llama, input_ids: Any, *given: Any, **named: Any) -> Any:
        found.append(input_ids.shape[1])
        return own(model, input_ids, *given, **named)

    monkeypatch.setattr(Llama, "__call__", counted)
    return found


def answered(checkpoint: Path, **changes: Any) -> tuple[list[str], list[str]]:
    """The pieces of an answer and of one that follows up on it."""
    profile = Profile("tiny", "transformers", "chatml", "", answer=ANSWER, **changes)
    model = LocalModel(profile, checkpoint)
    ids = model.codec.encode(CODE)
    first = list(model.continued(ids, progress=Silent()))
    assert model._held is not None
    longer = [*model._held.tokens, *ids[:20]]
    return first, list(model.continued(longer, progress=Silent()))


@pytest.mark.parametrize(
    "changes",
    [{}, {"repetition_penalty": 1.3}, {"temperature": 0.7, "top_p": 0.9}, {"temperature": 2.0}],
)
def test_an_answer_is_the_same_whatever_was_guessed(
    *,
    checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    passes: list[int],
    changes: dict[str, Any],
) -> None:
    with_lookup = answered(checkpoint, **changes)

    def wrong(_: Lookup, tokens: Sequence[int]) -> list[int]:
        return [8, tokens[-1], 7]

    monkeypatch.setattr(Lookup, "guess", wrong)
    assert answered(checkpoint, **changes) == with_lookup
    assert 4 in passes
    passes.clear()
    monkeypatch.setattr(Lookup, "guess", lambda *_: [])
    assert answered(checkpoint, **changes) == with_lookup
    # The first token follows from the prompt.
    assert passes.count(1) == 2 * (ANSWER - 1)


def test_right_guesses_are_read_at_once(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, passes: list[int]
) -> None:
    profile = Profile("tiny", "transformers", "chatml", "", answer=ANSWER)
    model = LocalModel(profile, checkpoint)
    ids = model.codec.encode(CODE)
    expected = list(model.continued(ids, progress=Silent()))
    assert model._held is not None
    known = list(model._held.tokens)
    passes.clear()
    monkeypatch.setattr(Lookup, "guess", lambda _, told: known[len(told) :][:MOST_GUESSED])
    assert list(model.continued(ids, progress=Silent())) == expected
    # One for the prompt's last token, which gives the first; then four tokens each.
    assert passes == [1, *[MOST_GUESSED + 1] * (ANSWER // (MOST_GUESSED + 1))]


def test_what_was_stopped_between_guesses_is_held_as_it_is(checkpoint: Path) -> None:
    profile = Profile("tiny", "transformers", "chatml", "", answer=ANSWER)
    model = LocalModel(profile, checkpoint)
    ids = model.codec.encode(CODE)
    for pieces in (1, 5, 30):
        stream = model.continued(ids, progress=Silent())
        for _ in range(pieces):
            next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert model._held is not None
        longer = [*model._held.tokens, *ids[:9]]
        anew = LocalModel(profile, checkpoint).continued(longer, progress=Silent())
        assert list(model.continued(longer, progress=Silent())) == list(anew)
