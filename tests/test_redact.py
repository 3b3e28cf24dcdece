"""No secret of the code or the evidence reaches a prompt or the cache, and nothing else changes."""

import json
import string
import zlib
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest
from conftest import RepositoryMaker
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_code import Counter, MemoryCode

from repoqa.diagnosis.prepare import Preparation, Setup, prepare
from repoqa.evidence.question import read
from repoqa.formats.json import encode, pack_report
from repoqa.index.store import Store
from repoqa.models.profile import Profile
from repoqa.packing.budget import Room
from repoqa.packing.pack import pack
from repoqa.prompts.redact import RedactedCode, Redactor, count_marks
from repoqa.protocols import Silent
from repoqa.records import Message, Prompt, Question, Segment
from repoqa.repository.snapshot import open_snapshot

PROFILE = Profile(name="x", engine="scripted", format="chatml", summary="")
TOKEN = "ghp_" + "".join(Random(1).choices(string.ascii_letters + string.digits, k=36))
PASSWORD = "hunter2pw"
KEY = [
    "".join(Random(seed).choices(string.ascii_letters + string.digits, k=64)) for seed in range(3)
]


def prompt_of(*texts: str) -> Prompt:
    segments = tuple(Segment(text) for text in texts)
    return Prompt((Message("user", "".join(texts)),), segments, 0, True)


def prepared(
    root: Path, question: Question, *, cache: Path | None = None, redact: bool = True
) -> Preparation:
    setup = Setup(PROFILE, Counter(), 3000, cache, redact=redact)
    return prepare(question, open_snapshot(root), setup, progress=Silent())


def everything(preparation: Preparation) -> str:
    """All that is sent, shown or kept of a preparation."""
    prompt = preparation.prompt
    return "\n".join(
        [
            *(message.content for message in prompt.messages),
            *(segment.text for segment in prompt.segments),
            encode(pack_report(preparation)).decode(),
            repr(preparation.question),
        ]
    )


FILES: dict[str, str | bytes] = {
    "app/login.py": (
        f'TOKEN = "{TOKEN}"\n\n\n'
        f'def login(name):\n    return connect(name, password="{PASSWORD}")\n'
    ),
    "app/connect.py": (
        "def connect(name, password):\n"
        f'    """Fails with {PASSWORD}, and login too."""\n'
        "    input_cost_per_token = 1\n    return input_cost_per_token\n"
    ),
    "app/key.py": "\n".join(
        ["LOGIN_KEY = '''-----BEGIN RSA PRIVATE KEY-----", *KEY, "-----END RSA PRIVATE KEY-----'''"]
    ),
    "app/keyed.js": (
        f'import x from "https://user:{PASSWORD}@host/login.js";\n'
        f'export const logins = {{ "{TOKEN}": function () {{ return x; }} }};\n'
    ),
    "define.php": f"<?php\ndefine('{TOKEN}', 1);\nrequire 'https://user:{PASSWORD}@host/x.php';\n",
    "login.sh": f"source https://user:{PASSWORD}@host/login\n",
    "login.go": f'package login\n\nimport "https://user:{PASSWORD}@host/login"\n',
}
LOG = f"connecting to login as ada with {PASSWORD}\nrefused: {TOKEN}\nLoginError: no\n"


def test_a_planted_key_is_in_neither_prompt_nor_report(make_repository: RepositoryMaker) -> None:
    question = read(f"why does login of {TOKEN} fail?", log=LOG, diff=f"+x = '{TOKEN}'\n")
    preparation = prepared(make_repository(FILES), question)
    told = everything(preparation)
    assert TOKEN not in told
    assert PASSWORD not in told
    assert not any(line in told for line in KEY)
    user = preparation.prompt.messages[1].content
    assert '1 TOKEN = "[redacted: GitHub token]"\n' in user
    assert 'return connect(name, password="[redacted: password]")' in user
    assert 'Fails with [redacted: password], and login too."""' in user
    assert "input_cost_per_token = 1" in user
    assert "as ada with [redacted: password]\nrefused: [redacted: GitHub token]\n" in user
    assert "why does login of [redacted: GitHub token] fail?" in user
    assert preparation.redacted == user.count("[redacted: ") - (len(KEY) - 1)
    assert preparation.prompt.tokens <= 3000


def test_secrets_are_shown_where_the_user_wants_them(make_repository: RepositoryMaker) -> None:
    preparation = prepared(make_repository(FILES), read("why does login fail?"), redact=False)
    assert TOKEN in preparation.prompt.messages[1].content
    assert preparation.redacted == 0


def test_without_secrets_nothing_changes(make_repository: RepositoryMaker) -> None:
    plain = dict.fromkeys(("a.py", "b.py"), "def login():\n    return token_count\n")
    root = make_repository(plain)
    question = read("why does login fail?", log="LoginError: no\n")
    shown, raw = prepared(root, question), prepared(root, question, redact=False)
    assert (shown.prompt, shown.question, shown.redacted) == (raw.prompt, question, 0)


