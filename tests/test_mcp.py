"""`repoqa mcp`, spoken to by the protocol's own client over real standard streams."""

import json
import os
import re
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from commands import QUESTION, ROOT, SHOP, command, environment, repoqa
from conftest import RepositoryMaker, git, write_files
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, TextContent
from review_code import PYTHON
from schemas import validator

from repoqa.errors import UsageError
from repoqa.mcp.arguments import FindCode, description_of, read_arguments, schema_of
from repoqa.mcp.boundary import inside
from repoqa.mcp.progress import Told
from repoqa.mcp.server import served_root
from repoqa.mcp.tools import TOOLS

TRACE = """\
Traceback (most recent call last):
  File "/srv/app/shop/service.py", line 14, in log_in
    self.users[user] = strengthen(password, stored, self.rounds)
  File "/srv/app/shop/passwords.py", line 13, in strengthen
    return {**stored, "digest": derive(password, stored["salt"], rounds)}
  File "/usr/lib/python3.11/hashlib.py", line 7, in pbkdf2_hmac
    raise ValueError("iteration value must be greater than 0")
ValueError: iteration value must be greater than 0
"""
Talk = Callable[[Client], Awaitable[None]]


def serving(where: Path, talk: Talk, *, mode: str = "auto") -> None:
    """Start the server in a folder and talk to it; what it says elsewhere is no protocol."""
    start, *arguments = command("mcp")
    parameters = StdioServerParameters(command=start, args=arguments, env=environment(), cwd=where)

    async def run() -> None:
        async with Client(parameters, mode=mode) as client:
            await talk(client)

    anyio.run(run)


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def fields_of(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, text_of(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    return make_repository(SHOP)


def test_an_assistant_finds_the_function_for_a_trace(shop: Path) -> None:
    async def talk(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == list(TOOLS)
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)

        found = await client.call_tool("find_code", {"log": TRACE, "limit": 2})
        fields = fields_of(found)
        validator("mcp-find").validate(fields)
        assert [file["path"] for file in fields["files"]][0] == "shop/passwords.py"
        assert len(fields["symbols"]) == 2
        assert fields["symbols"][0]["name"] == "strengthen"
        assert (
            text_of(found)
            .splitlines()[0]
            .startswith("1. shop/passwords.py:11-13 strengthen (function): named in the traceback")
        )

        explained = await client.call_tool("explain_trace", {"trace": TRACE})
        fields = fields_of(explained)
        validator("mcp-trace").validate(fields)
        assert fields["errors"] == ["iteration value must be greater than 0"]
        assert [(f["path"], f["line"]) for f in fields["frames"]] == [
            ("shop/passwords.py", 13),
            ("shop/service.py", 14),
        ]
        assert fields["frames_elsewhere"] == 1
        assert fields["suspects"][0]["name"] == "strengthen"
        assert "shop/passwords.py:13 strengthen" in text_of(explained)

    serving(shop, talk, mode="legacy")


def test_what_it_packs_is_what_the_command_packs(shop: Path) -> None:
    (shop / "shop" / "keys.py").write_text('LOG_IN_KEY = "sk-proj-' + "a1B2" * 12 + '"\n')

    async def talk(client: Client) -> None:
        asked = {"question": QUESTION, "paths": [f"{shop}/shop/basket.py:4"], "budget": 3000}
        result = await client.call_tool("pack_context", asked)
        fields = fields_of(result)
        validator("pack").validate(fields)
        assert fields["budget"]["limit"] == 3000
        assert 0 < fields["budget"]["used"] <= 3000
        assert any(e["path"] == "shop/basket.py" for e in fields["excerpts"])
        printed = repoqa("pack", QUESTION, "--path=shop/basket.py:4", "--budget=3000", where=shop)
        assert text_of(result).startswith(printed.stdout)
        assert "a1B2" not in text_of(result) + str(fields)

    serving(shop, talk)


def test_errors_are_told_and_the_server_goes_on(shop: Path) -> None:
    (shop.parent / "elsewhere.py").write_text("secret = 1\n")
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("pack_context", {"question": "x", "paths": ["../elsewhere.py"]}, "is outside the repos"),
        ("pack_context", {"question": "x", "paths": ["/etc/passwd"]}, "is outside the repository"),
        ("pack_context", {"question": "x", "paths": ["~/.ssh/id:1"]}, "is outside the repository"),
        ("pack_context", {"question": "x", "paths": ["ghost.py"]}, "ghost.py"),
        ("pack_context", {"question": "x", "budget": 5}, "budget"),
        ("pack_context", {"question": "x", "budget": "much"}, "Expected `int`, got `str`"),
        ("find_code", {"question": "x", "limit": 0}, ">= 1"),
        ("find_code", {"questoin": "x"}, "questoin"),
        ("find_code", {}, "there is no question"),
        ("find_code", {"question": "x", "revision": "--output=x"}, "--output=x"),
        ("find_code", {"question": "x", "include": ["*.ghost"]}, "leave none"),
        ("explain_trace", {}, "trace"),
        ("review_impact", {"change": "no-such"}, "no-such"),
        ("review_impact", {"patch": "this is none"}, "no patch"),
        ("find_cod", {"question": "x"}, "Did you mean find_code?"),
    ]

    async def talk(client: Client) -> None:
        for name, arguments, said in wrong:
            result = await client.call_tool(name, arguments)
            assert result.is_error, (name, arguments)
            assert said in text_of(result), (name, arguments, text_of(result))
            assert "Traceback" not in text_of(result)
        assert fields_of(await client.call_tool("find_code", {"question": QUESTION}))["symbols"]

    serving(shop, talk)


def test_what_a_change_may_break(make_repository: RepositoryMaker) -> None:
    repository = make_repository(PYTHON.files)
    write_files(repository, PYTHON.now)

    async def talk(client: Client) -> None:
        result = await client.call_tool("review_impact", {})
        fields = fields_of(result)
        validator("review").validate(fields)
        assert [change["symbol"] for change in fields["impact"]] == ["derive"]
        assert {(c["path"], c["line"]) for c in fields["impact"][0]["callers"]} == set(PYTHON.left)
        assert "shop/login.py:5: error: derive no longer fits" in text_of(result)
        patch = git(repository, "diff") + "\n"
        patched = fields_of(await client.call_tool("review_impact", {"patch": patch}))
        assert patched["impact"] == fields["impact"]

    serving(repository, talk)


def test_a_cancelled_call_stops_indexing(make_repository: RepositoryMaker) -> None:
    body = "".join(f"def work_{n}(a, b):\n    return [a, b, {n}]\n\n" for n in range(80))
    repository = make_repository({f"part_{n}.py": f"# {n}\n{body}" for n in range(120)})

    async def talk(client: Client) -> None:
        seen: list[tuple[float, float | None]] = []

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            seen.append((progress, total))
            assert message == "indexing (120 files)"
            scope.cancel()

        with anyio.CancelScope() as scope:
            await client.call_tool("find_code", {"question": "work"}, progress_callback=hear)
        assert scope.cancelled_caught
        again = fields_of(await client.call_tool("find_code", {"question": "work_7"}))
        assert seen[0] == (1.0, 120.0)
        assert 60 < again["run"]["parsed"] <= 120, "what was cancelled went on"

    serving(repository, talk)


def test_outside_a_repository_it_does_not_start(tmp_path: Path) -> None:
    done = repoqa("mcp", where=tmp_path)
    assert (done.code, done.stdout) == (3, "")
    assert "nothing to serve" in done.stderr


def test_it_ends_with_its_client_and_says_nothing_else(shop: Path) -> None:
    done = subprocess.run(
        command("mcp"), cwd=shop, env=environment(), input=b"no json\n", capture_output=True
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert all(line.startswith(b"{") for line in done.stdout.splitlines())


@given(st.text(max_size=40), st.sampled_from(["", "../", "a/../../", "/", "~", "./"]))
def test_no_name_leads_outside(name: str, before: str) -> None:
    root = Path("/work/tree")
    try:
        (place,) = inside([before + name], root)
    except UsageError:
        return
    assert not Path(place).is_absolute() or place == before + name
    assert Path(os.path.normpath(root / place)).is_relative_to(root)


def test_the_editors_are_told_to_start_it(make_repository: RepositoryMaker) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    part = readme.partition("## In your assistant")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```json\n(.*?)```", part, re.DOTALL)
    (servers,) = json.loads(block).values()
    start = servers["repoqa"]
    assert start["command"] == "repoqa"
    repository = str(make_repository(SHOP))
    arguments = [each.replace("${workspaceFolder}", repository) for each in start["args"]]
    done = repoqa(*arguments, "--help", where=Path("/"))
    assert "Model Context" in done.stdout
    assert served_root(Path(arguments[-1])) == Path(repository).resolve()


def test_progress_only_grows() -> None:
    told: list[float] = []
    progress = Told(lambda done, total, words: told.append(done), lambda: None)
    for stage, units in (("one", 3), ("two", 2)):
        progress.start(stage, total=units, unit="files")
        for _ in range(units):
            progress.advance()
        progress.finish()
    assert told == sorted(set(told))
    assert told[0] == 1
    assert told[-1] == 4, "the first of the second stage"


def test_every_tool_says_what_it_takes() -> None:
    for kind, _ in TOOLS.values():
        schema = schema_of(kind)
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert "$ref" not in str(schema)
        assert len(description_of(kind)) > 80
    assert read_arguments({"question": "x"}, FindCode).limit == 10
