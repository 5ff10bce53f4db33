"""What every tool's arguments and answers look like, whichever tool it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from mongo_db_server import ejson, tools
from mongo_db_server.call import optional_names
from mongo_db_server.errors import InvalidCallError
from mongo_db_server.toolkit import Declaration, explain, input_schema
from pydantic import ValidationError

# One value that fits each argument which must be given.
REQUIRED: dict[str, Any] = {
    **{"database": "shop", "collection": "orders", "new_name": "old", "index": "a_1", "field": "a"},
    **{"vector": [0.5], "path": "embedding"},
    **{"filter": {"a": 1}, "update": {"$set": {"a": 1}}, "keys": {"a": 1}},
    **{"documents": [{"a": 1}], "pipeline": [{"$documents": []}], "operations": [{"deleteOne": {"filter": {}}}]},
}


def required(declaration: Declaration[Any]) -> dict[str, Any]:
    return {name: REQUIRED[name] for name in input_schema(declaration.arguments).get("required", [])}


OPTIONAL = [
    pytest.param(declaration, name, id=f"{declaration.name}-{name}")
    for declaration in tools.ALL
    for name in sorted(optional_names(declaration.arguments))
]


@pytest.mark.parametrize(("declaration", "name"), OPTIONAL)
def test_null_means_left_out(declaration: Declaration[Any], name: str) -> None:
    """For every optional argument of every tool, under every name that it goes by: frameworks fill in null."""
    given = required(declaration)
    assert declaration.arguments.model_validate({**given, name: None}) == declaration.arguments.model_validate(given)


@pytest.mark.parametrize("declaration", tools.ALL, ids=lambda declaration: declaration.name)
def test_the_schema_says_so(declaration: Declaration[Any]) -> None:
    """Null is a type of each optional argument and of no other."""
    schema = input_schema(declaration.arguments)
    for name, about in schema["properties"].items():
        nullable = {"type": "null"} in about.get("anyOf", [])
        assert nullable is (name not in schema.get("required", [])), name


@pytest.mark.parametrize("declaration", tools.ALL, ids=lambda declaration: declaration.name)
def test_strict_clients_take_the_schemas(declaration: Declaration[Any]) -> None:
    """No list of types, no reference, and every array says what it holds."""
    for schema in _schemas([input_schema(declaration.arguments), declaration.output]):
        assert "$ref" not in schema
        if "type" in schema:
            assert isinstance(schema["type"], str)
        assert schema.get("type") != "array" or "items" in schema, schema


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("properties", {}), dict) and not isinstance(value.get("type"), dict):
            yield value
        for inner in value.values():
            yield from _schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _schemas(inner)


def test_lists_of_objects_come_in_several_forms() -> None:
    """As text, or with objects as text; a single object is refused with the form that is wanted."""
    aggregate = next(declaration for declaration in tools.ALL if declaration.name == "aggregate")
    where = {"database": "shop", "collection": "orders"}
    for pipeline in ([{"$limit": 1}], '[{"$limit": 1}]', ['{"$limit": 1}']):
        assert aggregate.arguments.model_validate({**where, "pipeline": pipeline}).pipeline == [{"$limit": 1}]
    for single in ({"$limit": 1}, '{"$limit": 1}'):
        with pytest.raises(ValidationError) as raised:
            aggregate.arguments.model_validate({**where, "pipeline": single})
        assert explain(raised.value) == (
            "`pipeline` is not valid: must be an array of objects, as in [{…}]; this is one object."
        )


def test_a_malformed_date_shows_the_right_form() -> None:
    with pytest.raises(InvalidCallError, match=re.escape('as in {"$date": "2026-01-31T00:00:00Z"}')):
        ejson.decode({"at": {"$date": "2025-08-01"}}, "filter")
