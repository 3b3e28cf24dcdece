"""Replaces secrets in what a prompt is made of: code, question, log and diff.

A value once found is replaced wherever it stands, so that a password known by its name in a file is
not sent by a log that prints it bare. Lines are kept one to one. Nothing is written anywhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from repoqa.prompts.neutralize import neutralize
from repoqa.protocols import CodeSource
from repoqa.records import Earlier, ParsedFile, Prompt, Question
from repoqa.secrets.find import PRIVATE_KEY, find
from repoqa.secrets.mask import mark
from repoqa.secrets.values import looks_random, names_itself

_KEY_MARK = mark(PRIVATE_KEY)
_ANY_MARK = re.compile(r"\[redacted: [A-Za-z ]{1,40}\]")
# A shorter value, or letters alone, may be a word elsewhere: replaced only where it was found.
_LEAST_SPREAD = 8
# Two secrets that touch hide one another: the first is told by its end, once the second is marked.
_MOST_PASSES = 4


@dataclass(slots=True)
class Redactor:
    """The secrets found so far; texts given earlier may hold values that were found later."""

    _marks: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """How many values are replaced wherever they stand; it only grows."""
        return len(self._marks)

    def text(self, text: str, *, path: str = "") -> str:
        """`text` with a mark in place of each secret; doing it twice changes nothing more.

        `path` is the file the text is of, "" for what the user gave.
        """
        for _ in range(_MOST_PASSES):
            redacted = self._once(text, path)
            if redacted == text:
                break
            text = redacted
        return text

    def _once(self, text: str, path: str) -> str:
        found = find(text, path=path)
        for secret in found:
            self._learn(text[secret.start : secret.end], secret.kind)
        known = self._standing_in(text)
        pieces: list[str] = []
        end = 0
        for secret in found:
            pieces += (self._replaced(known, text[end : secret.start]), mark(secret.kind))
            end = secret.end
        return "".join((*pieces, self._replaced(known, text[end:])))

    def question(self, question: Question) -> Question:
        """`question` without the secrets in its text, log and diff, and in what was read there."""

        def each(texts: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(self.text(text) for text in texts)

        # A long log is scanned once; what is known by a later text alone is replaced in it after.
        log, diff, text = (self.text(part) for part in (question.log, question.diff, question.text))
        return replace(
            question,
            text=text,
            title=self.text(question.title),
            body=self.text(question.body),
            identifiers=each(question.identifiers),
            errors=each(question.errors),
            code=each(question.code),
            log=self._replaced(self._standing_in(log), log),
            diff=self._replaced(self._standing_in(diff), diff),
            earlier=self._earlier(question.earlier),
        )

    def _earlier(self, earlier: Earlier | None) -> Earlier | None:
        if earlier is None:
            return None
        question, answer = self.text(earlier.question), self.text(earlier.answer)
        return replace(earlier, question=question, answer=answer)

    def leaks(self, prompt: Prompt) -> bool:
        """Whether a value stands in `prompt` that was found after its text was redacted."""
        return any(self._standing_in(part.text) is not None for part in prompt.segments)

    def _learn(self, value: str, kind: str) -> None:
        could_be_a_word = value.isalpha() or names_itself(value)
        if len(value) < _LEAST_SPREAD or could_be_a_word or value in self._marks:
            return
        # In a prompt, control tokens inside a value are broken.
        for form in (value, neutralize(value)):
            self._marks[form] = mark(kind)

    def _standing_in(self, text: str) -> re.Pattern[str] | None:
        """What finds the known values that stand in `text`; None where none does."""
        values = [value for value in self._marks if value in text]
        if not values:
            return None
        longest_first = sorted(values, key=lambda value: (-len(value), value))
        known = re.compile("|".join(map(_wherever, longest_first)))
        return known if known.search(text) else None

    def _replaced(self, known: re.Pattern[str] | None, text: str) -> str:
        return text if known is None else known.sub(lambda match: self._marks[match[0]], text)


def _wherever(value: str) -> str:
    """What finds a value: inside longer words too where it is no word itself."""
    escaped = re.escape(value)
    return escaped if looks_random(value) else rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9])"


@dataclass(slots=True)
class RedactedCode:
    """Code as a prompt may show it: the lines of `code` without their secrets."""

    code: CodeSource
    redactor: Redactor
    _lines: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def paths(self) -> Sequence[str]:
        """Every indexed path, sorted."""
        return self.code.paths

    def parsed(self, path: str) -> ParsedFile:
        """The parsed file."""
        return self.code.parsed(path)

    def lines(self, path: str) -> Sequence[str]:
        """The file's lines, as many as it has."""
        lines = self._lines.get(path)
        if lines is None:
            lines = self.code.lines(path)
            if lines:
                lines = self.redactor.text("\n".join(lines), path=path).split("\n")
            self._lines[path] = lines
        return lines

    def source_lines(self, path: str) -> Sequence[str]:
        """The file's lines with their secrets."""
        return self.code.source_lines(path)

    def defined(self, name: str) -> Sequence[str]:
        """The sorted paths that define a symbol of this name."""
        return self.code.defined(name)


def count_marks(prompt: Prompt) -> int:
    """How many secrets stand redacted in a prompt; a key of several lines is one."""
    lines = [line for part in prompt.segments for line in part.text.split("\n")]
    total = sum(len(_ANY_MARK.findall(line)) for line in lines if "[redacted: " in line)
    return total - sum(_KEY_MARK in one and _KEY_MARK in other for one, other in pairwise(lines))
