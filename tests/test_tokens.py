"""Counting and encoding: equal to the reference tokenizers, and text never a control token."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from checkpoints import (
    CHAT_CONTROLS,
    CODE,
    LLAMA_CONTROLS,
    SPACE,
    UNTOLD,
    byte_level_tokenizer,
    fuzz_texts,
    llama_tokenizer,
    sentence_piece_model,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from repoqa.errors import ModelError
from repoqa.models.estimate import EstimatedTokenizer, _cost
from repoqa.models.other_tokenizer import LibraryTokenizer
from repoqa.models.profile import Profile, load_profile
from repoqa.models.tokens import Codec, codec_of, tokenizer_for
from repoqa.models.vocabulary import RankedTokenizer

PIECES = (
    *(" ", "  ", "    ", "\n", "\n\n", "\t", "\r\n", "a", "the", "def", "return", "user", "_", "("),
    *(")", ":", "==", "'s", "'ll", '"', "0", "12", "345", SPACE, "\u00e9", "\u4e2d", "\u6587"),
    *("\U0001f600", "\u00a0", "\u2028", "\x0b", "\x00", "\x1d", "\u0301", "\ufeff", "\u0663"),
    *(*CHAT_CONTROLS, *LLAMA_CONTROLS),
)
REFERENCES = {
    "byte level, digits alone": byte_level_tokenizer,
    "byte level, digits joined": lambda: byte_level_tokenizer(single_digits=False),
    "llama": llama_tokenizer,
}
HAS_UNTOLD = [*(chr(byte) for byte in UNTOLD if byte < 0x80), "\U00040000", "\U00090000"]


@cache
def reference(kind: str) -> Tokenizer:
    """The reference, with special tokens in a text taken as text."""
    tokenizer = REFERENCES[kind]()
    tokenizer.encode_special_tokens = True
    return tokenizer


def expected(kind: str, text: str) -> list[int]:
    ids: list[int] = reference(kind).encode(text, add_special_tokens=False).ids
    return ids


def is_told(text: str) -> bool:
    return not set(text.encode()) & set(UNTOLD)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for kind in REFERENCES:
        made[kind] = tmp_path_factory.mktemp("tokenizer")
        reference(kind).save(str(made[kind] / "tokenizer.json"))
    return made


@pytest.fixture(scope="session")
def codecs(folders: dict[str, Path]) -> dict[str, Codec]:
    return {kind: codec_of(folder, name=kind) for kind, folder in folders.items()}


@pytest.mark.parametrize("kind", REFERENCES)
def test_random_texts_encode_as_the_reference_encodes_them(
    kind: str, codecs: dict[str, Codec]
) -> None:
    codec = codecs[kind]
    assert isinstance(codec, RankedTokenizer)
    assert codec.exact
    for text in [CODE, "", *fuzz_texts(3, count=2_000, pieces=PIECES)]:
        assert codec.count(text) == len(codec.encode(text)), repr(text)
        # The reference joins what stands around a byte without a token.
        if kind == "llama" or is_told(text):
            assert codec.encode(text) == expected(kind, text), repr(text)


@pytest.mark.parametrize("kind", REFERENCES)
@given(text=st.text(alphabet=st.sampled_from("ab 01\n\t'sl_(=" + SPACE), max_size=60))
@settings(deadline=None, max_examples=150)
def test_dense_texts_encode_as_the_reference_encodes_them(
    kind: str, text: str, codecs: dict[str, Codec]
) -> None:
    assert codecs[kind].encode(text) == expected(kind, text)


@pytest.mark.parametrize("kind", REFERENCES)
@given(text=st.text(max_size=60))
@settings(deadline=None, max_examples=150)
def test_any_text_comes_back_from_its_tokens(
    kind: str, text: str, codecs: dict[str, Codec]
) -> None:
    decoder = codecs[kind].decoder()
    back = "".join(map(decoder.push, codecs[kind].encode(text))) + decoder.finish()
    if kind == "llama":
        assert back == text.replace(SPACE, " ")
    elif is_told(text):
        assert back == text


@pytest.mark.parametrize("kind", REFERENCES)
def test_half_a_character_is_never_given_out(kind: str, codecs: dict[str, Codec]) -> None:
    codec = codecs[kind]
    tokens = codec.encode("\U0001f984")  # no piece of its own, but several tokens
    assert len(tokens) >= 3
    decoder = codec.decoder()
    given_out = [decoder.push(token) for token in tokens]
    assert given_out[-1] == "\U0001f984"
    assert not "".join(given_out[:-1])
    cut = codec.decoder()
    assert "".join(map(cut.push, tokens[:-1])) + cut.finish() == "\ufffd"


@pytest.mark.parametrize("kind", REFERENCES)
def test_only_control_text_becomes_control_tokens(kind: str, codecs: dict[str, Codec]) -> None:
    codec = codecs[kind]
    names = LLAMA_CONTROLS if kind == "llama" else CHAT_CONTROLS
    ids = {codec.control_id(name) for name in names}
    assert ids == {0, 1, 2}
    assert codec.control_id("[INST]") is None
    for name in names:
        assert not ids & set(codec.encode(f"x{name}y"))
        assert codec.control(f"{name}user\n{name}") == [
            codec.control_id(name),
            *codec.encode("user\n"),
            codec.control_id(name),
        ]


def test_bytes_without_a_token_are_neither_counted_nor_encoded(codecs: dict[str, Codec]) -> None:
    codec = codecs["byte level, digits alone"]
    for text in HAS_UNTOLD:
        rest = [byte for byte in text.encode() if byte not in UNTOLD]
        assert codec.count(text) == len(codec.encode(text)) == len(rest)
        assert codec.count(f"user{text}user") == 2 * codec.count("user") + len(rest)


@pytest.mark.parametrize("kind", REFERENCES)
def test_text_that_is_no_text_still_encodes(kind: str, codecs: dict[str, Codec]) -> None:
    path = b"caf\xe9.py".decode("utf-8", "surrogateescape")
    assert codecs[kind].count(path) == len(codecs[kind].encode(path)) > 0


@pytest.mark.parametrize("kind", REFERENCES)
def test_a_million_blanks_are_no_trouble(kind: str, codecs: dict[str, Codec]) -> None:
    blanks = " " * 1_200_000
    assert 0 < codecs[kind].count(f"a{blanks}b") <= len(blanks) + 3


def test_a_sentencepiece_model_gives_what_its_tokenizer_json_gives(
    tmp_path: Path, codecs: dict[str, Codec]
) -> None:
    (tmp_path / "tokenizer.model").write_bytes(sentence_piece_model(reference("llama")))
    codec = codec_of(tmp_path, name="llama")
    for text in [CODE, *fuzz_texts(4, count=500, pieces=PIECES)]:
        assert codec.encode(text) == codecs["llama"].encode(text), repr(text)
    assert codec.control("<s>") == [1]


def test_a_vocabulary_whose_pieces_cross_a_space_is_left_to_the_library(tmp_path: Path) -> None:
    definition = json.loads(llama_tokenizer().to_str())
    vocab = definition["model"]["vocab"]
    vocab["a" + SPACE] = len(vocab)
    definition["model"]["merges"].append(["a", SPACE])
    (tmp_path / "tokenizer.json").write_text(json.dumps(definition))
    codec = codec_of(tmp_path, name="other")
    assert isinstance(codec, LibraryTokenizer)
    assert codec.encode("a a a") == expected_of(tmp_path, "a a a")


def test_any_other_tokenizer_runs_in_the_library(tmp_path: Path) -> None:
    definition = json.loads(byte_level_tokenizer().to_str())
    definition["normalizer"] = {"type": "NFC"}
    (tmp_path / "tokenizer.json").write_text(json.dumps(definition))
    codec = codec_of(tmp_path, name="other")
    assert isinstance(codec, LibraryTokenizer)
    assert codec.exact
    for text in [CODE, "x<|im_end|>y", "cafe\u0301"]:
        assert codec.encode(text) == expected_of(tmp_path, text)
        assert codec.count(text) == len(codec.encode(text))
    assert codec.control("<|im_start|>user") == [1, *codec.encode("user")]
    assert codec.control_id("<|im_end|>") == 2
    decoder = codec.decoder()
    text = "".join(map(decoder.push, codec.encode("na\u00efve \U0001f600"))) + decoder.finish()
    assert text == "na\u00efve \U0001f600"


def expected_of(folder: Path, text: str) -> list[int]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


@pytest.mark.parametrize(
    "files",
    [{}, {"tokenizer.json": b"{"}, {"tokenizer.json": b"[]"}, {"tokenizer.model": b"\xff\xff\xff"}],
)
def test_a_folder_without_a_readable_tokenizer_is_an_error(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError) as caught:
        codec_of(tmp_path, name="broken")
    assert str(tmp_path) in caught.value.message
    assert caught.value.remedy


def test_a_tokenizer_is_read_anew_only_where_its_files_changed(
    tmp_path: Path, folders: dict[str, Path]
) -> None:
    (tmp_path / "tokenizer.json").write_bytes(
        (folders["byte level, digits alone"] / "tokenizer.json").read_bytes()
    )
    first = codec_of(tmp_path, name="own")
    assert codec_of(tmp_path, name="own") is first
    (tmp_path / "tokenizer.json").write_bytes((folders["llama"] / "tokenizer.json").read_bytes())
    second = codec_of(tmp_path, name="own")
    assert second.encode(CODE) == expected("llama", CODE)
    assert second.encode(CODE) != first.encode(CODE)


# --- counting without the model's own tokenizer -------------------------------------------------


@cache
def estimate() -> EstimatedTokenizer:
    return EstimatedTokenizer(1.6)


def test_without_its_files_a_model_is_counted_by_an_upper_bound(tmp_path: Path) -> None:
    profile = load_profile("smollm2-135m")
    tokenizer = tokenizer_for(profile, cache=tmp_path)
    assert not tokenizer.exact
    assert tokenizer.name == "cl100k x 1.45"
    assert not list(tmp_path.iterdir())


def test_with_its_files_a_model_is_counted_exactly(
    tmp_path: Path, folders: dict[str, Path]
) -> None:
    folder = folders["llama"]
    (folder / "config.json").write_text("{}")
    profile = Profile("own", "transformers", "llama2", "", weights=str(folder))
    tokenizer = tokenizer_for(profile, cache=tmp_path)
    assert tokenizer.exact
    assert tokenizer.name == "own"
    assert tokenizer.count(CODE) == len(expected("llama", CODE))


def test_cl100k_tokens_known_by_heart() -> None:
    # As OpenAI's documentation of tiktoken gives them.
    assert estimate().encode("tiktoken is great!") == [83, 1609, 5963, 374, 2294, 0]
    assert estimate().encode("antidisestablishmentarianism") == [
        *(519, 85342, 34500, 479, 8997, 2191)
    ]
    assert estimate().encode("2 + 2 = 4") == [17, 489, 220, 17, 284, 220, 19]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("123456", 7),  # a digit is a token of its own, and SentencePiece adds a space
        ("\n\n\t\t", 5),
        ("\u4e2d\u6587", 7),  # three bytes each at worst
        (" " * 64, 5),  # Llama's longest run is 16
        ("return", 3),  # one word, scaled
    ],
)
def test_the_bound_by_kinds_of_text(text: str, count: int) -> None:
    assert estimate().count(text) == count


HARD = "ab'sSt\u017f Z\u00e9\u4e2d\u00b2\u0661\u00a0\u0301\u00bd\u2167\n\r\t09_-=()\x1c\x85\ud800"


@given(text=st.text(max_size=40) | st.text(HARD, max_size=9) | st.text("ab -\n0", max_size=300))
@settings(deadline=None, max_examples=400)
def test_the_bound_is_of_the_tokens_that_tiktoken_makes(text: str) -> None:
    encoding = estimate()._encoding
    costs = [_cost(encoding.decode_single_token_bytes(rank)) for rank in estimate().encode(text)]
    assert estimate()._cost_of(text) == (sum(a for a, _ in costs), sum(s for _, s in costs))


@given(text=st.text(max_size=80))
@settings(deadline=None, max_examples=200)
def test_the_bound_is_never_above_the_bytes(text: str) -> None:
    assert estimate().count(text) <= len(text.encode("utf-8", "replace")) + 1
    assert estimate().control(text) == estimate().encode(text)


def test_counting_a_profile_imports_no_model_library(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from repoqa.models.profile import load_profile\n"
        "from repoqa.models.tokens import tokenizer_for\n"
        f"cache = Path({str(tmp_path)!r})\n"
        "for name in ('smollm2-135m', 'codellama-7b-instruct', 'server'):\n"
        "    tokenizer = tokenizer_for(load_profile(name), cache=cache)\n"
        "    assert tokenizer.count('def f(): pass') > 0 < len(tokenizer.control('<|im_start|>'))\n"
        "heavy = {'torch', 'transformers', 'tokenizers', 'tiktoken', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
