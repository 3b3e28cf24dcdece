"""Finds secrets in text: where each value stands and what kind it is. Changes nothing.

Three ways, all for values and never for names: formats that announce themselves by a prefix; what
stands where only a secret can (a private key's body, a password in a URL, a credential header); and
what is assigned to a name that ends in a word for secrets, where the value looks random. Hashes,
UUIDs and encoded fixtures are as random as keys: without such a name they are left alone.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from repoqa.secrets.assigned import assigned
from repoqa.secrets.values import looks_random, names_itself, stands_in


class Secret(NamedTuple):
    """A secret value at `text[start:end]`, inside one line. `kind` is in words for the user."""

    start: int
    end: int
    kind: str


class _Format(NamedTuple):
    """A kind of secret that can be told by its form.

    A text that holds none of `hints` is not searched, and the pattern not even compiled. Group 1 is
    the value, or the whole match where the pattern has no group. `begins_word` is asked afterwards:
    a pattern that begins with a look-behind takes ten times as long.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: str
    begins_word: bool


# A token begins a word, or follows an escape: `\\nghp_...` in a string, `%3Dghp_...` in a URL.
_BEGIN = re.compile(r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))")


def _format(kind: str, hints: str, pattern: str) -> _Format:
    return _Format(kind, tuple(hints.split()), pattern, begins_word=False)


def _token(kind: str, hints: str, pattern: str) -> _Format:
    whole = f"(?:{pattern})(?![A-Za-z0-9])"
    return _Format(kind, tuple(hints.split()), whole, begins_word=True)


