"""The JSON Schemas that the output is held to."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FOLDER = Path(__file__).parent.parent / "docs" / "schema"


def validator(name: str) -> Draft202012Validator:
    """A validator for `pack` or `ask`; the schemas may refer to each other."""
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")]
    resources = [Resource.from_contents(content) for content in contents]
    registry = Registry().with_resources([(r.id() or "", r) for r in resources])
    schema = next(c for c in contents if c["$id"] == f"{name}.schema.json")
    return Draft202012Validator(schema, registry=registry)
