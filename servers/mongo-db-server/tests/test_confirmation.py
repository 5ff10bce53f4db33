"""Confirmation tokens: bound, single use, short-lived, and closed by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from fastmcp import Client
from gateway_auth import CALLER, Caller
from mongo_db_server import settings
from mongo_db_server.confirmation import Confirmations, Subject
from mongo_db_server.errors import RefusedError
from mongo_db_server.operation import Operation
from mongo_db_server.server import confirmation_key
from mongo_db_server.toolkit import Declaration, InCollection
from mongo_db_server.tools import ALL

Use = Callable[[Mapping[str, str]], None]
MEANT = Subject("ada", "vscode", "delete-many", {"database": "shop", "filter": {"a": 1}})


def test_a_token_is_good_once() -> None:
    """The second use of a token does nothing."""
    confirmations = Confirmations()
    token = confirmations.issue(MEANT)
    confirmations.take(token, MEANT)
    with pytest.raises(RefusedError, match="has been used"):
        confirmations.take(token, MEANT)


@pytest.mark.parametrize(
    "other",
    [
        replace(MEANT, caller="eve"),
        replace(MEANT, caller=None),
        replace(MEANT, client="other"),
        replace(MEANT, tool="drop-collection"),
        replace(MEANT, arguments={"database": "shop", "filter": {}}),
        replace(MEANT, arguments={"database": "shop2", "filter": {"a": 1}}),
    ],
)
def test_a_token_is_good_for_one_call_of_one_caller(other: Subject) -> None:
    """Another caller, client, tool or argument needs another confirmation, and the refused try uses nothing up."""
    confirmations = Confirmations()
    token = confirmations.issue(MEANT)
    with pytest.raises(RefusedError, match="another call"):
        confirmations.take(token, other)
    assert confirmations.take(token, MEANT) is None  # type: ignore[func-returns-value]


def test_a_token_ends() -> None:
    """After its time a token is worth nothing."""
    now = [1000.0]
    confirmations = Confirmations(seconds=60, clock=lambda: now[0])
    token = confirmations.issue(MEANT)
    now[0] += 60
    with pytest.raises(RefusedError, match="is over"):
        confirmations.take(token, MEANT)


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 56, "A" * 54, "=" * 8])
def test_nonsense_is_refused(token: str) -> None:
    """A made-up token is told from an old one, and neither works."""
    with pytest.raises(RefusedError, match="Nothing was done"):
        Confirmations().take(token, MEANT)


def test_every_bit_counts() -> None:
    """A token with one character changed is refused."""
    confirmations = Confirmations()
    token = confirmations.issue(MEANT)
    for position in range(len(token) - 3):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        with pytest.raises(RefusedError):
            confirmations.take(changed, MEANT)


def test_slots_share_a_key() -> None:
    """With `MCP_CONFIRMATION_KEY` the other slot takes the token; without, it says what is wrong."""
    one, two = Confirmations(b"k" * 32), Confirmations(b"k" * 32)
    assert two.take(one.issue(MEANT), MEANT) is None  # type: ignore[func-returns-value]
    with pytest.raises(RefusedError, match="MCP_CONFIRMATION_KEY"):
        Confirmations().take(Confirmations().issue(MEANT), MEANT)


def test_tiers_with_one_key_stay_apart() -> None:
    """A token of one server is nothing to another one."""
    with pytest.raises(RefusedError, match="not given by this server"):
        Confirmations(b"k" * 32, context="a").take(Confirmations(b"k" * 32, context="b").issue(MEANT), MEANT)


def test_what_destroys_cannot_be_declared_without_a_preview() -> None:
    """The operation decides; nobody forgets to ask."""
    with pytest.raises(TypeError, match="needs a preview"):
        Declaration("x", "x", "x", Operation.DELETE, InCollection, {}, None)  # type: ignore[arg-type]
    assert {tool.name for tool in ALL if tool.operation is Operation.DELETE} == {
        *("delete-many", "drop-collection", "drop-index", "drop-database"),
    }


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_it_fails_closed_in_both_generations(
    mode: str, server_of: Callable[..., Any], lines: list[dict[str, Any]]
) -> None:
    """Whatever is given as a confirmation, only a token of this very call works; the database is not asked."""
    confirmations = Confirmations()
    other = confirmations.issue(Subject("eve", None, "drop-collection", {"database": "shop", "collection": "orders"}))
    place = {"database": "shop", "collection": "orders"}
    reset = CALLER.set(Caller("ada"))
    try:
        async with Client(server_of("admin", confirmations=confirmations), mode=mode) as client:
            for token in ("yes", "true", other):
                arguments = {**place, "confirmation": token}
                result = await client.call_tool("drop-collection", arguments, raise_on_error=False)
                assert result.is_error
    finally:
        CALLER.reset(reset)
    assert [line["outcome"] for line in lines] == ["refused"] * 3


async def test_drop_database_wants_its_name_again(server_of: Callable[..., Any]) -> None:
    """A token alone drops no database."""
    async with Client(server_of("admin")) as client:
        for typed in ({}, {"confirm_database": "Shop"}):
            arguments = {"database": "shop", "confirmation": "x", **typed}
            result = await client.call_tool("drop-database", arguments, raise_on_error=False)
            assert "once more, typed by the user" in result.content[0].text


KEY = "k" * 86 + "=="


@pytest.mark.parametrize(
    ("uri", "set_key", "shared"),
    [
        (f"mongodb://account:{KEY}@account.mongo.cosmos.azure.com:10255/?ssl=true", None, KEY.encode()),
        (f"mongodb://account:a/b+{KEY}@host/", None, f"a/b+{KEY}".encode()),
        ("mongodb://account:short@host:27017/", None, None),
        ("mongodb://host:27017/", None, None),
        (f"mongodb://account:{KEY}@host/", "s" * 32, b"s" * 32),
    ],
)
def test_slots_share_the_key_of_their_database(
    uri: str, set_key: str | None, shared: bytes | None, environment: dict[str, str], use_environment: Use
) -> None:
    """The slots of a tier hold one secret anyway; one that could be guessed from a token is not used."""
    given = {**environment, "MONGODB_URI": uri, **({"MCP_CONFIRMATION_KEY": set_key} if set_key else {})}
    use_environment(given)
    assert confirmation_key(settings.load()) == shared


def test_one_point_zero_is_one() -> None:
    """Many clients write 1.0 as 1 when they repeat a call: JSON has one kind of number."""
    meant, written = ({"update": {"$set": {"n": number}}} for number in (1.0, 1))
    confirmations = Confirmations()
    token = confirmations.issue(Subject("eve", None, "update-many", meant))
    assert confirmations.take(token, Subject("eve", None, "update-many", written)) is None  # type: ignore[func-returns-value]
