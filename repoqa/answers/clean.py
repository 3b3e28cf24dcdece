"""Cleans a model's stream: no escape sequences, no endless blank lines, no loops.

Small models echo and loop, and Code Llama is known to go on with blank lines for ever. The stream
is ended when that shows, with a line that says so. How the text falls into pieces changes nothing.
"""

import re
from collections.abc import Iterable, Iterator

# ECMA-48: a control sequence, a control string up to its terminator, or a short escape. A string
# never spans lines, and one without an end hides at most this many characters.
LONGEST_SEQUENCE = 256
INTRODUCER = 16  # the most characters around what is bounded: `ESC ]` before, `ESC \\` behind
_PARAMETERS = rf"[0-?]{{0,{LONGEST_SEQUENCE}}}[ -/]{{0,16}}"
_SEQUENCE = re.compile(
    rf"(?:\x1b\[|\x9b){_PARAMETERS}(?:[@-~]|(?=[^ -~]))"
    rf"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\n\x1b\x07\x9c]{{0,{LONGEST_SEQUENCE}}}"
    r"(?:\x07|\x1b\\|\x9c|(?=\n))"
    r"|\x1b[ -/]{0,16}[0-OQ-WYZ\\`-~]"
)
_OPENS = re.compile(r"[\x1b\x90\x98\x9b\x9d-\x9f]")
# What may move the cursor, reorder or hide text; tab and line feed stay, a carriage return goes.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
BLANK_LINES_SHOWN = 2
BLANK_LINES_MOST = 8  # more in a row than any answer has: the model has nothing more to say
STEP = 32  # characters between two looks for a loop
# Text ends in a loop where its last characters repeat one block. A ruled line or a table's edge
# is shorter than this. Blocks that differ in numbers alone ("1. See a.py:1", "2. See a.py:2")
# count as equal, but a list of places may look like that: it takes more of them.
LOOP_WINDOW = 1600
LOOP_CHARACTERS, LOOP_REPEATS = 240, 4
NUMBERED_LOOP_CHARACTERS, NUMBERED_LOOP_REPEATS = 600, 10
STOPPED = "\n\n[stopped: the model kept repeating itself]\n"
STOPPED_BLANK = "\n\n[stopped: the model sent only blank lines]\n"
_NUMBER = re.compile(r"\d+")
_RUN = re.compile(r"\s+|\S+")


def clean(stream: Iterable[str]) -> Iterator[str]:
    """The text of `stream`, printable, ended where it loops. Trailing blank lines are dropped."""
    written, position = "", 0
    blanks = _Blanks()
    for text in _pieces(_printable(stream)):
        shown = blanks.hold(text)
        if shown:
            yield shown
        if blanks.count > BLANK_LINES_MOST:
            yield STOPPED_BLANK
            return
        written = (written + text)[-LOOP_WINDOW:]
        position += len(text)
        if position % STEP == 0 and loops(written):
            yield STOPPED
            return


def printable(text: str) -> str:
    """A whole text without escape sequences and unprintable characters."""
    return _plain(_without_sequences(text))


def loops(text: str) -> bool:
    """Whether `text` ends in a block repeated so often that no answer would."""
    if _repeats(text, LOOP_CHARACTERS, LOOP_REPEATS):
        return True
    alike = _NUMBER.sub("0", text)
    return _repeats(alike, NUMBERED_LOOP_CHARACTERS, NUMBERED_LOOP_REPEATS)


def _repeats(text: str, characters: int, repeats: int) -> bool:
    """Whether at least `characters` at the end of `text` are one block at least `repeats` times.

    The prefix function of Knuth, Morris and Pratt on the reversed text gives every period.
    """
    if len(text) < characters or not text.strip():
        return False
    reversed_text = text[::-1]
    borders = [0] * len(text)
    border = 0
    for index in range(1, len(text)):
        while border and reversed_text[index] != reversed_text[border]:
            border = borders[border - 1]
        border += reversed_text[index] == reversed_text[border]
        borders[index] = border
        length = index + 1
        if length >= characters and length >= repeats * (length - border):
            return True
    return False


class _Blanks:
    """Holds blank lines back until text follows, and squeezes them."""

    def __init__(self) -> None:
        self.count = 0
        self._held = ""
        self._started = False

    def hold(self, text: str) -> str:
        """What can be shown of `text` (white space or not) after what came before."""
        if not text.strip():
            self._held += text
            self.count = max(self._held.count("\n") - 1, 0)
            return ""
        lines = self._held.split("\n")
        self._held = ""
        self.count = 0
        if len(lines) > BLANK_LINES_SHOWN + 1:
            lines = [*lines[: BLANK_LINES_SHOWN + 1], lines[-1]]
        if not self._started:
            self._started = True
            lines = lines[-1:]
        return "\n".join(lines) + text


def _pieces(stream: Iterable[str]) -> Iterator[str]:
    """Runs of white space and runs of other text, cut at every `STEP` characters of the whole."""
    position = 0
    for text in stream:
        while text:
            block = text[: STEP - position % STEP]
            yield from _RUN.findall(block)
            position += len(block)
            text = text[len(block) :]


def _printable(stream: Iterable[str]) -> Iterator[str]:
    """`stream` without escape sequences and unprintable characters; one may be cut in two."""
    pending = ""
    for piece in stream:
        text = _without_sequences(pending + piece)
        opening = _OPENS.search(text)
        while opening and len(text) - opening.start() > LONGEST_SEQUENCE + INTRODUCER:
            text = _without_sequences(text[: opening.start()] + text[opening.end() :])
            opening = _OPENS.search(text)
        cut = opening.start() if opening else len(text)
        pending = text[cut:]
        yield _plain(text[:cut])
    yield _plain(pending)


def _without_sequences(text: str) -> str:
    """Removing one sequence may close another around it."""
    while (shorter := _SEQUENCE.sub("", text)) != text:
        text = shorter
    return text


def _plain(text: str) -> str:
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", _UNPRINTABLE.sub("", text))
