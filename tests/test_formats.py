"""JSON and Markdown: valid whatever the repository holds, and what the schemas say."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schemas import validator

from repoqa.formats.json import answer_fields, encode, message_fields
from repoqa.formats.markdown import fenced, messages_markdown
from repoqa.records import Answer, Citation, Message, Suspect

WORDS = st.text(max_size=8)
VALUES = WORDS | st.integers(-(2**53), 2**53) | st.booleans() | st.none()
REPORTS = st.dictionaries(WORDS, VALUES | st.lists(VALUES | st.dictionaries(WORDS, VALUES)))


@settings(deadline=None)
@given(REPORTS)
def test_any_report_is_json_and_keeps_its_values(report: dict[str, Any]) -> None:
    assert json.loads(encode(report).decode("utf-8")) == report


@pytest.mark.parametrize(
    ("name", "printed"),
    [(b"caf\xe9.py", r"caf\xe9.py"), ("café.py".encode(), "café.py"), (b"\xff\xfe", r"\xff\xfe")],
)
def test_a_path_that_is_not_utf8_is_written_readably(name: bytes, printed: str) -> None:
    import os

    report = {"path": os.fsdecode(name), "inside": [{os.fsdecode(name): os.fsdecode(name)}]}
    assert json.loads(encode(report)) == {"path": printed, "inside": [{printed: printed}]}


def test_half_a_character_is_written_readably() -> None:
    assert json.loads(encode({"answer": "a\ud83d"})) == {"answer": "a\\ud83d"}


def test_what_an_answer_adds() -> None:
    citation = Citation("a.py:9", "a.py", 9, 9, valid=False)
    suspect = Suspect("a.py", 1, 3, "f", 1 / 3, "matches the title")
    fields = answer_fields(
        Answer("See a.py:9", (citation,)),
        [suspect],
        usage={"prompt": 10, "answer": 4},
        seconds={"answer": 1.23456},
    )
    assert json.loads(encode(fields)) == {
        "answer": "See a.py:9",
        "suspects": [
            {
                "path": "a.py",
                "start": 1,
                "end": 3,
                "name": "f",
                "score": 0.333333333,
                "why": "matches the title",
            }
        ],
        "citations": [{"text": "a.py:9", "path": "a.py", "start": 9, "end": 9, "valid": False}],
        "usage": {"prompt": 10, "answer": 4, "seconds": {"answer": 1.235}},
    }


def test_messages_in_both_formats() -> None:
    messages = [Message("system", "Find it."), Message("user", "Why?")]
    assert message_fields(messages) == {
        "messages": [
            {"role": "system", "content": "Find it."},
            {"role": "user", "content": "Why?"},
        ]
    }
    assert messages_markdown(messages) == "## system\n\nFind it.\n\n## user\n\nWhy?\n"


@settings(deadline=None)
@given(st.text("`ab\n ", max_size=40))
def test_a_fence_is_longer_than_any_inside(text: str) -> None:
    block = fenced(text, "python")
    fence = block[: len(block) - len(block.lstrip("`"))]
    assert len(fence) >= 3
    assert block == f"{fence}python\n{text}\n{fence}\n"
    assert fence not in text


@pytest.mark.parametrize("name", ["pack", "ask", "ask-events"])
def test_the_schemas_are_schemas_and_refuse_what_is_not_theirs(name: str) -> None:
    schema = validator(name)
    schema.check_schema(schema.schema)
    assert not schema.is_valid({})
    assert not schema.is_valid({"schema": 1, "answer": "x"})
