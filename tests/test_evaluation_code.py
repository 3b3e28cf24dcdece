"""How well models write code: estimates by hand, programs from answers, and the command whole."""

import json
import threading
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from chat_server import Handler, event, reply_with, serving
from commands import repoqa, write_profile
from hypothesis import given
from hypothesis import strategies as st

from repoqa.api.code import lines_of
from repoqa.cli.keeping import keep, kept
from repoqa.errors import UsageError
from repoqa.evaluation.code.measure import Sample, counts
from repoqa.evaluation.code.passing import mean_pass_at, pass_at
from repoqa.evaluation.code.programs import code_of, gathered, joined, program_of, prompt_for
from repoqa.evaluation.code.tasks import QUESTIONS, Task, solutions, tasks_of
from repoqa.evaluation.sandbox import MIB, Limits, Sandbox
from repoqa.infill.lines import masked_lines, text_written
from repoqa.infill.place import read_text
from repoqa.models.estimate import EstimatedTokenizer
from repoqa.models.profile import load_profile
from repoqa.terminal.code import code_tables

BASE, INSTRUCTED = load_profile("codellama-7b"), load_profile("codellama-7b-instruct")
LIMITS = Limits(cpu_seconds=1, memory_bytes=512 * MIB)
REFERENCES = {
    "merge-alternately": """\
    out = []
    for place in range(max(len(first), len(second))):
        out += [first[place : place + 1], second[place : place + 1]]
    return "".join(out)
""",
    "reverse-vowels": """\
    letters = list(text)
    places = [n for n, letter in enumerate(letters) if letter in "aeiouAEIOU"]
    for place, other in zip(places, reversed(places)):
        letters[place] = text[other]
    return "".join(letters)
""",
    "move-zeroes": """\
    numbers.sort(key=lambda number: number == 0)
""",
    "can-place-flowers": """\
    bed = [0, *bed, 0]
    for place in range(1, len(bed) - 1):
        if not any(bed[place - 1 : place + 2]):
            bed[place] = 1
            count -= 1
    return count <= 0
""",
    "reverse-words": """\
    return " ".join(reversed(text.split()))
""",
    "maximum-vowels": """\
    stretches = (text[n : n + length] for n in range(len(text) - length + 1))
    return max(sum(letter in "aeiou" for letter in stretch) for stretch in stretches)
""",
    "remove-stars": """\
    kept = []
    for letter in text:
        kept.pop() if letter == "*" else kept.append(letter)
    return "".join(kept)
""",
    "daily-temperatures": """\
    days, colder = [0] * len(temperatures), []
    for day, temperature in enumerate(temperatures):
        while colder and temperatures[colder[-1]] < temperature:
            earlier = colder.pop()
            days[earlier] = day - earlier
        colder.append(day)
    return days
""",
}
# Each wrong in the way that its question is set to find, and how that shows.
WRONG = {
    "merge-alternately": (
        "    return ''.join(a + b for a, b in zip(first, second))\n",
        "AssertionError: merge_alternately('abc', 'xyzuv'): 'axbycz', not 'axbyczuv'",
    ),
    "reverse-vowels": (
        REFERENCES["reverse-vowels"].replace("aeiouAEIOU", "aeiou"),
        "AssertionError: reverse_vowels('Apple'): 'Apple', not 'epplA'",
    ),
    "move-zeroes": (
        "    return sorted(numbers, key=lambda number: number == 0)\n",
        "AssertionError: move_zeroes([4, 0, 7, 0, 1]): [4, 0, 7, 0, 1], not [4, 7, 1, 0, 0]",
    ),
    "can-place-flowers": (
        REFERENCES["can-place-flowers"].replace("[0, *bed, 0]", "[1, *bed, 1]"),
        "AssertionError: can_place_flowers([0], 1): False, not True",
    ),
    "reverse-words": (
        "    return ' '.join(reversed(text.split(' ')))\n",
        "AssertionError: reverse_words('  the sky   is blue '): ' blue is   sky the  ', "
        "not 'blue is sky the'",
    ),
    "maximum-vowels": (
        "    stretches = [text[n : n + length] for n in range(len(text) - length)]\n"
        "    return max([sum(map('aeiou'.count, each)) for each in stretches], default=0)\n",
        "AssertionError: maximum_vowels('a', 1): 0, not 1",
    ),
    "remove-stars": (
        "    while '*' in text:\n        text = text.replace(text[text.index('*') - 1], '', 1)"
        ".replace('*', '', 1)\n    return text\n",
        "AssertionError: remove_stars('xyx*z'): 'yxz', not 'xyz'",
    ),
    "daily-temperatures": (
        "    days = temperatures\n"
        "    later = lambda day: (n for n, each in enumerate(days[day:]) if each > days[day])\n"
        "    return [next(later(day), 0) for day in range(len(days))]\n",
        "out of time",
    ),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(limits=LIMITS, slot=20) as opened:
        yield opened


@pytest.mark.parametrize(
    ("k", "samples", "passed", "expected"),
    [
        (1, 1, 0, 0.0),
        (1, 1, 1, 1.0),
        (1, 10, 3, 0.3),
        (2, 4, 1, 0.5),  # 1 - C(3, 2) / C(4, 2) = 1 - 3/6
        (2, 5, 2, 0.7),  # 1 - C(3, 2) / C(5, 2) = 1 - 3/10
        (3, 6, 2, 0.8),  # 1 - C(4, 3) / C(6, 3) = 1 - 4/20
        (10, 10, 1, 1.0),
        (5, 10, 0, 0.0),
        (10, 200, 20, 0.6602),  # 1 - (180·179·…·171) / (200·199·…·191)
    ],
)
def test_pass_at_k_by_hand(k: int, samples: int, *, passed: int, expected: float) -> None:
    assert pass_at(k, samples=samples, passed=passed) == pytest.approx(expected, abs=5e-5)


@given(data=st.data(), samples=st.integers(1, 9))
def test_pass_at_k_is_the_share_of_draws_with_a_passing_one(
    data: st.DataObject, samples: int
) -> None:
    passed, k = data.draw(st.integers(0, samples)), data.draw(st.integers(1, samples))
    draws = list(combinations([True] * passed + [False] * (samples - passed), k))
    share = sum(map(any, draws)) / len(draws)
    assert pass_at(k, samples=samples, passed=passed) == pytest.approx(share)


def test_the_mean_is_over_tasks() -> None:
    assert mean_pass_at(1, [(10, 5), (10, 0), (1, 1)]) == pytest.approx(0.5)
    assert mean_pass_at(10, [(10, 5), (10, 0), (1, 1)]) == pytest.approx(0.5)
    assert mean_pass_at(20, [(10, 5)]) is None


def test_human_evals_own_solutions_all_pass_and_broken_ones_fail(sandbox: Sandbox) -> None:
    tasks, known = tasks_of("humaneval"), solutions()
    assert len(tasks) == 164
    failed = {}
    for task in tasks:
        text = gathered([known[task.id]], task, BASE)
        assert text.strip() == known[task.id].strip(), task.id
        if reason := sandbox.run(program_of(text, task, BASE)).reason:
            failed[task.id] = reason
    assert failed == {}
    broken = tasks[0]
    text = known[broken.id].replace("<", ">")
    assert sandbox.run(program_of(text, broken, BASE)).reason == "AssertionError"
    none = program_of("    return None\n", tasks[3], BASE)
    assert sandbox.run(none).reason == "AssertionError"


def questions() -> list[Task]:
    return tasks_of("questions")


def test_the_eight_questions_have_hidden_tests_enough() -> None:
    assert [task.id for task in questions()] == list(REFERENCES)
    for question in json.loads(QUESTIONS.read_text(encoding="utf-8")):
        assert len(question["cases"]) >= 10
        assert len({repr(case[0]) for case in question["cases"]}) == len(question["cases"])


def test_references_answer_all_eight(sandbox: Sandbox) -> None:
    reasons = {
        task.id: sandbox.run(joined(task.start + REFERENCES[task.id], task)).reason
        for task in questions()
    }
    assert reasons == dict.fromkeys(REFERENCES, "")


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_fails_for_its_reason(sandbox: Sandbox, name: str) -> None:
    task = next(task for task in questions() if task.id == name)
    text, expected = WRONG[name]
    assert sandbox.run(joined(task.start + text, task)).reason == expected


def test_what_base_and_instructed_models_are_asked() -> None:
    task = questions()[0]
    tokenizer = EstimatedTokenizer(1.6)
    base = prompt_for(task, BASE, tokenizer)
    assert [segment.text for segment in base.segments] == ["<s>", task.start]
    assert task.start.startswith('def merge_alternately(first: str, second: str) -> str:\n    """')
    instructed = prompt_for(task, INSTRUCTED, tokenizer)
    assert [message.role for message in instructed.messages] == ["system", "user"]
    assert "[INST]" in instructed.segments[1].text
    assert "merge_alternately" in instructed.messages[1].content
    for each in (base, instructed):
        assert 'axbycz"' not in "".join(segment.text for segment in each.segments)


ANSWERS = [
    ("Sure!\n```python\ndef f():\n    return 1\n```\nDone.", "def f():\n    return 1\n"),
    ("```\nf()\n```\nand\n```py\ndef f(): pass\n```", "def f(): pass\n"),
    ("1. So:\n   ```python\n   def f():\n       return 1\n   ```", "def f():\n    return 1\n"),
    ("def f():\n    return 1", "def f():\n    return 1"),
    ("```python\ndef f():\n    return 1", "def f():\n    return 1"),  # cut off
    ("```python\nx = 1\n```", "x = 1\n"),
]


@pytest.mark.parametrize(("answer", "code"), ANSWERS)
def test_code_is_taken_out_of_an_answer(answer: str, code: str) -> None:
    assert code_of(answer) == code


def task_of(start: str = 'import math\n\n\ndef f(x):\n    """Doc."""\n') -> Task:
    return Task("t", start, "wish", "f", "assert f(2) == 4\n", before="import math\n\n\n")


def test_programs_have_what_the_task_brings(sandbox: Sandbox) -> None:
    for answer in (
        "```python\ndef f(x):\n    return int(math.pow(x, 2))\n```",
        "```python\nreturn int(math.pow(x, 2))\n```",  # the body alone
        "```python\ndef g(x):\n    return x * x\n\ndef f(x):\n    return g(x)\n```",
    ):
        assert sandbox.run(program_of(answer, task_of(), INSTRUCTED)).passed, answer
    text = "    return x * x\n\n\ndef g():\n    pass\n\nprint(f(3))\n"
    kept = gathered(list(text), task_of(), BASE)
    assert kept == "    return x * x\n\n\n"
    assert sandbox.run(program_of(kept, task_of(), BASE)).passed


def test_no_more_is_asked_for_than_the_function() -> None:
    asked: list[str] = []

    def stream(*texts: str) -> Iterator[str]:
        for text in texts:
            asked.append(text)
            yield text

    gathered(stream("    return 1\n", "def g():", "never"), task_of(), BASE)
    gathered(stream("```python\n", "def f():\n    pass\n", "```\n", "never"), task_of(), INSTRUCTED)
    assert "never" not in asked


def test_mbpp_is_read_in_both_of_its_forms(tmp_path: Path, sandbox: Sandbox) -> None:
    plain = {
        "task_id": 11,
        "text": "Write a function to add.",
        "code": "def add(a, b):\r\n  return a + b",
        "test_list": ["assert add(1, 2) == 3", "assert add(0, 0) == 0"],
        "test_setup_code": "import math",
        "challenge_test_list": [],
    }
    lines = tmp_path / "mbpp.jsonl"
    lines.write_text(json.dumps(plain) + "\n" + json.dumps({**plain, "task_id": 12}) + "\n")
    listed = tmp_path / "sanitized-mbpp.json"
    renamed = {"prompt": plain["text"], "test_imports": ["import math"], **plain}
    listed.write_text(json.dumps([{k: v for k, v in renamed.items() if k != "text"}]))
    first, second = tasks_of("mbpp", file=lines)
    assert [first.id, second.id] == ["MBPP/11", "MBPP/12"]
    (other,) = tasks_of("mbpp", file=listed)
    for task in (first, other):
        text = "def add(a, b):\n    return a + b\n\nassert add(1, 1) == 2\nprint(1)\n"
        kept = gathered(list(text), task, BASE)
        assert kept == "def add(a, b):\n    return a + b\n\n"
        assert sandbox.run(program_of(kept, task, BASE)).passed
        assert sandbox.run(program_of(f"```python\n{kept}```", task, INSTRUCTED)).passed
        assert not sandbox.run(program_of("def add(a, b): return 0", task, INSTRUCTED)).passed
    many = [{**plain, "task_id": number} for number in range(1, 975)]
    lines.write_text("\n".join(map(json.dumps, many)))
    whole = tasks_of("mbpp", file=lines)
    assert (len(whole), whole[0].id, whole[-1].id) == (500, "MBPP/11", "MBPP/510")
    with pytest.raises(UsageError, match="not part of repoqa"):
        tasks_of("mbpp")


def sample(model: str, task: str, reason: str = "") -> Sample:
    return Sample("questions", model, task, 0, 0.0, reason, "text")


def test_the_tables() -> None:
    samples = {
        "one": [sample("one", "a"), sample("one", "b", "AssertionError: f(1): 2, not 3")],
        "two": [sample("two", "a", "out of time"), sample("two", "b", "AssertionError")],
    }
    assert code_tables("questions", samples, ks=[1]) == (
        "| questions              | tasks | samples | pass@1, % |\n"
        "| ---------------------- | ----: | ------: | --------: |\n"
        "| one                    |     2 |       1 |      50.0 |\n"
        "| two                    |     2 |       1 |       0.0 |\n"
        "| ChatGPT (published)    |   all |       1 |     100.0 |\n"
        "| Code Llama (published) |   all |       1 |      62.5 |\n"
        "\n"
        "| question | one | two |\n"
        "| -------- | --: | --: |\n"
        "| a        | 1/1 | 0/1 |\n"
        "| b        | 0/1 | 0/1 |\n"
        "| solved   | 1/2 | 0/2 |\n"
        "\n"
        "| not passed, samples | AssertionError | out of time | other |\n"
        "| ------------------- | -------------: | ----------: | ----: |\n"
        "| one                 |              1 |           0 |     0 |\n"
        "| two                 |              1 |           1 |     0 |\n"
    )
    assert "67.0" in code_tables("humaneval", samples, ks=[1, 10])
    assert code_tables("mbpp", {"one": []}, ks=[1]) == "Nothing was measured.\n"
    assert counts(samples["one"]) == [(1, 1), (1, 0)]


def test_what_was_kept_is_read_again_without_a_line_that_was_cut_off(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert kept(out, Sample) == []
    first, second = sample("m", "a"), sample("m", "b", "no")
    keep(first, out)
    keep(second, out)
    whole = out.read_bytes()
    out.write_bytes(whole[:-9])
    assert kept(out, Sample) == [first]
    keep(second, out)
    assert out.read_bytes() == whole
    for content in (b"not ours\n", b"neither"):
        out.write_bytes(content)
        with pytest.raises(UsageError, match="something else"):
            kept(out, Sample)
        assert out.read_bytes() == content


def answer_of(name: str) -> str:
    return f"```python\n{questions_start(name)}{REFERENCES[name]}```\n"


def questions_start(name: str) -> str:
    return next(task.start for task in questions() if task.id == name)


def test_the_command_compares_models_and_goes_on(tmp_path: Path) -> None:
    """The first model answers two of three questions, the second one of them."""
    names = list(REFERENCES)[:3]
    good = "\f".join([answer_of(names[0]), "I cannot.", answer_of(names[2])])
    write_profile("good", good)
    write_profile("poor", answer_of(names[0]))
    command = ("eval", "code", "--suite", "questions", "--limit", "3", "--out", "kept.jsonl")
    done = repoqa(*command, "--model", "good", where=tmp_path)
    assert done.code == 0, done.stderr
    lines = (tmp_path / "kept.jsonl").read_text().splitlines()
    assert len(lines) == 3
    write_profile("good", "asked again, it would answer nothing")
    (tmp_path / "kept.jsonl").write_text("\n".join(lines[:3]) + "\n")
    done = repoqa(*command, "--model", "good", "--model", "poor", where=tmp_path)
    assert done.code == 0, done.stderr
    assert done.stdout == (
        "| questions              | tasks | samples | pass@1, % |\n"
        "| ---------------------- | ----: | ------: | --------: |\n"
        "| good                   |     3 |       1 |      66.7 |\n"
        "| poor                   |     3 |       1 |      33.3 |\n"
        "| ChatGPT (published)    |   all |       1 |     100.0 |\n"
        "| Code Llama (published) |   all |       1 |      62.5 |\n"
        "\n"
        "| question          | good | poor |\n"
        "| ----------------- | ---: | ---: |\n"
        "| merge-alternately |  1/1 |  1/1 |\n"
        "| reverse-vowels    |  0/1 |  0/1 |\n"
        "| move-zeroes       |  1/1 |  0/1 |\n"
        "| solved            |  2/3 |  1/3 |\n"
        "\n"
        "| not passed, samples | NameError | SyntaxError | other |\n"
        "| ------------------- | --------: | ----------: | ----: |\n"
        "| good                |         0 |           1 |     0 |\n"
        "| poor                |         2 |           0 |     0 |\n"
    )
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == 6


def test_samples_at_a_temperature(tmp_path: Path) -> None:
    right = answer_of("merge-alternately")
    write_profile("some", "\f".join(["no", right, "no", right]))
    command = ("eval", "code", "--suite", "questions", "--limit", "1", "--model", "some")
    done = repoqa(*command, "--samples", "4", "--k", "1,2", where=tmp_path)
    assert done.code == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| some "))
    assert row.split() == ["|", "some", "|", "1", "|", "4", "|", "50.0", "|", "83.3", "|"]


def test_a_server_is_asked_as_many_times_at_once_as_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer is given before both questions are asked."""
    names = list(REFERENCES)[:2]
    both = threading.Barrier(2, timeout=60)
    solved = "".join(f"{questions_start(name)}{REFERENCES[name]}\n" for name in names)
    answer = reply_with(event(f"```python\n{solved}```\n"), event(finish="stop"))

    def reply(handler: Handler) -> None:
        both.wait()
        answer(handler)

    command = ("eval", "code", "--suite", "questions", "--limit", "2", "--jobs", "2")
    asked_of = ("--model", "server", "--out", "kept.jsonl")
    with serving(reply) as server:
        monkeypatch.setenv("REPOQA_SERVER_URL", server.url)
        done = repoqa(*command, *asked_of, where=tmp_path)
    assert done.code == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| server "))
    assert row.split()[3::2] == ["2", "1", "100.0"]
    asked = [body for _, _, body in server.asked if body]
    assert [body["temperature"] for body in asked] == [0.0, 0.0]
    wishes = {task.wish for task in questions() if task.id in names}
    assert {body["messages"][-1]["content"] for body in asked} == wishes
    again = repoqa(*command, *asked_of, where=tmp_path)
    assert again.stdout == done.stdout, "no server is there any more"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--suite", "x"], "--suite: there is no 'x'"),
        (["--suite", "questions", "--model", "smolm"], "no model profile named 'smolm'"),
        (["--suite", "mbpp"], "MBPP's tasks are not part of repoqa"),
        (["--suite", "mbpp", "--tasks", "gone.jsonl"], "gone.jsonl cannot be read"),
        (["--suite", "questions", "--k", "2"], "--k: '2' are not numbers from 1 to the 1 samples"),
        (["--suite", "questions", "--samples", "2", "--temperature", "0"], "are the same"),
        (["--suite", "infill"], "there is no line of code to mask"),
        (["--suite", "infill", "gone.py"], "gone.py cannot be read"),
        (["--suite", "infill", "--samples", "2", "a.py"], "--suite infill takes one sample"),
        (["--suite", "infill", "a.py", "--model", "server"], "does not run on this machine"),
    ],
)
def test_what_cannot_be_measured_is_told(
    tmp_path: Path, arguments: list[str], problem: str
) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    done = repoqa("eval", "code", *arguments, where=tmp_path)
    assert (done.code, done.stdout) == (2, ""), done
    assert problem in done.stderr


CODE = "import os\n\n\n# why\ndef f(x):\n    return [\n        x,\n    ]\n"


def test_lines_of_code_are_masked_one_at_a_time(tmp_path: Path) -> None:
    masked = masked_lines([read_text("a.py", CODE.encode())])
    assert [(each.name, each.line) for each in masked] == [
        ("a.py:1", "import os"),
        ("a.py:5", "def f(x):"),
        ("a.py:6", "    return ["),
        ("a.py:7", "        x,"),
    ]
    for each in masked:
        assert each.site.before + each.line + each.site.after == CODE
    (tmp_path / "a.py").write_text(CODE)
    assert [each.site.line for each in lines_of([tmp_path / "a.py"], most=2)] == [1, 6]


@pytest.mark.parametrize(
    ("written", "trained", "kept"),
    [
        ("    return [\n", True, "    return ["),
        ("    return [\n        x", True, "    return [\n        x"),
        ("    return [\n        x", False, "    return ["),
        ("\n\n    return [\n", False, "    return ["),
        ("    return [", False, "    return ["),
    ],
)
def test_what_a_model_wrote_for_a_line(written: str, trained: bool, kept: str) -> None:
    assert text_written(list(written), trained=trained) == kept