def test_a_planted_key_is_not_in_the_cache(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    preparation = prepared(make_repository(FILES), read(f"login {TOKEN}", log=LOG), cache=cache)
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files
    store = Store(cache / "index")
    kept = b"".join(path.read_bytes() for path in files) + b"".join(payloads(store))
    assert b"login" in kept  # what is compressed was opened
    for secret in (TOKEN, PASSWORD, *KEY):
        assert secret.lower().encode() not in kept.lower()
    names = [s.name for path in FILES for s in preparation.index.parsed(path).symbols]
    assert "[redacted: GitHub token]" in names
    assert "login" in names


def payloads(store: Store) -> list[bytes]:
    """Every record of the cache, decompressed."""
    rows = store._database.execute("SELECT outline, postings FROM records").fetchall()
    opened: list[bytes] = []
    for outline, postings in rows:
        hashes, rest = msgspec.msgpack.decode(postings[4:])
        opened += map(zlib.decompress, msgspec.msgpack.decode(outline[4:]))
        opened += [hashes, zlib.decompress(rest)]
    return opened


def test_names_stay_sorted_where_one_is_redacted(make_repository: RepositoryMaker) -> None:
    preparation = prepared(make_repository(FILES), read("login"))
    for path in FILES:
        references = preparation.index.parsed(path).references
        assert list(references) == sorted(references, key=lambda r: (r.line, r.name, r.kind))


def test_files_that_are_not_shown_are_not_searched() -> None:
    code = MemoryCode({"a.py": "x = 1\n", "b.py": "\n".join(f"y{n} = {n}" for n in range(300))})
    shown = RedactedCode(code, Redactor())
    context = pack(code.ranking(), shown, Room(60, Counter()))
    assert [excerpt.path for excerpt in context.excerpts] == ["a.py"]
    assert list(shown._lines) == ["a.py"]


def test_a_value_found_late_is_replaced_in_what_came_before() -> None:
    redactor = Redactor()
    early = redactor.text(f"it says {PASSWORD}, not x{PASSWORD}x")
    assert PASSWORD in early
    redactor.text(f"password={PASSWORD}")
    assert redactor.leaks(prompt_of(early))
    late = redactor.text(early)
    assert late == f"it says [redacted: password], not x{PASSWORD}x"
    assert not redactor.leaks(prompt_of(late))


def test_a_value_that_is_a_name_elsewhere_is_replaced_only_in_its_place() -> None:
    redactor = Redactor()
    for text in ("login(password='abc123')", "https://ada:x86@host", "ftp://a:readonly@host"):
        assert "[redacted: password]" in redactor.text(text)
    assert redactor.text("abc123 + x86, readonly") == "abc123 + x86, readonly"


def test_a_value_with_a_control_token_in_it() -> None:
    redactor = Redactor()
    redactor.text("password = 'ab[INST]cd34'")
    assert redactor.leaks(prompt_of("it is ab[·INST]cd34 here".replace("[·", "[\N{MIDDLE DOT}")))


def test_redacted_code_is_the_code_line_by_line() -> None:
    files = {"a.py": f'x = 1\nT = "{TOKEN}"\n\ny = 2\n', "empty.py": "", "blank.py": "\n"}
    code = MemoryCode(files)
    shown = RedactedCode(code, Redactor())
    assert list(shown.paths) == list(code.paths)
    assert shown.lines("a.py") == ["x = 1", 'T = "[redacted: GitHub token]"', "", "y = 2"]
    assert [len(shown.lines(path)) for path in files] == [len(code.lines(path)) for path in files]
    assert shown.parsed("a.py") is code.parsed("a.py")
    assert shown.defined("T") == code.defined("T") == ["a.py"]


@pytest.mark.parametrize(
    ("texts", "count"),
    [
        (("none",), 0),
        (("a [redacted: AWS key] b [redacted: password]", "[redacted: secret]"), 3),
        (("1 [redacted: private key]\n2 [redacted: private key]\n3 x [redacted: AWS key]",), 2),
        (("[redacted: private key]\n\n[redacted: private key]",), 2),
    ],
)
def test_a_key_of_several_lines_counts_once(texts: Sequence[str], count: int) -> None:
    assert count_marks(prompt_of(*texts)) == count


FRAGMENTS = st.sampled_from(
    [
        *("password", "db_password", "API_KEY", "token", "secret", "key", "Bearer ", "://u:", "@h"),
        *("=", ": ", " = ", '"', "'", '\\"', "\n", "\\n", " ", ",", "(", ")", "<", ">", "[", "]"),
        *(TOKEN, PASSWORD, KEY[0], "AKIA" + "IOSFODNN7EXAMPLE", "sk-" + KEY[1][:40], "--"),
        *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "İ", "\ud800", "\r", "a1b2"),
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(FRAGMENTS, max_size=30).map("".join))


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, path=st.sampled_from(["", "a.py", "a.yml"]))
def test_lines_stay_one_to_one_and_twice_is_once(text: str, path: str) -> None:
    redactor = Redactor()
    once = redactor.text(text, path=path)
    assert once.count("\n") == text.count("\n")
    assert redactor.text(once, path=path) == once
    assert Redactor().text(text, path=path) == Redactor().text(text, path=path)
    for line in once.split("\n"):
        assert line in text or "[redacted: " in line


def test_a_secret_that_another_one_hid_is_replaced_too() -> None:
    """What looked like the middle of a word begins one, once the value before it is marked."""
    hidden, body = "AKIA" + "0" * 16, "I40+0P4E15G100001B00020IR0Y003"
    redacted = Redactor().text(f"{body}{hidden}-----BEGIN PRIVATE KEY-----{body}")
    assert hidden not in redacted
    assert Redactor().text(redacted) == redacted


@settings(max_examples=100, deadline=None)
@given(before=TEXTS, after=TEXTS)
def test_a_token_never_survives_what_stands_around_it(before: str, after: str) -> None:
    assert TOKEN not in Redactor().text(f"{before} {TOKEN} {after}")


def test_the_report_is_json_all_the_same(make_repository: RepositoryMaker) -> None:
    report = json.loads(encode(pack_report(prepared(make_repository(FILES), read("login")))))
    assert any("[redacted: " in excerpt["text"] for excerpt in report["excerpts"])
