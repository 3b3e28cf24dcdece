"""From a question and a real repository to the prompt, and from a model's stream to an answer."""

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from conftest import RepositoryMaker
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_code import TOKENIZERS, Counter, MemoryCode, tokenizer_named

from repoqa.answers.clean import STOPPED_BLANK
from repoqa.diagnosis.prepare import Preparation, Setup, evidence_lines, fit_context, prepare
from repoqa.diagnosis.single import diagnose, familiar_names
from repoqa.errors import BudgetError
from repoqa.evidence.question import read
from repoqa.models.profile import Profile
from repoqa.prompts.evidence import fit, smallest_budget
from repoqa.protocols import Progress, Silent
from repoqa.records import PathMention, Prompt, Question
from repoqa.repository.snapshot import open_snapshot

PROFILE = Profile(name="test", engine="scripted", format="chatml", summary="", reliable_window=3000)
FILES = {
    "app/login.py": (
        "from app.users import find_user\n\n\n"
        "def login(name, password):\n"
        "    user = find_user(name)\n"
        "    if user.password != password:\n"
        '        raise ValueError("wrong password <|im_end|>")\n'
        "    return user\n"
    ),
    "app/users.py": "USERS = {}\n\n\ndef find_user(name):\n    return USERS[name.lower()]\n",
    "app/mail.py": "def send(address, text):\n    print(address, text)\n",
    "README.md": "# App\n\nSend mail to users.\n",
}
TRACE = """\
Traceback (most recent call last):
  File "/srv/app/login.py", line 5, in login
    user = find_user(name)
  File "/srv/app/users.py", line 5, in find_user
    return USERS[name.lower()]
KeyError: 'ada'
"""


def setup(budget: int = 2000, cache: Path | None = None) -> Setup:
    return Setup(PROFILE, Counter(), budget, cache)


def prepared(root: Path, question: Question, chosen: Setup) -> Preparation:
    return prepare(question, open_snapshot(root), chosen, progress=Silent())


def test_the_path_of_a_question(make_repository: RepositoryMaker, tmp_path: Path) -> None:
    root = make_repository(FILES)
    question = read("why does login fail", log=TRACE)
    chosen = setup(cache=tmp_path / "cache")
    first = prepared(root, question, chosen)
    assert first.prompt.tokens <= 2000
    assert {e.path for e in first.context.excerpts} >= {"app/login.py", "app/users.py"}
    user = first.prompt.messages[1].content
    assert "5     return USERS[name.lower()]" in user
    assert "wrong password <·|im_end|>" in user
    assert user.index("return USERS") < user.index("KeyError: 'ada'") < user.index("why does login")
    assert list(first.timings.seconds) == ["index", "rank", "pack", "total"]
    assert (first.timings.parsed, first.timings.reused) == (4, 0)
    again = prepared(root, question, chosen)
    assert (again.timings.parsed, again.timings.reused) == (0, 4)
    assert again.prompt == first.prompt


def test_earlier_stages_count_into_the_total(make_repository: RepositoryMaker) -> None:
    snapshot = open_snapshot(make_repository(FILES))
    earlier = {"start": 100.0, "snapshot": 10.0}
    timings = prepare(read("login"), snapshot, setup(), progress=Silent(), earlier=earlier).timings
    assert list(timings.seconds) == ["start", "snapshot", "index", "rank", "pack", "total"]
    assert 110 < timings.seconds["total"] < 170


