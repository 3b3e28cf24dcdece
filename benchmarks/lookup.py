"""What guessed tokens save of an answer's time (`repoqa/models/lookup.py`).

    python benchmarks/lookup.py REPOSITORY QUESTION... [--budget 2048] [--rounds 3]

With the built-in model: each question is answered without guesses and with them, in turn, in one
process; times are those behind the first token, the median of the rounds. The answer must be the
same. Passes are what the model was called for.
"""

import argparse
import time
from statistics import geometric_mean, median
from typing import Any, NamedTuple

from repoqa import Options, ask, open_repository
from repoqa.models import lookup
from repoqa.models.llama import Llama


class Written(NamedTuple):
    """An answer's text, the seconds behind its first token, and its passes."""

    text: str
    seconds: float
    passes: int


def written(question: str, repository: Any, *, budget: int, guessed: int) -> Written:
    """The answer, where so many tokens are guessed."""
    lookup.MOST_GUESSED = guessed
    passes = 0
    own = Llama.__call__

    def counted(model: Llama, *given: Any, **named: Any) -> Any:
        nonlocal passes
        passes += 1
        return own(model, *given, **named)

    diagnosis = ask(question, repository, options=Options(budget=budget))
    pieces = iter(diagnosis.stream())
    first = next(pieces)
    Llama.__call__ = counted  # type: ignore[method-assign]
    began = time.perf_counter()
    try:
        text = first + "".join(pieces)
    finally:
        Llama.__call__ = own  # type: ignore[method-assign]
    return Written(text, time.perf_counter() - began, passes)


def main() -> None:
    """Print a table of the questions, and by what their times are divided."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repository")
    parser.add_argument("questions", nargs="+")
    parser.add_argument("--budget", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    repository, most = open_repository(given.repository), lookup.MOST_GUESSED
    ratios = []
    print("| question | passes | with guesses | s | with guesses, s | ratio |")
    print("|---|---:|---:|---:|---:|---:|")
    for question in given.questions:
        rounds = [
            [
                written(question, repository, budget=given.budget, guessed=guessed)
                for guessed in (0, most)
            ]
            for _ in range(given.rounds)
        ]
        assert len({each.text for both in rounds for each in both}) == 1
        plain, guessing = (
            median(each.seconds for each in way) for way in zip(*rounds, strict=True)
        )
        passes = " | ".join(str(each.passes) for each in rounds[0])
        ratios.append(plain / guessing)
        shown = f"{plain:.1f} | {guessing:.1f} | {ratios[-1]:.2f}"
        print(f"| {question} | {passes} | {shown} |", flush=True)
    print(f"\ngeometric mean of the ratios: {geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    main()
