"""Filling a gap: the token ids, where the text ends, and the bytes that are written."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checkpoints import (
    MARKS,
    SPACE,
    byte_level_tokenizer,
    code_llama_tokenizer,
    write_checkpoint,
)
from commands import SHOP, repoqa
from conftest import RepositoryMaker
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from repoqa.errors import BudgetError, JobError, UsageError
from repoqa.index.build import build
from repoqa.index.index import Index
from repoqa.index.store import Store
from repoqa.infill.block import block_of, end_of_block, text_for
from repoqa.infill.edit import unified_diff, write
from repoqa.infill.fill import Prepared, Reader, filling, ids_for, prepare
from repoqa.infill.place import Place, Site, parse_place, read_text, site_at, site_of_marker
from repoqa.models.infill import Gap
from repoqa.models.local import LocalModel
from repoqa.models.profile import Profile
from repoqa.models.tokens import codec_of
from repoqa.protocols import Silent
from repoqa.records import Prompt, Segment
from repoqa.repository.snapshot import open_snapshot
from repoqa.settings import profile_directory

PRE, SUF, MID, EOT = (MARKS[f"{SPACE}<{mark}>"] for mark in ("PRE", "SUF", "MID", "EOT"))
BOS = 1
GAP = Gap("def login(user):\n    if user.attempts", " >= 5:\n        raise Locked\n")


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return code_llama_tokenizer()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, tokenizer: Tokenizer) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    return write_checkpoint(folder, tokenizer, vocab_size=32_016)


@pytest.fixture(scope="module")
def profile(checkpoint: Path) -> Profile:
    return Profile(
        "tiny", "transformers", "continued", "", weights=str(checkpoint), answer=12,
        infill="codellama",
    )  # fmt: skip


@pytest.fixture(scope="module")
def reader(profile: Profile, checkpoint: Path) -> Reader:
    return Reader(profile, codec_of(checkpoint, name="tiny"), budget=2000)


def reference(tokenizer: Tokenizer, text: str, *, joined: bool = False) -> list[int]:
    """The ids that SentencePiece would give; of text in the middle, without a space before it."""
    if not joined:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)
    # As Meta's own code does it: behind a character that is a token of its own.
    head = list(tokenizer.encode("\u00a3", add_special_tokens=False).ids)
    ids = list(tokenizer.encode(f"\u00a3{text}", add_special_tokens=False).ids)
    assert ids[: len(head)] == head
    return ids[len(head) :]


def piece(tokenizer: Tokenizer, token: int) -> bytes:
    text = tokenizer.id_to_token(token) or ""
    if text.startswith("<0x"):
        return bytes([int(text[3:5], 16)])
    return text.replace(SPACE, " ").encode()


def site(before: str, after: str, path: str = "code.py") -> Site:
    return Site(read_text(path, (before + after).encode()), before, after)


def test_prefix_first_is_pre_prefix_suf_suffix_mid(tokenizer: Tokenizer, reader: Reader) -> None:
    before = reference(tokenizer, GAP.prefix)
    behind = reference(tokenizer, GAP.suffix, joined=True)
    psm = ids_for(GAP, replace(reader, order="psm"))
    assert psm == [BOS, PRE, *before, SUF, *behind, MID]
    spm = ids_for(GAP, replace(reader, order="spm"))
    assert spm == [BOS, PRE, SUF, *behind, MID, *before]
    assert ids_for(GAP, reader) == psm  # inside a line
    lines = Gap("x = 1\n", "y = 2\n")
    assert ids_for(lines, reader) == ids_for(lines, replace(reader, order="spm"))
    # The suffix has no space of its own: the prefix does, as any text.
    assert reference(tokenizer, "x") != reference(tokenizer, "x", joined=True)


def test_what_is_filled_in_keeps_the_space_that_it_begins_with(reader: Reader) -> None:
    for text in ("   return x", "x"):
        decoder = reader.codec.decoder(joined=True)
        assert "".join(map(decoder.push, reader.codec.encode_joined(text))) == text


def test_marks_in_the_code_are_text(reader: Reader) -> None:
    gap = Gap(f"a = '{SPACE}<PRE> <EOT> </s>'\n", f"{SPACE}<MID><SUF>\n")
    ids = ids_for(gap, replace(reader, order="psm"))
    assert [token for token in ids if token >= 32_000] == [PRE, SUF, MID]
    assert ids.count(2) == 0


@pytest.mark.parametrize("order", ["psm", "spm"])
def test_the_file_is_the_models_tokens_between_the_old_bytes(
    tokenizer: Tokenizer, reader: Reader, *, checkpoint: Path, order: Any
) -> None:
    import torch
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    reader = replace(reader, order=order)
    place = site("class Session:\n    def close(self):\n", "        self.tokens = {}\n")
    prepared = prepare(place, "code.py", None, reader=reader)
    model = LocalModel(reader.profile, checkpoint)
    filled = place.filled(filling(prepared, model, reader.profile, progress=Silent()))
    llama = LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    given = torch.tensor([prepared.ids])
    answer = llama.generate(
        given,
        attention_mask=torch.ones_like(given),
        do_sample=False,
        pad_token_id=0,
        eos_token_id=[2, EOT],
        max_new_tokens=12,
    )[0, given.shape[1] :].tolist()
    text = b"".join(piece(tokenizer, token) for token in answer).decode(errors="replace")
    end = end_of_block(text, block_of(place.gap))
    expected = text if end is None else text[:end].rstrip("\n")
    assert expected.startswith(" ") or not text.startswith(" ")
    line_end = "" if not expected.strip() or expected.endswith("\n") else "\n"
    assert filled == place.before + expected + line_end + place.after


def test_the_end_mark_ends_the_text(reader: Reader) -> None:
    """A model whose every next token is the mark writes nothing."""

    class Ending:
        codec = reader.codec

        def continued(
            self, ids: Any, *, ends: frozenset[int] = frozenset(), progress: Any
        ) -> Iterator[str]:
            for token, text in ((300, "x"), (EOT, ""), (301, "never")):
                if token in ends:
                    return
                yield text

    place = site("a = ", "\n")
    prepared = prepare(place, "code.py", None, reader=reader)
    assert filling(prepared, Ending(), reader.profile, progress=Silent()) == "x"


def test_a_base_models_text_stands_right_behind_the_prompts(
    tokenizer: Tokenizer, profile: Profile, checkpoint: Path
) -> None:
    """Where it begins with spaces, all of them are its own: code is indented by them."""
    model = LocalModel(replace(profile, stop=()), checkpoint)
    for text in ("def login(user):\n", "class Session:\n", "return\n", "x = (", "for"):
        segments = (Segment("<s>", control=True), Segment(text))
        streamed = "".join(
            model.stream(Prompt((), segments, tokens=20, exact=True), progress=Silent())
        )
        ids = [BOS, *reference(tokenizer, text)]
        assert streamed == "".join(model.continued(ids, progress=Silent()))


def test_another_seed_gives_another_answer(profile: Profile, checkpoint: Path) -> None:
    model = LocalModel(replace(profile, temperature=1.0), checkpoint)
    answers = []
    for seed in (0, 1, 0):
        model.seed = seed
        answers.append("".join(model.continued([BOS, 300, 301], progress=Silent())))
    assert answers[0] == answers[2] != answers[1]


BLOCKS = [
    # prefix, what the model writes, suffix, what is kept
    ("def f(x):\n", "    return x\n\n\ndef g():\n    pass\n", "\ny = 1\n", "    return x"),
    ("def f(x):", "\n    return x\nprint(f(1))\n", "\n", "\n    return x"),
    ("def f(x):  # why: so\n", "    return x\nf(1)\n", "\n", "    return x"),
    ("def f(x):\n    y = x\n    ", "z = y\n    return z\n\ndef g", "\n", "z = y\n    return z"),
    ("def f(x):\n    if x:\n        y()", "\n        z()\n    return", "\n", "\n        z()"),
    (
        "def f(x):\n    y = g(",
        "\n        x,\n    )\n    return y\nf()",
        "\n",
        "\n        x,\n    )",
    ),
    ("x = [", "1,\n    2,\n]\ny = 2", "\n", "1,\n    2,\n]"),
    ("x = [", "1,\n    2,\n]\ny = 2", "\n]\n", "1,\n    2,"),
    ("if (a) {\n", "    b();\n}\nc();\n", "}\n", "    b();\n"),
    ("if (a) {\n", "    b();\n} else {\n    c();\n}\n", "", "    b();"),
    ("a = 1\n", "b = 2\nc = 3\n\nd = 4\n", "\n", "b = 2\nc = 3"),
    ("a = 1\n", "\nb = 2\n\nc = 3", "\n", "\nb = 2"),
    ("", "a = 1\n\nb = 2", "", "a = 1"),
    ("def f(x):\n", "    y = x\n", "    return y\n", "    y = x\n"),
    ("def f(x):\n", "    y = x", "    return y\n", "    y = x\n"),
    ("\tif x:\n", "\t\ty()\n\tz()\n", "\n", "\t\ty()"),
]


@pytest.mark.parametrize(("prefix", "written", "suffix", "kept"), BLOCKS)
def test_the_text_ends_with_its_block(prefix: str, written: str, *, suffix: str, kept: str) -> None:
    assert text_for(list(written), Gap(prefix, suffix), trained=True) == kept
    assert text_for([written], Gap(prefix, suffix), trained=True) == kept


def test_no_more_is_asked_for_than_the_block() -> None:
    asked = []

    def pieces() -> Iterator[str]:
        for text in ("    a()\n", "b", "()\n", "c()\n"):
            asked.append(text)
            yield text

    assert text_for(pieces(), Gap("def f():\n", "\n"), trained=True) == "    a()"
    assert asked == ["    a()\n", "b"]


def test_inside_a_line_an_untrained_model_writes_that_line() -> None:
    gap = Gap("x = f(", ")\n")
    assert text_for(["1, 2", ")\ny = 3"], gap, trained=False) == "1, 2)"
    assert text_for(["1,\n      2"], gap, trained=True) == "1,\n      2"


def test_nothing_of_a_model_can_drive_a_terminal_or_hide_code() -> None:
    written = "a = '\x1b[31m\u202e'\r\n"
    assert text_for([written], Gap("", ""), trained=True) == "a = ''\n"


def test_a_model_that_repeats_itself_is_stopped() -> None:
    def endless() -> Iterator[str]:
        while True:
            yield "    total = total + 1\n"

    assert len(text_for(endless(), Gap("def f():\n", ""), trained=True)) < 1000


@pytest.mark.parametrize(
    ("place", "before"),
    [
        ("a.py:1", "ab"),
        ("a.py:1:1", ""),
        ("a.py:1:2", "a"),
        ("a.py:1:3", "ab"),
        ("a.py:2", "ab\r\n"),
        ("a.py:3", "ab\r\n\r\n  c"),
    ],
)
def test_a_place_is_a_lines_end_or_before_a_column(place: str, before: str) -> None:
    found = site_at(read_text("a.py", b"ab\r\n\r\n  c"), parse_place(place))
    assert found.before == before
    assert found.before + found.after == found.file.text


def test_places_that_are_none_are_refused() -> None:
    file = read_text("a.py", b"one\ntwo\n")
    assert site_at(file, Place("a.py", 3)).after == ""
    for place, problem in (("a.py:4", "2 lines"), ("a.py:1:5", "3 characters")):
        with pytest.raises(UsageError, match=problem):
            site_at(file, parse_place(place))
    for name in ("a.py", "a.py:0", "a.py:x", ":3"):
        with pytest.raises(UsageError, match="names no place"):
            parse_place(name)
    assert parse_place("dir:1/a.py:3:4") == Place("dir:1/a.py", 3, 4)
    with pytest.raises(UsageError, match="2 times"):
        site_of_marker(read_text("a.py", b"@@"), "@")
    with pytest.raises(UsageError, match="no text file|not a text file"):
        read_text("a.bin", b"\0\1\2")


@given(
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
    lines=st.lists(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=8)),
    data=st.data(),
)
def test_every_other_byte_stays(
    encoding: str, end: str, *, lines: list[str], data: st.DataObject
) -> None:
    content = end.join(lines).encode(encoding)
    file = read_text("a", content)
    line = data.draw(st.integers(1, file.text.count("\n") + 1))
    found = site_at(file, Place("a", line))
    assert file.encoded(found.filled("")) == content
    filled = file.encoded(found.filled("<\n>"))
    middle = f"<{end if chr(13) in file.text and end in file.text else chr(10)}>"
    before = len(file.encoded(found.before))
    assert filled[:before] == content[:before]
    assert filled[before:] == file.encoded(middle + found.after)[len(file.mark) :]


def test_writing_keeps_mode_line_ends_and_link(tmp_path: Path) -> None:
    target = tmp_path / "real.py"
    target.write_bytes(b"\xef\xbb\xbfa = \r\nb = 2\r\nc")
    target.chmod(0o754)
    link = tmp_path / "link.py"
    link.symlink_to(target)
    found = site_at(read_text("link.py", target.read_bytes()), Place("link.py", 1))
    write(link, found, found.filled("[\n]"))
    assert target.read_bytes() == b"\xef\xbb\xbfa = [\r\n]\r\nb = 2\r\nc"
    assert target.stat().st_mode & 0o7777 == 0o754
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.py", "real.py"]
    with pytest.raises(JobError, match="has changed"):
        write(link, found, found.filled("1"))
    latin = tmp_path / "latin.py"
    latin.write_bytes(b"\xe9 = \n")
    old = site_at(read_text("latin.py", latin.read_bytes()), Place("latin.py", 1))
    with pytest.raises(UsageError, match="latin-1, which has no"):
        write(latin, old, old.filled("\u4e2d"))
    assert latin.read_bytes() == b"\xe9 = \n"


def test_the_diff_is_one_that_git_applies(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a b.py": "one\r\ntwo\r\nthree"})
    found = site_at(read_text("a b.py", (root / "a b.py").read_bytes()), Place("a b.py", 3))
    diff = unified_diff(found, found.filled(" and\nfour"))
    assert diff.endswith("+four\n\\ No newline at end of file\n")
    subprocess.run(["git", "apply", "-"], cwd=root, input=diff.encode(), check=True)
    assert (root / "a b.py").read_bytes() == b"one\r\ntwo\r\nthree and\r\nfour"


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    gap = SHOP["shop/service.py"].replace("strengthen(password, stored, self.rounds)", "")
    return make_repository({**SHOP, "shop/service.py": gap})


@pytest.fixture
def index(shop: Path, tmp_path: Path) -> Index:
    return build(open_snapshot(shop), Store(tmp_path / "cache"), progress=Silent())


def prepared_shop(shop: Path, index: Index, reader: Reader) -> Prepared:
    text = read_text("shop/service.py", (shop / "shop/service.py").read_bytes())
    return prepare(site_at(text, Place("", 14)), "shop/service.py", index, reader=reader)


def test_the_definitions_used_nearby_stand_before_the_code(
    shop: Path, index: Index, reader: Reader
) -> None:
    prepared = prepared_shop(shop, index, reader)
    assert [(each.path, each.name) for each in prepared.definitions] == [
        ("shop/passwords.py", "strengthen"),
        ("shop/passwords.py", "derive"),
    ]
    decoder = reader.codec.decoder()
    text = "".join(map(decoder.push, prepared.ids))
    assert text.index("# shop/passwords.py\ndef strengthen(") < text.index('"""Logging in."""')
    assert text.count("class Service") == 1


@pytest.mark.parametrize("order", ["psm", "spm"])
def test_a_prompt_is_never_longer_than_its_budget(
    shop: Path, index: Index, *, reader: Reader, order: Any
) -> None:
    seen = set()
    for budget in (*range(60, 700, 20), 2000):
        limited = replace(reader, budget=budget, order=order)
        prepared = prepared_shop(shop, index, limited)
        assert len(prepared.ids) <= budget
        assert prepared.gap.prefix.endswith("self.users[user] = ")
        seen.add(len(prepared.definitions))
    assert seen == {0, 1, 2}
    with pytest.raises(BudgetError, match="too small"):
        prepared_shop(shop, index, replace(reader, budget=10))


@pytest.fixture
def tiny(checkpoint: Path) -> str:
    """The tiny model as a profile of the user's own."""
    profile_directory().mkdir(parents=True)
    (profile_directory() / "tiny.toml").write_text(
        'engine = "transformers"\nformat = "continued"\nsummary = ""\ninfill = "codellama"\n'
        f'weights = "{checkpoint}"\nanswer = 12\nreliable_window = 1500\nmaximum = 2000\n'
    )
    return "tiny"


