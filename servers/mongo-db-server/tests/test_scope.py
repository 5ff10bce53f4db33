"""Allow and deny lists of databases, collections and tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastmcp import Client
from mcp_types import PromptReference
from mongo_db_server.errors import RefusedError
from mongo_db_server.exports import address_of
from mongo_db_server.patterns import AllowDeny, Scope
from mongo_db_server.resources import CONFIGURATION_URI, LIMITS_URI
from mongo_db_server.rules import Rules
from mongo_db_server.settings import load
from mongo_db_server.stages import prepare
from mongo_db_server.tools import ALL
from mongo_db_server.views import Views

SHOP = Scope(AllowDeny.of("shop, test_*", "test_secret"), AllowDeny.of(None, "salaries, shop.audit*, a.b"))


@pytest.mark.parametrize(
    ("name", "open_"),
    [
        ("shop", True),
        ("test_1", True),
        ("test_secret", False),
        ("TEST_SECRET", False),
        ("other", False),
        ("admin", False),
    ],
)
def test_databases(name: str, open_: bool) -> None:
    """Deny wins, in any spelling; what is not allowed is closed."""
    assert SHOP.admits_database(name) is open_


@pytest.mark.parametrize(
    ("name", "open_"),
    [
        ("orders", True),
        ("salaries", False),
        ("audit", False),
        ("audit.2026", False),
        ("a.b", False),
        ("system.js", False),
    ],
)
def test_collections(name: str, open_: bool) -> None:
    """A denied pattern is compared with the name and with database.name."""
    assert SHOP.admits_collection("shop", name) is open_


def test_a_dotted_allow_pattern_names_one_database() -> None:
    """A collection of another database does not slip in by a dot in its name."""
    scope = Scope(collections=AllowDeny.of("shop.orders", ""))
    assert scope.admits_collection("shop", "orders")
    assert not scope.admits_collection("other", "shop.orders")


def test_empty_allow_list_means_nothing() -> None:
    """Unset admits all, empty none."""
    assert AllowDeny.of(None, "").admits("x")
    assert not AllowDeny.of("", "").admits("x")


def test_an_emptied_variable_is_an_empty_list(environment: dict[str, str], use_environment: Any) -> None:
    """Other settings take an empty variable as not set; an allow-list closes."""
    use_environment(environment | {"MCP_DATABASES_ALLOW": "", "MCP_TOOLS_ALLOW": "  ", "MCP_TIME_MS_DEFAULT": ""})
    rules = Rules.of(load())
    assert (rules.scope.databases.allow, rules.tools.allow, rules.scope.collections.allow) == ((), (), None)


@pytest.mark.parametrize(
    "stage",
    [
        {"$lookup": {"from": "salaries", "localField": "a", "foreignField": "b", "as": "c"}},
        {"$lookup": {"from": {"db": "other", "coll": "x"}, "pipeline": [], "as": "c"}},
        {"$graphLookup": {"from": "salaries", "as": "c"}},
        {"$unionWith": "salaries"},
        {"$unionWith": {"coll": "salaries", "pipeline": []}},
        {"$unionWith": {"db": "other", "coll": "x"}},
        {"$facet": {"a": [{"$lookup": {"from": "x", "as": "y", "pipeline": [{"$unionWith": "salaries"}]}}]}},
        {"$out": "salaries"},
        {"$out": {"db": "other", "coll": "x"}},
        {"$merge": {"into": {"db": "test_secret", "coll": "x"}}},
        {"$merge": {"into": "audit"}},
    ],
)
def test_every_stage_is_walked(stage: dict[str, Any]) -> None:
    """No stage reaches a name that is closed, however deep it lies."""
    with pytest.raises(RefusedError, match="not among the"):
        prepare([stage], database="shop", collection="orders", tier="admin", rules=Rules(scope=SHOP), max_stages=20)


def test_unknown_stages_are_refused() -> None:
    """What a stage would read cannot be said of one that is not known."""
    with pytest.raises(RefusedError, match="is not a stage that this server knows"):
        prepare(
            [{"$changeStream": {}}], database="shop", collection="orders", tier="admin", rules=Rules(), max_stages=20
        )


VIEWS = {
    "harmless": {"viewOn": "orders", "pipeline": [{"$match": {"a": 1}}]},
    "code": {"viewOn": "orders", "pipeline": [{"$match": {"$expr": {"$function": {}}}}]},
    "writes": {"viewOn": "orders", "pipeline": [{"$facet": {"a": [{"$merge": "x"}]}}]},
    "closed": {"viewOn": "salaries", "pipeline": []},
    "joins": {"viewOn": "orders", "pipeline": [{"$lookup": {"from": "salaries", "as": "x", "pipeline": []}}]},
    "nested": {"viewOn": "joins", "pipeline": []},
    "loop": {"viewOn": "loop", "pipeline": []},
    "renames": {"viewOn": "orders", "pipeline": [{"$project": {"harmless": "$ssn"}}]},
}


async def load_views(database: str) -> dict[str, dict[str, Any]]:
    return VIEWS


@pytest.mark.parametrize("name", ["code", "writes", "closed", "joins", "nested", "loop"])
async def test_views_are_looked_through(name: str) -> None:
    """A view shows no more than a caller could ask for himself."""
    with pytest.raises(RefusedError, match="view"):
        await Views(load_views, Rules(scope=SHOP)).check([("shop", name)])


async def test_harmless_views_pass() -> None:
    """A view on what is open is open."""
    assert await Views(load_views, Rules(scope=SHOP)).check([("shop", "harmless"), ("shop", "orders")]) is None  # type: ignore[func-returns-value]


async def test_views_cannot_rename_redacted_fields() -> None:
    """With field rules, only views that keep names are open."""
    from mongo_db_server.fields import FieldRules

    views = Views(load_views, Rules(fields=FieldRules.of(None, "ssn")))
    with pytest.raises(RefusedError):
        await views.check([("shop", "renames")])
    assert await views.check([("shop", "harmless")]) is None  # type: ignore[func-returns-value]


async def test_views_are_asked_for_once_in_a_while() -> None:
    """A call costs no look at the views when one has just been taken; a change of our own is seen at once."""
    asked, now = [], [0.0]

    async def load_counted(database: str) -> dict[str, Any]:
        asked.append(database)
        return {}

    views = Views(load_counted, Rules(), clock=lambda: now[0])
    await views.check([("shop", "a"), ("shop", "b")])
    assert (asked, views.plain("shop", "c")) == (["shop"], True)
    views.forget("shop")
    await views.check([("shop", "a")])
    now[0] = 60
    assert not views.plain("shop", "a")
    await views.check([("shop", "a")])
    assert asked == ["shop"] * 3


@pytest.mark.parametrize(
    ("allow", "deny", "left"),
    [
        ("find,co*", "count", {"find", "collection-schema", "collection-indexes", "collection-storage-size"}),
        ("", "", set()),
        ("find, delete-many", "", {"find"}),
    ],
)
async def test_tools_that_are_not_allowed_do_not_exist(
    allow: str, deny: str, left: set[str], server_of: Callable[..., Any]
) -> None:
    """Patterns choose among the tools of the tier; they never add one."""
    async with Client(server_of("reader", rules=Rules(tools=AllowDeny.of(allow, deny)))) as client:
        assert {tool.name for tool in await client.list_tools()} == left


async def test_reader_and_closed_names_in_calls(server_of: Callable[..., Any]) -> None:
    """Each tool that names a collection refuses a closed one before the database hears of it."""
    base = {"database": "shop", "collection": "salaries"}
    more: dict[str, dict[str, Any]] = {
        "aggregate": {"pipeline": []},
        "distinct": {"field": "a"},
        "insert-many": {"documents": [{}]},
        "update-many": {"filter": {"a": 1}, "update": {"$set": {"a": 2}}},
        "delete-many": {"filter": {"a": 1}},
        "bulk-write": {"operations": [{"insertOne": {"document": {}}}]},
        "create-index": {"keys": {"a": 1}},
        "drop-index": {"index": "a_1"},
        "rename-collection": {"new_name": "x"},
    }
    plain = ("find", "sample", "count", "explain", "export", "collection-schema", "collection-indexes")
    metadata = ("collection-storage-size", "create-collection", "drop-collection")
    async with Client(server_of("admin", rules=Rules(scope=SHOP))) as client:
        for name in (*plain, *metadata, *more):
            result = await client.call_tool(name, {**base, **more.get(name, {})}, raise_on_error=False)
            assert "MCP_COLLECTIONS_DENY" in result.content[0].text, name
        renamed = {"database": "shop", "collection": "orders", "new_name": "salaries"}
        result = await client.call_tool("rename-collection", renamed, raise_on_error=False)
        assert "MCP_COLLECTIONS_DENY" in result.content[0].text
        for name in ("list-collections", "db-stats", "drop-database"):
            result = await client.call_tool(name, {"database": "other"}, raise_on_error=False)
            assert "MCP_DATABASES_ALLOW" in result.content[0].text, name


async def test_no_other_method_reaches_what_a_list_of_tools_closes(server_of: Callable[..., Any], lines: Any) -> None:
    """With one tool allowed, every method of the protocol does only what that tool does: no resource, no address made
    by hand, no completion asks the database."""
    query = {"database": "shop", "collection": "orders", "pipeline": [{"$group": {"_id": None, "n": {"$sum": 1}}}]}
    prompt = PromptReference(name="explain-slow-query")
    async with Client(server_of("admin", rules=Rules(tools=AllowDeny.of("whoami", "")))) as client:
        assert await client.list_resource_templates() == []
        shown = {str(resource.uri) for resource in await client.list_resources()}
        assert shown == {LIMITS_URI, CONFIGURATION_URI}
        for address in (address_of(query), "mongodb-schema://shop/orders"):
            with pytest.raises(Exception, match=r"(?i)unknown|not found"):
                await client.read_resource(address)
        for name, known in (("database", {}), ("collection", {"database": "shop"}), ("field", query)):
            texts = {key: value for key, value in known.items() if isinstance(value, str)}
            assert (await client.complete(prompt, {"name": name, "value": ""}, texts)).values == []
        for name in {declaration.name for declaration in ALL} - {"whoami"}:
            assert (await client.call_tool(name, query, raise_on_error=False)).is_error
    assert {line["outcome"] for line in lines} == {"unknown-tool"}
