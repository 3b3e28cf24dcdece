"""Finds secrets by what they are assigned to: a name that ends in a word for secrets."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from repoqa.secrets.values import could_be_password, looks_random, stands_in

# A name counts by its last word: `db_password`, `clientSecret` and `"api-key"`, not `token_count`,
# `tokenizer` or `password_field`. A stage may follow: `DB_PASSWORD_PROD`.
_NAME = re.compile(
    r"(?P<noun>passw(?:or)?d|passphrase|pwd|secret|token|credentials?|key)"
    r"(?:[-_](?:prod(?:uction)?|staging|dev|test|live|default|value|base64|b64|old|new|\d))?"
    r"(?![a-z0-9_])"
)
# Words before `key` and `token`: after these a value is a secret, else it has to look
# random.
_CERTAIN = ("secret", "api", "access", "auth", "app", "bearer", "refresh", "deploy", "bot")
_POSSIBLE = ("private", "signing", "encryption", "account", "service", "master", "client", "shared")
_SEPARATORS = "-_. "
_BEFORE = 40  # characters before a name's last word that are looked at
_IN_A_MARK = re.compile(r"\[redacted: [a-z ]*$")  # `[redacted: GitHub token]` is no name
_VALUE = re.compile(
    # The end of a quoted or indexed name, then at most a type, then what joins name and value.
    r"(?:\\?[\"'`])?\]?"
    r"(?:[^\S\n]*:[^\S\n]*[A-Za-z][\w.<>\[\]| ]{0,40}?(?=[^\S\n]*=))?"
    r"(?P<join>[^\S\n]*(?:=>|:=|===?|!==?|[=:,(>])[^\S\n]*|[^\S\n]+(?=[\"'`A-Za-z0-9+/]))"
    r"(?:[@$bBrRuUfFL]{0,2}(?P<quote>\\?[\"'`])(?P<text>(?:[^\\\n]|\\[^\n]){4,300}?)(?P=quote)"
    r"|(?P<bare>[A-Za-z0-9+/_.~!@#%^*$-][A-Za-z0-9+/_.~!@#%^*=$-]{5,300})(?=[\s&;,\"'`)<\\]|$))"
)
_LEAST_PASSWORD, _LEAST_VALUE = 6, 8  # characters


class Assignment(NamedTuple):
    """A secret value at `text[start:end]`, and whether its name calls it a password."""

    start: int
    end: int
    is_password: bool


class _Name(NamedTuple):
    """What stands before a value. `trust` is whether it holds a secret for certain, perhaps or
    not; `is_option` whether it is a command's option: `--db-password hunter2pw`."""

    trust: Literal["certain", "possible", ""]
    is_password: bool
    is_option: bool


def assigned(text: str, *, literal: bool) -> Iterator[Assignment]:
    """The secrets that `text` assigns to names. `literal`: a word without quotes is a value, as in
    files of settings and logs; else it is an expression, and has to look random."""
    # The one letter whose lower case is two characters would move all that follows it.
    lowered = text.replace("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "I").lower()
    for found in _NAME.finditer(lowered):
        given = _VALUE.match(text, found.end())
        if given is None:
            continue
        before = lowered[max(found.start() - _BEFORE, 0) : found.start()]
        name = _name(found["noun"], before)
        if _is_secret(name, given, literal=literal):
            group = "text" if given["bare"] is None else "bare"
            yield Assignment(given.start(group), given.end(group), name.is_password)


def _name(noun: str, before: str) -> _Name:
    trust: Literal["certain", "possible", ""] = "certain"
    if _IN_A_MARK.search(before):
        trust = ""
    elif noun in ("key", "token"):
        if not before.rstrip(_SEPARATORS).endswith(_CERTAIN):
            possible = noun == "token" or before.rstrip(_SEPARATORS).endswith(_POSSIBLE)
            trust = "possible" if possible else ""
    elif noun.startswith("credential"):
        trust = "possible"
    return _Name(trust, noun.startswith("p"), before.rpartition(" ")[2].startswith("--"))


def _is_secret(name: _Name, given: re.Match[str], *, literal: bool) -> bool:
    value, join = given["text"] or given["bare"], given["join"].strip()
    if not name.trust or stands_in(value):
        return False
    expression = given["bare"] is not None and not literal
    if looks_random(value):
        return bool(join) or not expression
    # Prose, and an argument after another, only stand side by side with what they look named by.
    side_by_side = join == "," or not join and not (literal and name.is_option)
    if name.trust != "certain" or expression or side_by_side:
        return False
    least = _LEAST_PASSWORD if name.is_password else _LEAST_VALUE
    return could_be_password(value, least=least)