def test_the_command_prints_a_diff_and_writes_only_when_told(shop: Path, tiny: str) -> None:
    file = shop / "shop/service.py"
    before = file.read_bytes()
    done = repoqa("fill", "shop/service.py:14", "--model", tiny, where=shop)
    assert done.code == 0, done.stderr
    shown = "derive (shop/passwords.py), strengthen (shop/passwords.py)"
    assert f"repoqa: shown with the code around the gap: {shown}\n" in done.stderr
    assert file.read_bytes() == before
    subprocess.run(["git", "apply", "-"], cwd=shop, input=done.stdout.encode(), check=True)
    applied = file.read_bytes()
    file.write_bytes(before)
    written = repoqa("fill", "service.py:14", "--model", tiny, "--write", where=shop / "shop")
    assert (written.code, written.stdout) == (0, "")
    assert written.stderr.endswith("repoqa: service.py: line 14 is filled in\n")
    assert file.read_bytes() == applied != before
    lines = before.splitlines(keepends=True)
    assert applied.startswith(b"".join(lines[:13]) + lines[13].rstrip(b"\n"))


def test_masked_lines_are_filled_in_and_counted(tiny: str, tmp_path: Path) -> None:
    """A random model writes none of them; what was kept from another run is not asked again."""
    (tmp_path / "a.py").write_text("import os\n\n\ndef login(user):\n    return user.name\n")
    command = ("eval", "code", "--suite", "infill", "a.py", "--model", tiny, "--out", "out.jsonl")
    done = repoqa(*command, where=tmp_path)
    assert done.code == 0, done.stderr
    kept = (tmp_path / "out.jsonl").read_text()
    assert kept.count('"reason":"another line"') == 3
    assert all(f'"task":"a.py:{line}"' in kept for line in (1, 4, 5))
    (tmp_path / "out.jsonl").write_text(kept.replace("another line", "", 1))
    done = repoqa(*command, where=tmp_path)
    assert (done.code, done.stdout) == (
        0,
        "| infill | lines | exact, % |\n"
        "| ------ | ----: | -------: |\n"
        "| tiny   |     3 |     33.3 |\n",
    )


