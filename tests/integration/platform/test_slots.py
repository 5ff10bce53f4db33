"""Two slots per tier, lists of tools, a secret from the vault: deployed as by somebody who sets variables."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.support import own_platform
from tests.support.platform_under_test import Answer, Platform

pytestmark = [pytest.mark.usefixtures("local_only"), pytest.mark.minutes(1)]

NO_LIMIT = {"rate_limit": own_platform.NO_LIMIT}
TIERS = {
    "admin": {"role": "Mcp.Admin", "connection": "read-write", **NO_LIMIT},
    "reader": {
        "role": "Mcp.Read",
        "connection": "read-only",
        "tools": {"allow": ["list-*", "find", "count"], "deny": ["list-collections"]},
        **NO_LIMIT,
    },
}
SECRET = """resource "azurerm_key_vault_secret" "search" {
  name         = "search-key"
  key_vault_id = module.key_vault.id
  value        = "found in the vault"
}
"""


@pytest.fixture(scope="module")
def two_slots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = own_platform.copied(tmp_path_factory.mktemp("slots"))
    own_platform.change_server(platform, slots=["a", "b"], secrets={"SEARCH_KEY": "search-key"}, tiers=TIERS)
    (own_platform.terraform(platform) / "stage1/search.tf").write_text(SECRET, encoding="utf-8")
    with own_platform.deployed(platform):
        yield platform


def home(platform: Platform) -> Path:
    return Path(platform.variables["TWIN_HOME"])


def tool(platform: Platform, user: str, name: str, arguments: dict[str, Any] | None = None, **options: Any) -> Answer:
    return platform.call("tools/call", {"name": name, "arguments": arguments or {}}, user=user, **options)


def calls(platform: Platform, tier: str) -> dict[str, int]:
    """Tool calls in each slot's audit log."""
    return {
        slot: (home(platform) / f"logs/aci-mongodb-{tier}-{slot}.log").read_text(encoding="utf-8").count('"tool":')
        for slot in ("a", "b")
    }


def load(call: Callable[[int], Answer], until: Event, clients: int = 6) -> list[Answer]:
    """Calls from several clients at once, each as soon as its last one ended."""

    def client(number: int) -> list[Answer]:
        found, count = [], 0
        while not until.is_set():
            found.append(call(number * 1_000_000 + count))
            count += 1
        return found

    with ThreadPoolExecutor(clients) as pool:
        return [answer for answers in pool.map(client, range(clients)) for answer in answers]


def load_while_a_slot_dies(platform: Platform, part: str, call: Callable[[int], Answer]) -> list[Answer]:
    """The slot's process is killed under load; the runtime starts another. Ends when that one is there."""
    done = Event()
    call(999_999_999)
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(load, call, done)
        try:
            killed = serving(platform, part)
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            _wait(lambda: serving(platform, part) not in (None, killed))
        finally:
            done.set()
        return answers.result()


def serving(platform: Platform, part: str) -> int | None:
    """Process id of a part that answers; `invoke status` says the same, more slowly."""
    found = json.loads((home(platform) / "run/status.json").read_text(encoding="utf-8"))["parts"][part]
    return int(found["pid"]) if found["healthy"] else None


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the runtime did not restart the slot"
        time.sleep(0.1)


def test_a_secret_reaches_the_servers_and_nothing_else(two_slots: Platform) -> None:
    """In the process's environment, as in the container's; in no plain value of the state and no log."""
    pid = two_slots.status["pids"]["aci-mongodb-reader-b"]
    assert b"SEARCH_KEY=found in the vault\0" in Path(f"/proc/{pid}/environ").read_bytes()
    logs = "".join(path.read_text(errors="replace") for path in (home(two_slots) / "logs").rglob("*.log"))
    assert "found in the vault" not in logs


@pytest.mark.parametrize(("user", "tier"), [("reader", "reader"), ("admin", "admin")])
def test_both_slots_are_called(two_slots: Platform, user: str, tier: str) -> None:
    """Calls of one caller go to all replicas of the tier."""
    before = calls(two_slots, tier)
    for _ in range(20):
        assert tool(two_slots, user, "list-databases").status == 200
    after = calls(two_slots, tier)
    assert sum(after.values()) - sum(before.values()) == 20
    assert min(after[slot] - before[slot] for slot in after) > 0


def test_one_slot_takes_the_confirmation_that_the_other_gave(two_slots: Platform) -> None:
    """Calls are spread, so that a confirmation comes back to either slot: both seal with the key they share."""
    place = {"database": "slots", "collection": "confirmed", "filter": {"none": 1}}
    for number in range(8):
        asked = tool(two_slots, "admin", "delete-many", place, id=number).json["result"]["structuredContent"]
        done = tool(two_slots, "admin", "delete-many", {**place, "confirmation": asked["confirmation"]}, id=number)
        assert done.json["result"]["structuredContent"]["deleted"] == 0, done.text


