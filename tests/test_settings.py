"""Settings: their sources in order, and what each source may not say."""

import os
from pathlib import Path

import pytest
from conftest import Unprivileged
from hypothesis import given, settings
from hypothesis import strategies as st

from repoqa.amounts import parse_size, parse_tokens
from repoqa.errors import ExitCode, UsageError
from repoqa.setting_keys import FIELD_OF
from repoqa.settings import (
    DEFAULT_CACHE_LIMIT,
    DEFAULT_MODEL,
    NOWHERE,
    Settings,
    config_path,
    profile_directory,
    read_settings,
    trace_settings,
)


def write_config(text: str) -> Path:
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_configured_gives_the_defaults(own_environment: Path) -> None:
    settings = read_settings(environment={}, flags={})
    assert settings == Settings(cache_dir=own_environment / ".cache" / "repoqa")
    assert settings.model == DEFAULT_MODEL
    assert settings.budget is None


def test_files_are_looked_for_in_the_users_own_directories(own_environment: Path) -> None:
    assert config_path() == own_environment / ".config" / "repoqa" / "config.toml"
    assert profile_directory() == own_environment / ".config" / "repoqa" / "models"


def test_each_source_outranks_the_one_before() -> None:
    write_config('model = "a"\nbudget = "1k"\n')
    repository = b"budget = 2000\n"
    environment = {"REPOQA_BUDGET": "3k"}
    flags = {"budget": 4000, "model": None}

    def budget(**sources: object) -> int | None:
        given = {"environment": {}, "flags": {}, **sources}
        return read_settings(**given).budget  # type: ignore[arg-type]

    assert budget() == 1000
    assert budget(repository_file=repository) == 2000
    assert budget(repository_file=repository, environment=environment) == 3000
    assert budget(repository_file=repository, environment=environment, flags=flags) == 4000
    assert read_settings(environment={}, flags=flags).model == "a"


def test_every_key_can_stand_in_the_users_file_but_the_secret_one() -> None:
    write_config(
        'model = "server"\nbudget = "13k"\nanswer = 700\ncache_dir = "~/elsewhere"\n'
        'ignore = ["*.min.js"]\n[server]\nurl = "http://localhost:8000/v1"\nmodel = "x"\n'
    )
    assert read_settings(environment={}, flags={}) == Settings(
        model="server",
        budget=13_000,
        answer=700,
        server_url="http://localhost:8000/v1",
        server_model="x",
        cache_dir=Path.home() / "elsewhere",
        ignore=("*.min.js",),
    )
    write_config('api_key = "sk-123"\n')
    with pytest.raises(UsageError, match="REPOQA_API_KEY"):
        read_settings(environment={}, flags={})


def test_the_environment_can_give_every_key() -> None:
    settings = read_settings(
        environment={
            "REPOQA_MODEL": "server",
            "REPOQA_BUDGET": "13k",
            "REPOQA_ANSWER": "700",
            "REPOQA_SERVER_URL": "http://localhost:8000/v1",
            "REPOQA_SERVER_MODEL": "x",
            "REPOQA_API_KEY": "sk-123",
            "REPOQA_CACHE_DIR": "/somewhere",
            "REPOQA_IGNORE": os.pathsep.join(("*.min.js", "vendor/")),
            "PATH": "/bin",
        },
        flags={},
    )
    assert settings == Settings(
        model="server",
        budget=13_000,
        answer=700,
        server_url="http://localhost:8000/v1",
        server_model="x",
        api_key="sk-123",
        cache_dir=Path("/somewhere"),
        ignore=("*.min.js", "vendor/"),
    )
    assert "sk-123" not in repr(settings)


def test_an_empty_variable_is_not_given() -> None:
    assert read_settings(environment={"REPOQA_MODEL": ""}, flags={}).model == DEFAULT_MODEL


@pytest.mark.parametrize(
    "line",
    [
        'model = "evil"',
        'server = {url = "http://evil.example"}',
        '[server]\nmodel = "evil"',
        'api_key = "sk-123"',
        'cache_dir = "/tmp"',
        "answer = 100000",
    ],
)
def test_the_repository_may_not_choose_what_is_trusted(line: str) -> None:
    with pytest.raises(UsageError, match="is not trusted") as caught:
        read_settings(environment={}, flags={}, repository_file=line.encode())
    assert caught.value.exit_code == ExitCode.USAGE
    assert str(config_path()) in caught.value.remedy


def test_what_skips_the_hook_is_no_setting_and_no_mistake() -> None:
    assert read_settings(environment={"REPOQA_SKIP": "1"}, flags={}) == read_settings(
        environment={}, flags={}
    )


def test_the_repository_may_set_its_budget_and_what_to_ignore() -> None:
    settings = read_settings(
        environment={}, flags={}, repository_file=b'budget = "8k"\nignore = ["generated/"]\n'
    )
    assert (settings.budget, settings.ignore) == (8000, ("generated/",))


