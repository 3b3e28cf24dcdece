"""Suspects: the best symbols of the ranking, each once, with its reasons in words."""

from repoqa.answers.suspects import WORDS, suspects, why
from repoqa.ranking.weights import UNIT_WEIGHTS
from repoqa.records import RankedSymbol, Ranking, Symbol


def ranked(path: str, name: str, *lines: int, **reasons: float) -> RankedSymbol:
    start, end = lines
    symbol = Symbol(name, "function", start, end, header_end=start)
    return RankedSymbol(path, symbol, sum(reasons.values()), reasons)


def test_the_best_come_first_and_none_twice() -> None:
    ranking = Ranking(
        (),
        (
            ranked("a.py", "login", 10, 30, trace=1.5, part=-0.2),
            ranked("a.py", "login.inner", 15, 20, text=1.0),
            ranked("a.py", "logout", 31, 40, text=0.9),
            ranked("b.py", "login", 10, 30, text=0.8),
            ranked("c.py", "other", 1, 2, text=0.7),
        ),
    )
    named = [(s.path, s.name, s.start, s.end) for s in suspects(ranking, limit=3)]
    assert named == [
        ("a.py", "login", 10, 30),
        ("a.py", "logout", 31, 40),
        ("b.py", "login", 10, 30),
    ]
    assert suspects(ranking)[0].why == "named in the traceback"
    assert suspects(Ranking((), ())) == ()


def test_reasons_in_words_strongest_first() -> None:
    assert why({"title_name": 0.5, "trace": 1.5, "part": -1.0, "zzz": 0.1}) == (
        "named in the traceback; words of the question in its name; zzz"
    )
    assert why({}) == ""


def test_every_signal_of_the_ranking_has_words() -> None:
    assert {*UNIT_WEIGHTS, "file", "pinned"} - WORDS.keys() == set()