def test_sessions_of_old_versions_need_no_slot(two_slots: Platform) -> None:
    """The server keeps nothing between requests: it gives no session, and any slot answers what another initialised."""
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    headers = {"MCP-Protocol-Version": "2025-06-18"}
    begun = two_slots.call("initialize", client, user="admin", headers=headers)
    assert (begun.status, begun.json["result"]["protocolVersion"]) == (200, "2025-06-18")
    assert "mcp-session-id" not in begun.headers
    before = calls(two_slots, "admin")
    assert {tool(two_slots, "admin", "list-databases", headers=headers).status for _ in range(20)} == {200}
    after = calls(two_slots, "admin")
    assert min(after[slot] - before[slot] for slot in after) > 0


def test_a_slot_that_dies_under_load_fails_no_read(two_slots: Platform) -> None:
    """Whatever was under way is read again from the other slot."""
    answers = load_while_a_slot_dies(
        two_slots, "aci-mongodb-reader-a", lambda number: tool(two_slots, "reader", "list-databases", id=number)
    )
    assert len(answers) > 50
    assert [answer for answer in answers if answer.status != 200 or "result" not in answer.json] == []


def test_a_slot_that_dies_under_load_repeats_no_write(two_slots: Platform) -> None:
    """A write is there once, or, where the caller was told that it failed, at most once."""
    place = {"database": "slots", "collection": "writes"}
    written: dict[int, int] = {}

    def insert(number: int) -> Answer:
        answer = tool(two_slots, "admin", "insert-many", {**place, "documents": [{"number": number}]}, id=number)
        written[number] = answer.status
        return answer

    answers = load_while_a_slot_dies(two_slots, "aci-mongodb-admin-a", insert)
    assert len(answers) > 50
    assert {answer.status for answer in answers} <= {200, 502}
    grouped = [{"$group": {"_id": "$number", "times": {"$sum": 1}}}, {"$limit": 10000}]
    found = tool(two_slots, "admin", "aggregate", {**place, "pipeline": grouped, "limit": 10000})
    times = {int(entry["_id"]): entry["times"] for entry in _documents(found)}
    assert Counter(times.values()).keys() == {1}
    assert {number for number, status in written.items() if status == 200} <= times.keys()


@contextmanager
def stopped(platform: Platform, part: str) -> Iterator[int]:
    """The part is alive, its port takes connections, and nothing is answered; it goes on afterwards."""
    pid = serving(platform, part)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_a_slot_that_hangs_stalls_no_reader(two_slots: Platform) -> None:
    """Of eight callers each loses one short wait, and then the other slot answers all of them."""
    done, waits = Event(), list[float]()

    def call(number: int) -> Answer:
        begun = time.monotonic()
        answer = tool(two_slots, "reader", "list-databases", id=number)
        waits.append(time.monotonic() - begun)
        return answer

    call(999_999_999)
    waits.clear()  # the first one also signed in
    with ThreadPoolExecutor(1) as pool, stopped(two_slots, "aci-mongodb-reader-a"):
        answers = pool.submit(load, call, done, 8)
        time.sleep(25)
        in_time = len(waits)
        done.set()
        found = answers.result()
    assert in_time > 500, f"{in_time} answers in 25 s, the longest after {max(waits):.1f} s"
    assert [answer for answer in found if answer.status != 200 or "result" not in answer.json] == []
    assert max(waits) < 20


def test_a_slot_that_hangs_loses_only_the_writes_that_it_holds(two_slots: Platform) -> None:
    """New ones go elsewhere at once, and nothing is written twice."""
    place = {"database": "slots", "collection": "hung"}

    def insert(number: int) -> Answer:
        return tool(two_slots, "admin", "insert-many", {**place, "documents": [{"number": number}]}, id=number)

    insert(1)
    with stopped(two_slots, "aci-mongodb-admin-a"):
        time.sleep(6)  # longer than a slot counts as alive without being asked
        begun = time.monotonic()
        assert {insert(number).status for number in range(2, 22)} == {200}
        assert time.monotonic() - begun < 10
    grouped = [{"$group": {"_id": "$number", "times": {"$sum": 1}}}]
    found = tool(two_slots, "admin", "aggregate", {**place, "pipeline": grouped})
    assert [entry["times"] for entry in _documents(found)] == [1] * 21


def _documents(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json["result"]["structuredContent"]["documents"]
    return found


def test_a_list_shows_only_what_may_be_called(two_slots: Platform) -> None:
    """The reader sees the tools of the list, and each answers; the admin sees all."""
    seen = {
        user: {found["name"] for found in two_slots.call("tools/list", user=user).json["result"]["tools"]}
        for user in ("reader", "admin")
    }
    assert seen["reader"] == {"list-databases", "find", "count"}
    assert seen["admin"] > {*seen["reader"], "aggregate", "insert-many"}


@pytest.mark.parametrize("name", ["aggregate", "list-collections", "insert-many", "no-such-tool"])
def test_other_tools_are_refused_before_the_server(two_slots: Platform, name: str) -> None:
    """JSON-RPC error with the request's id, from the gateway: the server's log has nothing of it."""
    before = calls(two_slots, "reader")
    answer = tool(two_slots, "reader", name, id="mine")
    assert (answer.json["id"], answer.json["error"]["code"]) == ("mine", -32602)
    assert calls(two_slots, "reader") == before
