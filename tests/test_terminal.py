"""What reaches the terminal: safe text, live Markdown, progress, suspects."""

import io
import os
import pty
import re
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from conftest import RepositoryMaker
from hypothesis import given, settings
from hypothesis import strategies as st

from repoqa.chart import Axis, Chart, Line
from repoqa.records import Citation, Suspect
from repoqa.repository.snapshot import open_snapshot
from repoqa.terminal import charts
from repoqa.terminal.links import link_of
from repoqa.terminal.output import Output, ReaderGoneError
from repoqa.terminal.progress import Bars, Lines, counted, pace, shown_progress
from repoqa.terminal.stream import settled, show
from repoqa.terminal.tables import citation_summary, place, suspect_lines
from repoqa.visible import one_line, visible


@pytest.fixture(autouse=True)
def capable_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal of the tests, whatever the one is that they were started from."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


def unmarked(line: str) -> str:
    return line


def piped() -> Output:
    return Output(io.StringIO(), io.StringIO())


def printed(output: Output) -> str:
    assert isinstance(output.stdout, io.StringIO)
    return output.stdout.getvalue()


def on_a_terminal(use: Callable[[Output], object]) -> str:
    """What `use` sends to a real terminal, both streams, with its escape sequences."""
    leader, follower = pty.openpty()
    received = bytearray()
    with (
        os.fdopen(follower, "w", encoding="utf-8", newline="") as stream,
        os.fdopen(leader, "rb", buffering=0) as screen,
    ):
        os.set_blocking(leader, False)
        use(Output(stream, stream))
        stream.flush()
        while chunk := screen.read(65536):
            received += chunk
    return received.decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode ✓ 漢字\n\tindented", "plain ünïcode ✓ 漢字\n\tindented"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("title\x07", r"title\x07"),
        ("over\rwritten", r"over\x0dwritten"),
        ("\x9b2J", r"\x9b2J"),
        ("\u202etxt.exe", r"\u202etxt.exe"),
    ],
)
def test_nothing_printed_can_drive_the_terminal(text: str, shown: str) -> None:
    assert visible(text) == shown


@settings(deadline=None)
@given(st.text())
def test_visible_text_holds_no_control_character(text: str) -> None:
    shown = visible(text)
    assert not any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert visible(shown) == shown
    assert not {"\n", "\t"} & set(one_line(text))


def test_a_closed_pipe_is_told_apart_from_other_errors() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    with pytest.raises(ReaderGoneError):
        Output(stream, stream).write("x")
    with pytest.raises(ReaderGoneError):
        Output(stream, stream).write_bytes(b"x")
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_a_pipe_gets_the_answer_line_by_line_as_it_is_written() -> None:
    output = piped()
    seen = []

    def pieces() -> Iterable[str]:
        for piece in ("The ca", "use is `a`.\nSee ", "b.py:1", "\n", "Done"):
            yield piece
            seen.append(printed(output))

    whole = show(pieces(), output, mark=unmarked, live=True)
    assert whole == "The cause is `a`.\nSee b.py:1\nDone"
    assert seen == ["", *["The cause is `a`.\n"] * 2, *["The cause is `a`.\nSee b.py:1\n"] * 2]
    assert printed(output) == whole + "\n"


def test_each_whole_line_is_marked_once_wherever_the_pieces_are_cut() -> None:
    text = "a.py:1 is\nwrong\n\nand b.py:2"
    for size in range(1, len(text) + 1):
        output = piped()
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        show(pieces, output, mark=lambda line: f"<{line}>", live=True)
        assert printed(output) == "<a.py:1 is>\n<wrong>\n<>\n<and b.py:2>\n"


def test_a_terminal_gets_rendered_markdown_in_whole() -> None:
    text = "# Cause\n\nThe **rounds** stay.\n\n```python\nx = 1\n\ny = 2\n```\n\n1. one\n\n2. two\n"
    pieces = [text[start : start + 3] for start in range(0, len(text), 3)]
    screen = on_a_terminal(lambda output: show(pieces, output, mark=unmarked, live=True))
    for word in ("Cause", "rounds", "x = 1", "y = 2", "one", "two"):
        assert word in _without_styles(screen)
    assert "**" not in _without_styles(screen)
    assert "\x1b[?25h" in screen, "the cursor is shown again"


