"""Opening a profile's model: the engine it names, ready to stream."""

from dataclasses import replace
from pathlib import Path

import pytest

from repoqa.errors import ModelError, UsageError
from repoqa.models.open import open_model
from repoqa.models.profile import Endpoint, Profile, load_profile
from repoqa.models.server import ServerModel
from repoqa.protocols import Silent
from repoqa.records import Prompt

PROMPT = Prompt(messages=(), segments=(), tokens=3, exact=False)
SCRIPT = "The cause is in\n\n`app.py:3`:  a typo.\n"


def scripted(path: Path) -> Profile:
    return Profile("told", "scripted", "chatml", "", weights=str(path))


def test_a_script_is_recited(tmp_path: Path) -> None:
    path = tmp_path / "script.md"
    path.write_text(SCRIPT)
    model = open_model(scripted(path), cache=tmp_path, progress=Silent())
    assert model.name == "told"
    pieces = list(model.stream(PROMPT, progress=Silent()))
    assert len(pieces) == len(SCRIPT.split())
    assert "".join(pieces) == SCRIPT
    assert "".join(model.stream(PROMPT, progress=Silent())) == SCRIPT


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.md"):
        open_model(scripted(tmp_path / "absent.md"), cache=tmp_path, progress=Silent())


def test_a_server_is_where_the_user_says(tmp_path: Path) -> None:
    profile = load_profile("server")
    with pytest.raises(UsageError) as caught:
        open_model(profile, cache=tmp_path, progress=Silent())
    assert "REPOQA_SERVER_URL" in caught.value.remedy
    endpoint = Endpoint("http://localhost:1/v1")
    named = open_model(profile, cache=tmp_path, progress=Silent(), endpoint=endpoint)
    own = replace(profile, url="http://localhost:1/v1")
    assert isinstance(named, ServerModel)
    assert isinstance(open_model(own, cache=tmp_path, progress=Silent()), ServerModel)
    assert not list(tmp_path.iterdir())
