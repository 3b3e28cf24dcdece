"""Which answers say that the code shown does not explain the bug."""

import pytest
from commands import ANSWER

from repoqa.answers.unexplained import says_unexplained


@pytest.mark.parametrize(
    "answer",
    [
        "The code shown does not explain the bug.",
        "Unfortunately the provided excerpts don’t fully explain why it fails.",
        "There is not enough context to say.",
        "The cause cannot be determined from the code shown.",
        "It is not possible to determine the cause from the information provided.",
        "I am unable to identify the cause with the code given.",
        "First line.\nThe code you have shown me\ndoes not help; insufficient information.",
    ],
)
def test_answers_that_say_so(answer: str) -> None:
    assert says_unexplained(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        ANSWER,
        "The code does not check for None in `log_in`.",
        "`find()` cannot find the user, since the code in a.py:3 deletes it.",
        "The file does not exist when it is opened; that explains the error.",
        "It cannot tell users apart.",
    ],
)
def test_answers_that_do_not(answer: str) -> None:
    assert not says_unexplained(answer)