def test_blocks_stand_apart_by_one_blank_line() -> None:
    blocks = ("One.", "# Two", "- three\n- four", "Five.", "1. six\n2. seven", "```\neight\n```")
    screen = on_a_terminal(
        lambda output: show("\n\n".join(blocks), output, mark=unmarked, live=True)
    )
    # What stays on the screen: each line after its last carriage return, cleared lines left out.
    lines = [line.strip() for line in _final_screen(screen)]
    assert "\n".join(lines) == (
        "One.\n\nTwo\n\n• three\n• four\n\nFive.\n\n1 six\n2 seven\n\n\neight\n"
    )


def test_an_interrupted_answer_stays_on_the_screen() -> None:
    def pieces() -> Iterable[str]:
        yield "The cause is in `strengthen`"
        raise KeyboardInterrupt

    def use(output: Output) -> None:
        with pytest.raises(KeyboardInterrupt):
            show(pieces(), output, mark=unmarked, live=True)

    assert "strengthen" in _without_styles(on_a_terminal(use)).rpartition("\n")[0]


def test_a_models_escape_sequences_are_shown_and_not_obeyed() -> None:
    attack = "look\x1b]0;owned\x07 [here](http://evil.example)"
    screen = on_a_terminal(lambda output: show([attack], output, mark=unmarked, live=True))
    assert "\x1b]" not in screen, "neither a title nor a hyperlink is set"
    assert "evil.example" in screen


def test_no_color_leaves_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    suspect = Suspect("a.py", 1, 2, "f", 1.0, "matches the title")

    def use(output: Output) -> None:
        output.styled(suspect_lines([suspect]))

    assert "\x1b[1;36m" in on_a_terminal(use)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "36m" not in on_a_terminal(use)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["word", "\n", "\n\n", "```", "- item", "    code", "# x", " "])))
def test_settling_only_ever_moves_on(parts: list[str]) -> None:
    text = "".join(parts)
    cuts = [settled(text[:end]) for end in range(len(text) + 1)]
    assert all(before <= after for before, after in pairwise(cuts))
    fences = [line for line in text[: cuts[-1]].splitlines() if line.lstrip().startswith("```")]
    assert len(fences) % 2 == 0, "a cut inside fenced code"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("One", 0),
        ("One\n\nTwo", 5),
        ("One\n\n  continued", 0),
        ("```\na\n\nb", 0),
        ("```\na\n\nb\n```\n\nTwo", 14),
        ("", 0),
    ],
)
def test_settled_is_what_can_no_longer_change(text: str, cut: int) -> None:
    assert settled(text) == cut


def test_suspects_as_a_pipe_sees_them() -> None:
    output = piped()
    output.styled(
        suspect_lines(
            [
                Suspect("a/b.py", 3, 9, "C.m", 2.0, "named in the traceback"),
                Suspect("e\x1bvil\n.py", 4, 4, "f", 1.0, "matches the title"),
            ]
        )
    )
    assert printed(output) == (
        "Suspects\n"
        "  1. a/b.py:3-9  C.m\n"
        "     named in the traceback\n"
        "  2. e\\x1bvil\\n.py:4  f\n"
        "     matches the title\n"
    )


def test_no_suspect_is_said() -> None:
    output = piped()
    output.styled(suspect_lines([]))
    assert printed(output) == "No code here matches the question.\n"


def test_places_as_people_write_them() -> None:
    assert place("a.py", 1, 2) == "a.py:1-2"
    assert place("a.py", 2, 2) == "a.py:2"
    assert place("a.py", 0, 0) == "a.py"


def test_what_the_citations_are_worth() -> None:
    good = Citation("a.py:1", "a.py", 1, 1, valid=True)
    bad = Citation("a.py:99", "a.py", 99, 99, valid=False)
    assert citation_summary([]) == ""
    assert citation_summary([good]) == "1 place named, all in this code"
    assert citation_summary([good, bad]) == "2 places named, 1 not in this code and marked [?: …]"


def test_a_log_file_hears_of_long_stages_only() -> None:
    now = 0.0
    notes: list[str] = []
    lines = Lines(notes.append, clock=lambda: now)
    lines.start("indexing", total=3000, unit="files")
    lines.advance(10)
    lines.finish()
    assert notes == []
    lines.start("reading the prompt", total=4000, unit="tokens")
    now = 4.0
    lines.advance(1000)
    now = 5.0
    lines.advance(1000)
    now = 40.0
    lines.advance(1000)
    now = 50.0
    lines.finish()
    lines.finish()
    assert notes == [
        "reading the prompt: 1,000 of 4,000 tokens, 250 tokens/s, 12 s left",
        "reading the prompt: 3,000 of 4,000 tokens, 75 tokens/s, 13 s left",
        "reading the prompt: 50 s, 60 tokens/s",
    ]