def test_a_marker_in_standard_input(shop: Path, tiny: str) -> None:
    code = b"from shop.passwords import derive\n\nx = <FILL>\n"
    done = repoqa("fill", "--marker", "<FILL>", "--model", tiny, where=shop, stdin=code)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("--- a/standard input\n+++ b/standard input\n@@ -1,3 +1,"), (
        done.stdout
    )
    assert "\n-x = <FILL>\n+x = " in done.stdout


def test_a_model_without_infilling_says_so_and_goes_on(
    make_repository: RepositoryMaker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = write_checkpoint(tmp_path_factory.mktemp("plain"), byte_level_tokenizer())
    profile_directory().mkdir(parents=True)
    (profile_directory() / "plain.toml").write_text(
        'engine = "transformers"\nformat = "chatml"\nsummary = ""\n'
        f'weights = "{folder}"\nanswer = 12\nreliable_window = 1500\nmaximum = 2000\n'
    )
    root = make_repository({"a.py": "def login(user):\n    return \n"})
    done = repoqa("fill", "a.py:2", "--model", "plain", where=root)
    assert done.code == 0, done.stderr
    assert "plain was not trained to fill gaps: it goes on from the code before" in done.stderr
    assert "\n-    return \n+    return " in done.stdout
    reader = Reader(Profile("plain", "transformers", "chatml", ""), codec_of(folder, name=""), 500)
    prepared = prepare(site("def f():\n", "\nnever shown\n"), "a.py", None, reader=reader)
    assert list(prepared.ids) == reader.codec.encode("def f():\n")
    nothing = prepare(site("", "x = 1\n"), "a.py", None, reader=reader)
    assert list(nothing.ids) == reader.codec.encode("\n")  # a model cannot go on from no token


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["fill"], 2, "there is no place to fill in"),
        (["fill", "a.py"], 2, "'a.py' names no place in a file"),
        (["fill", "gone.py:3"], 2, "gone.py cannot be read"),
        (["fill", "a.py:9"], 2, "a.py has 1 lines, so no line 9"),
        (["fill", "a.py:1", "--order", "x"], 2, "--order: there is no 'x'"),
        (["fill", "a.py:1", "--model", "server"], 2, "does not run on this machine"),
        (["fill", "-", "--marker", "@", "--write"], 2, "standard input cannot be written into"),
    ],
)
def test_what_cannot_be_filled_is_told(
    make_repository: RepositoryMaker, *, arguments: list[str], code: int, problem: str
) -> None:
    done = repoqa(*arguments, where=make_repository({"a.py": "x = 1\n"}))
    assert (done.code, done.stdout) == (code, ""), done
    assert problem in done.stderr
