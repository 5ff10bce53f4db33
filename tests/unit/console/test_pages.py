"""What the pages say of what they are given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulators.base.files import write_json
from tests.support.gateway_traces import ENTRY, ID, SUMMARY
from twin.console.config import Config, address
from twin.console.pages.overview import overview
from twin.console.pages.request_trace import trace_page
from twin.console.pages.requests import matches, requests_page
from twin.console.pages.tools import Choice, example, shown, tools_page
from twin.console.people import Answer, _message
from twin.console.sources import Slot, Sources
from twin.errors import RuntimeFailure
from twin.supervise.status import PartStatus, Status

KEY = "a-key-of-this-home-only"
TRACE: dict[str, Any] = {
    "summary": SUMMARY,
    "request": {"query": "", "client": "127.0.0.1", "headers": [["Host", "x"]]},
    "entries": [ENTRY],
    "dropped": 0,
}


def part(state: Any, **more: Any) -> PartStatus:
    return PartStatus(state, "server", 20001, 7, **more)


def sources(home: Path) -> Sources:
    return Sources(Config(home, home / "state.json", KEY))


def test_a_healthy_platform_is_said_to_be_one() -> None:
    slots = [Slot("mongodb", "reader", "a", "aci-mongodb-reader-a", part("healthy"))]
    text = overview("/k", Status(1, "now", {"gateway": part("healthy")}), None, slots)
    assert "Every part serves." in text
    assert "reader · slot a" in text


def test_what_is_ill_is_said_first_with_its_reason() -> None:
    status = Status(1, "now", {"gateway": part("restarting", detail="died with 1")}, unreachable={"x": "no DNS record"})
    text = overview("/k", status, None, [])
    assert "gateway is restarting. died with 1" in text
    assert "no DNS record" in text


def test_a_trace_shows_branch_condition_and_difference() -> None:
    text = trace_page("/k", TRACE, [], {"oid": "Rae Reader"}, "")
    for wanted in ("branch: otherwise", "when[1]", "&lt;reader&gt;", "Rae Reader", "API 'mcp", "0af7651916cd43dd"):
        assert wanted.replace("'", "&#x27;") in text


def test_a_trace_is_joined_with_the_server_s_line() -> None:
    line = {"event": "call", "outcome": "ok", "tool": "find", "namespace": "shop.orders", "duration_ms": 3.2}
    text = trace_page("/k", TRACE, [{**line, "container": "aci-mongodb-reader-a"}], {}, "")
    for wanted in ("shop.orders", "3.2 ms", "aci-mongodb-reader-a"):
        assert wanted in text


def test_an_unknown_request_is_said_to_be_unknown() -> None:
    assert "holds no such request" in trace_page("/k", None, [], {}, "")


@pytest.mark.parametrize(
    ("show", "expected"), [("", [True, True, True]), ("mcp", [True, False, False]), ("refused", [False, True, True])]
)
def test_requests_are_filtered(show: str, expected: list[bool]) -> None:
    plain = {**SUMMARY, "rpc": ""}
    found = [SUMMARY, {**plain, "status": 403}, {**plain, "status": 0, "refusal": "the caller left"}]
    assert [matches(request, show) for request in found] == expected


def test_following_is_a_refresh_without_script() -> None:
    pages = [requests_page("/k", [SUMMARY], {}, show="", live=live, problem="") for live in (True, False)]
    assert ['http-equiv="refresh"' in page for page in pages] == [True, False]
    assert not any("<script" in page for page in pages)


def test_the_refusal_of_an_outsider_is_shown_with_its_trace() -> None:
    refused = Answer(403, ID, "", {"error": {"code": -32003, "message": "holds no role"}}, 0.1)
    text = tools_page("/k", Choice(["mongodb"], "mongodb", {"outsider": "Otto Outsider"}, "outsider", listed=refused))
    assert "The gateway answered 403: holds no role" in text
    assert f"/k/requests/{ID}" in text


def test_required_arguments_are_prefilled() -> None:
    schema = {
        "required": ["database", "limit", "sort"],
        "properties": {
            "database": {"type": "string", "examples": ["shop"]},
            "limit": {"type": "integer", "default": 10},
            "sort": {"type": "object"},
            "optional": {"type": "string"},
        },
    }
    assert json.loads(example(schema)) == {"database": "shop", "limit": 10, "sort": {}}


def test_json_in_a_text_part_is_shown_as_json() -> None:
    result = {"content": [{"type": "text", "text": '{"a": 1}'}]}
    assert shown(Answer(200, "", "", {"result": result}, 0.1)) == '{\n  "a": 1\n}'


@pytest.mark.parametrize("text", ['{"id": 1, "result": {}}', 'event: message\ndata: {"id": 1, "result": {}}\n\n'])
def test_answers_are_read_from_json_and_from_events(text: str) -> None:
    assert _message(text) == {"id": 1, "result": {}}


def test_slots_are_told_apart_by_server_and_tier(tmp_path: Path) -> None:
    """Names of servers and tiers may hold hyphens, and one may begin like another."""
    offer = {"gateway": "", "endpoints": {"mongo": "", "mongo-db": ""}, "authority": "", "tenant_id": "", "scope": ""}
    write_json(tmp_path / "run" / "platform.json", {**offer, "client_ids": {}})
    names = ("aci-mongo-db-reader-a", "aci-mongo-admin-b")
    Status(1, "now", {name: part("healthy") for name in names}).write(tmp_path)
    found = [(slot.server, slot.tier, slot.slot) for slot in sources(tmp_path).slots()]
    assert found == [("mongo", "admin", "b"), ("mongo-db", "reader", "a")]


def test_replicas_of_apps_stand_beside_slots(tmp_path: Path) -> None:
    """Each with its revision; what it wrote about a request is found by the request's id, as a slot's is."""
    offer = {"gateway": "", "endpoints": {"mongo": "", "notes": ""}, "authority": "", "tenant_id": "", "scope": ""}
    write_json(tmp_path / "run" / "platform.json", {**offer, "client_ids": {}})
    held = {"notes-read-all--c79c37c.1": {"state": "healthy", "leaving": False}}
    write_json(tmp_path / "run" / "apps.status.json", {"notes-read-all": {"replicas": held}})
    assert sources(tmp_path).slots() == []  # the platform does not run
    Status(1, "now", {"aci-mongo-admin-a": part("healthy")}).write(tmp_path)
    slots = sources(tmp_path).slots()
    assert [(slot.server, slot.title) for slot in slots] == [
        ("mongo", "admin · slot a"),
        ("notes", "read-all · replica c79c37c.1"),
    ]
    logs, mine = tmp_path / "logs", {"event": "call", "correlation_id": ID}
    logs.mkdir()
    for name in ("notes-read-all--c79c37c.1", "gateway"):
        (logs / f"{name}.log").write_text(json.dumps(mine), encoding="utf-8")
    assert sources(tmp_path).audit(ID) == [{**mine, "container": "notes-read-all--c79c37c.1"}]


def test_only_the_request_s_own_lines_are_read(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "aci-x.log"
    log.parent.mkdir()
    mine = {"event": "call", "correlation_id": ID}
    lines = [json.dumps(mine), json.dumps({"correlation_id": "other", "text": ID}), "not json " + ID, '{"half": ' + ID]
    log.write_text("\n".join(lines), encoding="utf-8")
    assert sources(tmp_path).audit(ID) == [{**mine, "container": "aci-x"}]


def test_the_address_holds_the_key(tmp_path: Path) -> None:
    assert address(tmp_path, 8082) == ""
    write_json(tmp_path / "run" / "console.json", {"key": KEY})
    assert address(tmp_path, 8082) == f"http://127.0.0.1:8082/{KEY}/"


@pytest.mark.parametrize("changes", [{"host": "0.0.0.0"}, {"key": "short"}, {"key": "with/a/slash-in-it-x"}])
def test_it_listens_on_loopback_and_with_a_key_only(changes: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailure):
        Config(**{"home": tmp_path, "state": tmp_path, "key": KEY, **changes})  # type: ignore[arg-type]