def test_a_budget_too_small_is_told_before_anything_is_read(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    root = make_repository(FILES)
    least = smallest_budget(profile=PROFILE, tokenizer=Counter())
    with pytest.raises(BudgetError, match=f"at least {least}"):
        prepared(root, read("why"), setup(least - 1, tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()
    assert prepared(root, read("why"), setup(least)).prompt.tokens <= least


CODE = MemoryCode(
    {
        path.name: path.read_text(encoding="utf-8")
        for folder in ("packing", "prompts", "answers")
        for path in sorted((Path(__file__).parent.parent / "repoqa" / folder).glob("*.py"))
        if path.name not in ("__init__.py", "render.py", "places.py")
    }
)
RANKINGS = [CODE.ranking(seed) for seed in range(3)]


@settings(max_examples=40, deadline=None)
@given(
    budget=st.integers(500, 100_000),
    seed=st.integers(0, 2),
    format_=st.sampled_from(["chatml", "llama2", "messages"]),
    counter=st.sampled_from(TOKENIZERS),
    text=st.sampled_from(["why", "many words " * 3000, "line\n" * 500, "", "<s>" * 400]),
)
def test_the_whole_prompt_is_never_over_the_budget(
    *, budget: int, seed: int, format_: str, counter: str, text: str
) -> None:
    profile = Profile(name="x", engine="scripted", format=format_, summary="")  # type: ignore[arg-type]
    tokenizer = tokenizer_named(counter)
    question = Question(text=text, title="", log=text, diff=text)
    shown = fit(question, budget, profile=profile, tokenizer=tokenizer)
    chosen = Setup(profile, tokenizer, budget, None)
    context, prompt = fit_context(shown, RANKINGS[seed], code=CODE, setup=chosen)
    assert prompt.tokens <= budget
    counted = sum(
        len(tokenizer.control(s.text)) if s.control else tokenizer.count(s.text)
        for s in prompt.segments
    )
    assert counted <= prompt.tokens
    assert context.excerpts or budget < 1000


def test_the_lines_the_evidence_names() -> None:
    code = MemoryCode(FILES)
    question = read("see app/mail.py:2", log=TRACE)
    assert evidence_lines(question, code) == (
        PathMention("app/login.py", 5),
        PathMention("app/mail.py", 2),
        PathMention("app/users.py", 5),
    )


class Script:
    """A model that says what it is told to, and tells whether it was stopped."""

    name = "script"

    def __init__(self, *pieces: str, error: Exception | None = None) -> None:
        self.pieces, self.error = pieces, error
        self.stopped = False
        self.asked: Prompt | None = None

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        self.asked = prompt
        try:
            yield from self.pieces
            if self.error:
                raise self.error
        finally:
            self.stopped = True


def test_the_answer_streams_clean(make_repository: RepositoryMaker) -> None:
    preparation = prepared(make_repository(FILES), read("why does login fail"), setup())
    model = Script("The \x1b[31mcause", " is app/users.py:5", *["\n"] * 50, "never said")
    answer = "".join(diagnose(preparation, model, progress=Silent()))
    assert answer == "The cause is app/users.py:5" + STOPPED_BLANK
    assert model.asked is preparation.prompt
    assert model.stopped


def test_closing_the_answer_stops_the_model(make_repository: RepositoryMaker) -> None:
    preparation = prepared(make_repository(FILES), read("why"), setup())
    model = Script("one ", "two ", "three")
    answer = diagnose(preparation, model, progress=Silent())
    assert next(answer) == "one"
    assert not model.stopped
    assert isinstance(answer, Generator)
    answer.close()
    assert model.stopped


def test_what_the_model_raises_reaches_the_reader(make_repository: RepositoryMaker) -> None:
    preparation = prepared(make_repository(FILES), read("why"), setup())
    model = Script("one", error=RuntimeError("out of memory"))
    with pytest.raises(RuntimeError, match="out of memory"):
        list(diagnose(preparation, model, progress=Silent()))


def test_names_the_packed_code_uses_are_familiar(make_repository: RepositoryMaker) -> None:
    preparation = prepared(make_repository(FILES), read("why does login fail"), setup())
    names = familiar_names(preparation.context, preparation.index)
    assert {"find_user", "ValueError"} <= names


def prompt_text(root: Path) -> str:
    preparation = prepared(root, read("why does login fail", log=TRACE), setup())
    return "".join(segment.text for segment in preparation.prompt.segments)


def test_the_same_prompt_under_any_hash_seed(make_repository: RepositoryMaker) -> None:
    root = make_repository(FILES)
    script = (
        "import sys, test_diagnosis, pathlib;"
        "print(test_diagnosis.prompt_text(pathlib.Path(sys.argv[1])), end='')"
    )
    tests = Path(__file__).parent
    elsewhere = subprocess.run(
        [sys.executable, "-c", script, str(root)],
        cwd=tests,
        env=os.environ
        | {"PYTHONHASHSEED": "3", "PYTHONPATH": str(tests.parent), "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
    )
    assert elsewhere.stdout.decode() == prompt_text(root)
