from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from mongo_db_server import tools
from mongo_db_server.operation import Operation

READING = {"find", "sample", "count", "distinct", "aggregate", "aggregate-db", "export", "vector-search"}
METADATA = {
    *("list-databases", "list-collections", "collection-schema", "collection-indexes", "collection-storage-size"),
    *("db-stats", "explain", "whoami"),
}
CREATING = {"insert-many", "create-collection", "create-index"}
DESTROYING = {
    *("update-many", "find-and-modify", "bulk-write", "rename-collection"),
    *("delete-many", "drop-collection", "drop-index", "drop-database"),
}
WRITING = CREATING | DESTROYING
READER = READING | METADATA
ADMIN = READER | WRITING | {"server-logs"}
GENERATIONS = ["2026-07-28", "legacy"]
ServerOf = Callable[[Any], Any]


@pytest.mark.parametrize("mode", GENERATIONS)
@pytest.mark.parametrize(("tier", "names"), [("reader", READER), ("admin", ADMIN)])
async def test_tier_decides_which_tools_exist(tier: str, names: set[str], mode: str, server_of: ServerOf) -> None:
    """The reader tier has no writing tool, in either protocol generation."""
    async with Client(server_of(tier), mode=mode) as client:
        assert {tool.name for tool in await client.list_tools()} == names


@pytest.mark.parametrize("mode", GENERATIONS)
@pytest.mark.parametrize("name", sorted(ADMIN - READER))
async def test_reader_does_not_know_writing_tools(
    name: str, mode: str, server_of: ServerOf, lines: list[dict[str, Any]]
) -> None:
    """Calling a writing tool in the reader tier is calling a tool that does not exist, and it leaves a line."""
    async with Client(server_of("reader"), mode=mode) as client:
        result = await client.call_tool(name, {"database": "shop", "collection": "x"}, raise_on_error=False)
    assert result.is_error
    assert "Unknown tool" in result.content[0].text
    assert [(line["tool"], line["outcome"]) for line in lines] == [(name, "unknown-tool")]


@pytest.mark.parametrize("tier", ["reader", "admin"])
async def test_annotations_follow_the_operation(tier: str, server_of: ServerOf) -> None:
    """What only reads says so; what may destroy says so; nothing reaches beyond the database."""
    async with Client(server_of(tier)) as client:
        hints = {tool.name: tool.annotations for tool in await client.list_tools()}
    assert {name for name, hint in hints.items() if not hint.read_only_hint} == (
        WRITING | {"aggregate"} if tier == "admin" else set()
    )
    assert {name for name, hint in hints.items() if hint.destructive_hint} == (
        DESTROYING | {"aggregate"} if tier == "admin" else set()
    )
    assert not any(hint.open_world_hint for hint in hints.values())


async def test_models_can_choose(server_of: ServerOf) -> None:
    """Every tool has a title, a description, and a description for every argument."""
    async with Client(server_of("admin")) as client:
        listed = await client.list_tools()
    for tool in listed:
        assert tool.title
        assert len(tool.description) > 60
        assert tool.output_schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False
        for name, argument in tool.input_schema["properties"].items():
            assert argument.get("description"), f"{tool.name}.{name}"
            assert "title" not in argument


def test_one_tool_per_file() -> None:
    """A tool's file is named after it."""
    folder = Path(tools.__file__).parent
    files = {path.stem.replace("_", "-") for path in folder.glob("[a-z]*.py")}
    assert {declaration.name for declaration in tools.ALL} == files


def test_only_admin_may_write() -> None:
    """Gating needs no list: the operation decides."""
    assert {operation for operation in Operation if operation.allowed_in("reader")} == {
        Operation.READ,
        Operation.METADATA,
    }
    assert all(operation.allowed_in("admin") for operation in Operation)
