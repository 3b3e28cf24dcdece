"""Charts: what the terminal shows, and the picture that `--plot` draws."""

import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repoqa.chart import Axis, Chart, Line, short
from repoqa.errors import UsageError
from repoqa.formats.plot import check_plot, drawn, write_plot
from repoqa.terminal.charts import chart_lines

LOSS = Chart(
    "Training loss",
    Axis("step"),
    Axis("loss"),
    (
        Line("training", ((0, 3.0), (10, 2.0), (20, float("nan")), (30, 1.0))),
        Line("held out", ((0, 3.0), (30, 3.0))),
    ),
)
BUDGETS = Chart(
    "Coverage",
    Axis("budget, tokens", logarithmic=True),
    Axis("covered, %", bounds=(0, 100)),
    (Line("files", ((4000, 50.0), (13000, 75.0), (100_000, 100.0))),),
)


def text(chart: Chart, *, width: int, height: int) -> str:
    return "".join(piece for piece, _ in chart_lines(chart, width=width, height=height))


def test_a_whole_chart() -> None:
    assert text(LOSS, width=20, height=3) == (
        "Training loss\n"
        "loss:  ━━ training  ━━ held out\n"
        "3 ┤⠉⠛⠭⣉⡉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉\n"
        "  │    ⠈⠑⠢⠤⠤⣀⣀⡀        \n"
        "1 ┤           ⠈⠉⠉⠒⠒⠤⠤⢄⣀\n"
        "  └────────────────────\n"
        "   0    10           30\n"
        "           step\n"
    )


def test_each_line_has_its_colour() -> None:
    styles = [style for piece, style in chart_lines(LOSS) if "━━" in piece]
    assert styles == ["cyan", "magenta"]
    assert {"cyan", "magenta"} <= {s for piece, s in chart_lines(LOSS) if piece >= "⠀"}


def test_bounds_and_logarithms() -> None:
    lines = text(BUDGETS, width=30, height=4).splitlines()
    assert lines[2].startswith("100 ┤")
    assert lines[4] == "    │⠁" + " " * 29, "50 % is in the middle"
    assert lines[5] == "  0 ┤" + " " * 30
    assert lines[7] == "     4k        13k             100k"


def test_nothing_finite_is_no_chart_and_no_plot(tmp_path: Path) -> None:
    empty = Chart("", Axis(""), Axis(""), (Line("a", ((0, float("inf")),)), Line("b", ())))
    assert list(chart_lines(empty)) == []
    with pytest.raises(UsageError, match="nothing was measured"):
        write_plot(empty, tmp_path / "a.png")


@given(
    st.lists(st.tuples(st.floats(1, 1e9), st.floats(-1e9, 1e9)), min_size=1, max_size=30),
    st.booleans(),
)
def test_every_chart_keeps_its_size(points: list[tuple[float, float]], logarithmic: bool) -> None:
    line = Line("any", tuple(sorted(points)))
    chart = Chart("any", Axis("x", logarithmic=logarithmic), Axis("y"), (line,))
    lines = text(chart, width=40, height=5).splitlines()
    rows = [row.partition("┤")[2] or row.partition("│")[2] for row in lines[2:7]]
    assert [len(row) for row in rows] == [40] * 5
    assert any(row.strip() for row in rows)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (0.0312, "0.0312"), (5.312, "5.31"), (13_000, "13k"), (1_500_000, "1.5M")],
)
def test_ticks_are_short(value: float, written: str) -> None:
    assert short(value) == written


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_the_same_chart_is_the_same_picture(suffix: str, start: bytes) -> None:
    picture = drawn(BUDGETS, suffix)
    assert picture.startswith(start)
    assert picture == drawn(BUDGETS, suffix)


def test_a_plot_is_written_whole(tmp_path: Path) -> None:
    write_plot(LOSS, tmp_path / "Loss.PNG")
    content = (tmp_path / "Loss.PNG").read_bytes()
    assert struct.unpack(">II", content[16:24]) == (1036, 604)
    assert [path.name for path in tmp_path.iterdir()] == ["Loss.PNG"]


def test_what_cannot_be_drawn_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"plot\.gif is no picture .*\nEnd it with \.png, \.svg"):
        check_plot(tmp_path / "plot.gif")
    with pytest.raises(UsageError, match="there is no folder"):
        check_plot(tmp_path / "absent" / "plot.png")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"not installed\nInstall repoqa-cli\[plot\]"):
        check_plot(tmp_path / "plot.png")