def test_what_is_left_is_told_in_words_for_people() -> None:
    assert pace(None, None, unit="files") == ""
    assert pace(154.4, None, unit="files") == ", 154 files/s"
    assert pace(0.4, 60, unit="files") == ", 60 s left"
    assert pace(154.4, 19.2, unit="files") == ", 154 files/s, 19 s left"
    assert pace(1_500_000, 600, unit="bytes") == ", 2 MB/s, 10 min left"


def test_bytes_are_counted_in_megabytes() -> None:
    assert counted(13_500_000, 92_871_040, unit="bytes") == "14 of 93 MB"
    assert counted(1200, 4096, unit="tokens") == "1,200 of 4,096 tokens"
    assert counted(3, unit="") == "3"


def test_a_terminal_sees_a_bar_with_its_rate_and_is_left_clean() -> None:
    def use(output: Output) -> None:
        with shown_progress(output) as progress:
            assert isinstance(progress, Bars)
            progress.start("indexing", total=4, unit="files")
            for _ in range(4):
                progress.advance()
            progress.start("loading")

    screen = on_a_terminal(use)
    assert "indexing" in screen
    assert "4 of 4 files" in screen
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l"), "the cursor is shown again"


def _final_screen(output: str) -> list[str]:
    """The lines a terminal shows in the end, by the few sequences that rich sends."""
    lines, row = [""], 0
    for part in re.split(r"(\r\n|\r|\x1b\[[0-9;?]*[A-Za-z])", output):
        if part == "\r\n":
            row += 1
            lines.extend([""] * (row + 1 - len(lines)))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part == "\x1b[1A":
            row -= 1
        elif part != "\r" and not part.startswith("\x1b"):
            lines[row] += part
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _without_styles(screen: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)


def links_on(screen: str) -> list[tuple[str, str]]:
    """The links (OSC 8) on a screen: the text and its URL."""
    found = re.findall(r"\x1b\]8;[^;]*;([^\x1b]+)\x1b\\(.*?)\x1b\]8;;\x1b\\", screen, re.DOTALL)
    return [(re.sub(r"\x1b\[[\d;]*m", "", text), url) for url, text in found]


def test_places_lead_to_their_files(make_repository: RepositoryMaker) -> None:
    root = make_repository({"my shop/café.py": "def f():\n    pass\n"})
    url = f"{root.resolve().as_uri()}/my%20shop/caf%C3%A9.py#2"
    suspects = [Suspect("my shop/café.py", 2, 3, "f", 1.0, "matches")]
    here, past = link_of(open_snapshot(root)), link_of(open_snapshot(root, revision="HEAD"))
    screen = on_a_terminal(lambda output: output.styled(suspect_lines(suspects, here)))
    assert links_on(screen) == [("my shop/café.py:2-3", url)]
    screen = on_a_terminal(lambda output: output.styled(suspect_lines(suspects, past)))
    assert "my shop/café.py:2-3" in screen
    assert links_on(screen) == []


def test_what_an_answer_cites_leads_to_it_once_it_is_checked() -> None:
    links: dict[str, str] = {}

    def mark(line: str) -> str:
        if "a.py" in line:
            links.update({"a.py:1": "file:///r/a.py#1", "a.py:12": "file:///r/a.py#12"})
        return line

    text = "See `a.py:12`, **a.py:1** and [here](http://evil.example), not data.py:1.\n\nThe end.\n"
    screen = on_a_terminal(lambda output: show([text], output, mark=mark, live=True, links=links))
    assert set(links_on(screen)) == {
        ("a.py:12", "file:///r/a.py#12"),
        ("a.py:1", "file:///r/a.py#1"),
    }
    piped_output = piped()
    show([text], piped_output, mark=mark, live=True, links=links)
    assert "\x1b" not in printed(piped_output)


def test_a_chart_is_for_terminals() -> None:
    axis = Axis("x")
    chart = Chart("Loss\x1b[2J", axis, axis, (Line("a", ((0, 0), (1, 1))),))
    screen = on_a_terminal(lambda output: charts.show(chart, output))
    assert "Loss\\x1b[2J" in screen
    assert "\x1b[36m  ━━" in screen
    output = piped()
    charts.show(chart, output)
    assert printed(output) == ""