PRIVATE_KEY = "private key"
PASSWORD = "password"  # noqa: S105
# Each as its issuer documents it; lengths are lower bounds, since issuers have lengthened theirs.
# Publishable keys (Stripe's pk_, account ids) are not secrets.
_FORMATS = (
    _token("AWS key", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    _token("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9_]{20,}"),
    _token("GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9_]{20,}"),
    _token(
        "GitLab token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- gloas- glimt- glagent-",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|oas|imt|agent)-[A-Za-z0-9_.-]{20,}",
    ),
    _token("Slack token", "xox xapp-", r"(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{12,}"),
    _format(
        "Slack webhook",
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9_/]{20,})",
    ),
    _token("Stripe key", "k_live_ k_test_", r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    _token("Stripe key", "whsec_", r"whsec_[A-Za-z0-9+/]{24,}={0,2}"),
    _token("Google key", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    _token("Google key", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    _token("Google token", "ya29.", r"ya29\.[A-Za-z0-9_-]{20,}"),
    _token("Anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{20,}"),
    _token("Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{30,}"),
    _token("npm token", "npm_", r"npm_[A-Za-z0-9]{30,}"),
    _token("PyPI token", "pypi-AgE", r"pypi-AgE[A-Za-z0-9_-]{40,}"),
    _token("SendGrid key", "SG.", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    _token("Twilio key", "SK", r"SK[0-9a-f]{32}"),
    _token("Telegram token", ":AA", r"\d{8,10}:AA[A-Za-z0-9_-]{32,35}"),
    _token("DigitalOcean token", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _token("Shopify token", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _token("Docker token", "dckr_pat_", r"dckr_pat_[A-Za-z0-9_-]{20,}"),
    _token("Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _token("Vault token", "hvs. hvb.", r"hv[sb]\.[A-Za-z0-9_-]{20,}"),
    _token("age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    _token("Mailchimp key", "-us", r"[0-9a-f]{32}-us\d{1,2}"),
    _token(
        "API key",
        "gsk_ xai- r8_ glsa_ glc_ NRAK- PMAK- lin_api_ ntn_ sntrys_ rubygems_ sq0 GR1348941 sbp_",
        r"(?:gsk_|xai-|r8_|glsa_|glc_|NRAK-|PMAK-|lin_api_|ntn_|sntrys_|rubygems_|sq0(?:cs|at)p-"
        r"|GR1348941|sbp_)(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}",
    ),
    _token(
        "Azure key",
        "AccountKey= SharedAccessKey=",
        r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,}={0,2})",
    ),
    # `sk-` begins style classes too (`sk-toggleable__label`): those have no long run with a digit.
    _token("API key", "sk-", r"sk-(?:[a-z]+\d?-){0,2}(?=[A-Za-z]*\d)[A-Za-z0-9_-]{20,}"),
    _token(
        "JSON web token",
        "eyJ",
        r"eyJ[A-Za-z0-9_-]{8,500}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}",
    ),
)
_URL_PASSWORD = re.compile(r"://[^\s/@:'\"<>]{0,100}:([^\s/@'\"<>]{3,200})@(?=[\w\[{%$])")
_URL_TOKEN = re.compile(r"://([A-Za-z0-9_-]{20,200})@")
# Each begins with its word, and looks back only then: one that begins with a choice takes fifty
# times as long.
_HEADERS = tuple(
    rf"{word}(?<=\b{word})\s+([A-Za-z0-9+/_.~-]{{12,}}={{0,2}})"
    for word in ("Bearer", "bearer", "Basic", "basic")
)
_HEADER_HINTS = ("Bearer", "bearer", "Basic", "basic")

# Where a word without quotes is a value, not an expression.
_SETTINGS_FILE = re.compile(
    r"(?:^|/)(?:\.env[^/]*|Dockerfile[^/]*|\.(?:npmrc|pypirc|netrc|pgpass|s3cfg|boto)|credentials"
    r"|[^/]+\.(?:env|ya?ml|properties|ini|cfg|conf|config|toml|tfvars|xml|log))$"
)

_LEAST_TOKEN = 16  # characters of the shortest token with a prefix
_LEAST_KEY_LINE = 16
_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ALONE = re.compile(r"^[^A-Za-z0-9]*([A-Za-z0-9][A-Za-z0-9+/=]*)[^A-Za-z0-9]*$")
_KEY_RUN = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_ENCODED = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9+/])")
_KEY_CHARACTERS = 16_000  # of a key without an end: a 16,384-bit RSA key has 12,900


def find(text: str, *, path: str = "") -> list[Secret]:
    """The secrets of `text`, sorted and apart from each other.

    `path` tells files of settings, where values stand without quotes; "" is a log or a question,
    where they may as well.
    """
    literal = not path or _SETTINGS_FILE.search(path) is not None
    found = [
        *_private_keys(text),
        *_formatted(text),
        *_in_urls_and_headers(text),
        *_assigned(text, literal=literal),
    ]
    found.sort(key=lambda secret: (secret.start, -secret.end))
    apart: list[Secret] = []
    for secret in found:
        if not apart or secret.start >= apart[-1].end:
            apart.append(secret)
    return apart


def _private_keys(text: str) -> Iterator[Secret]:
    start = 0
    for begin in _KEY_BEGIN.finditer(text) if "PRIVATE KEY" in text else ():
        if begin.start() < start:
            continue  # inside the block before
        limit = min(begin.end() + _KEY_CHARACTERS, len(text))
        end = _KEY_END.search(text, begin.end(), limit)
        start, limit = begin.end(), end.start() if end else limit
        inside = False
        while start < limit:
            stop = text.find("\n", start, limit)
            stop = limit if stop < 0 else stop
            line = text[start:stop].replace("\\n", "  ").replace("\\r", "  ")
            spans = _key_runs(line, inside=inside)
            for first, last in spans:
                yield Secret(start + first, start + last, PRIVATE_KEY)
            if inside and not (spans or end):
                break  # a key that was cut off ends with its lines
            inside = bool(spans)
            start = stop + 1


def _key_runs(line: str, *, inside: bool) -> list[tuple[int, int]]:
    """Where a line of a key's block holds its encoded bytes: alone, quoted, or behind a prefix."""
    alone = _KEY_ALONE.match(line)
    if alone and (inside or len(alone[1]) >= _LEAST_KEY_LINE):
        return [alone.span(1)]
    runs = _KEY_RUN.finditer(line)
    return [run.span() for run in runs if _ENCODED.match(run.group())]


def _formatted(text: str) -> Iterator[Secret]:
    # Few words of code are as long as the shortest token, so the hints are sought among those.
    long_words = " ".join([word for word in text.split() if len(word) >= _LEAST_TOKEN])
    for form in _FORMATS:
        if any(hint in long_words for hint in form.hints):
            yield from _of_format(form, text)


def _of_format(form: _Format, text: str) -> Iterator[Secret]:
    for match in re.compile(form.pattern).finditer(text):
        if not form.begins_word or _BEGIN.match(text, match.start()):
            group = match.re.groups
            yield Secret(match.start(group), match.end(group), form.kind)


def _in_urls_and_headers(text: str) -> Iterator[Secret]:
    for match in _URL_PASSWORD.finditer(text):
        if not (stands_in(match[1]) or names_itself(match[1])):
            yield Secret(match.start(1), match.end(1), PASSWORD)
    for match in _URL_TOKEN.finditer(text):
        if looks_random(match[1]):
            yield Secret(match.start(1), match.end(1), "token")
    for header in _HEADERS if any(hint in text for hint in _HEADER_HINTS) else ():
        for match in re.compile(header).finditer(text):
            if looks_random(match[1]) or match[1].endswith("="):
                yield Secret(match.start(1), match.end(1), "token")


def _assigned(text: str, *, literal: bool) -> Iterator[Secret]:
    for start, end, is_password in assigned(text, literal=literal):
        yield Secret(start, end, PASSWORD if is_password else "secret")