@pytest.mark.parametrize(
    ("config", "environment", "repository", "nearest"),
    [
        ('modle = "x"', {}, None, "`model`"),
        ('[server]\nurll = "x"', {}, None, "`server.url`"),
        ('server_url = "x"', {}, None, "`server.url`"),
        ("", {"REPOQA_BUGDET": "5k"}, None, "`REPOQA_BUDGET`"),
        ("", {}, b"ignored = []", "`ignore`"),
        ("zzzz = 1", {}, None, "Known are"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(
    config: str, environment: dict[str, str], repository: bytes | None, *, nearest: str
) -> None:
    write_config(config)
    with pytest.raises(UsageError) as caught:
        read_settings(environment=environment, flags={}, repository_file=repository)
    assert "there is no setting" in caught.value.message
    assert nearest in caught.value.remedy


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ("model = 3", "model"),
        ("budget = true", "budget"),
        ("ignore = 'x'", "ignore"),
        ("ignore = [1]", "ignore"),
        ("model =", "not valid TOML"),
        ("server = 'x'", "server"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong_in_it(config: str, part: str) -> None:
    path = write_config(config)
    with pytest.raises(UsageError) as caught:
        read_settings(environment={}, flags={})
    assert str(path) in caught.value.message
    assert part in caught.value.message


def test_a_settings_file_that_cannot_be_read_is_no_traceback() -> None:
    config_path().mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(environment={}, flags={})


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("13k", 13_000), ("13K", 13_000), ("1.5k", 1500), ("4096", 4096), ("100_000", 100_000)],
)
def test_token_counts_as_people_write_them(text: str, tokens: int) -> None:
    assert parse_tokens(text, origin="--budget") == tokens


@pytest.mark.parametrize("text", ["", "k", "-1", "1.5", "13kk", "13 k", "0", "0k", "1e3", "_1"])
def test_other_token_counts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--budget"):
        parse_tokens(text, origin="--budget")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("1k", 1024),
        ("500M", 500 << 20),
        ("2 GiB", 2 << 30),
        ("1.5g", 3 << 29),
    ],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text, origin="cache_limit") == size
    assert read_settings(environment={"REPOQA_CACHE_LIMIT": text}, flags={}).cache_limit == size


@pytest.mark.parametrize("text", ["", "G", "-1", "1e3", "2P", "2GG", "two", "1 G B"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        parse_size(text, origin="cache_limit")


@settings(deadline=None)
@given(st.integers(1, 10**9))
def test_a_plain_number_is_itself(tokens: int) -> None:
    assert parse_tokens(tokens, origin="x") == parse_tokens(str(tokens), origin="x") == tokens


@pytest.mark.parametrize(
    "line",
    [
        'server = "http://evil.example"',
        '[server]\naddress = "http://evil.example"',
        'server_url = "http://evil.example"',
        'model_path = "/tmp/evil"',
        'api-key = "sk-123"',
    ],
)
def test_a_misspelt_attempt_of_the_repository_is_told_for_what_it_is(line: str) -> None:
    with pytest.raises(UsageError, match="is not trusted"):
        read_settings(environment={}, flags={}, repository_file=line.encode())


@pytest.mark.parametrize("content", [b"budget = true", b"ignore = 'x'", b"budget =", b"\xff = 1"])
def test_a_wrong_file_of_the_repository_is_named(content: bytes) -> None:
    with pytest.raises(UsageError, match=r"^\.repoqa\.toml"):
        read_settings(environment={}, flags={}, repository_file=content)


def traced(**sources: object) -> dict[str, tuple[object, str]]:
    given = {"environment": {}, "flags": {}, **sources}
    found = trace_settings(**given)  # type: ignore[arg-type]
    return {setting.key: (setting.value, setting.origin) for setting in found}


def test_each_setting_tells_the_source_that_had_the_last_word() -> None:
    path = str(write_config('answer = 500\nbudget = "1k"\nmodel = "a"\n[server]\nmodel = "x"\n'))
    found = traced(
        environment={"REPOQA_BUDGET": "3k", "REPOQA_API_KEY": "sk-123"},
        flags={"model": "b", "budget": None},
        repository_file=b'budget = 2000\nignore = ["a"]',
    )
    assert found == {
        "model": ("b", "the command line"),
        "budget": (3000, "REPOQA_BUDGET"),
        "answer": (500, path),
        "server.url": ("", "default"),
        "server.model": ("x", path),
        "api_key": ("sk-123", "REPOQA_API_KEY"),
        "cache_dir": (Path.home() / ".cache" / "repoqa", "default"),
        "cache_limit": (DEFAULT_CACHE_LIMIT, "default"),
        "prefix_cache": (0, "default"),
        "rope": ("auto", "default"),
        "rope_factor": (None, "default"),
        "ignore": (("a",), ".repoqa.toml"),
    }
    key = trace_settings(environment={"REPOQA_API_KEY": "sk-123"}, flags={})
    assert "sk-123" not in repr(key)


def test_traced_settings_are_the_settings_read() -> None:
    write_config('model = "a"\nbudget = "1k"\n')
    sources = {"environment": {"REPOQA_ANSWER": "7"}, "flags": {}, "repository_file": b"budget=5"}
    read = read_settings(**sources)  # type: ignore[arg-type]
    traced = trace_settings(**sources)  # type: ignore[arg-type]
    assert [getattr(read, FIELD_OF[setting.key]) for setting in traced] == [
        setting.value for setting in traced
    ]
    assert len(traced) == len(FIELD_OF)


def test_without_a_home_nothing_below_a_folder_called_tilde_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unprivileged: Unprivileged
) -> None:
    """A user id that no one has, as containers run under: `~` stays, and is the repository's."""
    folder = tmp_path / "~" / ".config" / "repoqa"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[server]\nurl = "http://evil.example"\n')
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name)

    def read() -> Settings:
        return read_settings(environment={}, flags={})

    assert unprivileged(tmp_path, read) == Settings(cache_dir=NOWHERE)


def test_a_home_of_nobodys_is_named() -> None:
    with pytest.raises(UsageError, match="~nosuchuser/cache"):
        read_settings(environment={"REPOQA_CACHE_DIR": "~nosuchuser/cache"}, flags={})
