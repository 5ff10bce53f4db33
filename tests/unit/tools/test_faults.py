"""What `nox -s faults` makes of the answers it gets: no platform is started here."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import httpx2
import pytest

from tools.faults import __main__ as faults
from tools.faults import callers, report
from tools.faults.callers import Callers, Told
from tools.faults.catalogue import catalogue
from tools.faults.measure import Fault, Outcome
from tools.faults.subject import Subject, values


def answer(status: int, document: Any) -> httpx2.Response:
    return httpx2.Response(status, text=document if isinstance(document, str) else json.dumps(document))


def error(text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": None, "error": {"code": -32603, "message": text}}


def refusal(text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": {"isError": True, "content": [{"type": "text", "text": text}]}}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (answer(200, {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}), Told(200)),
        (answer(200, refusal("Try again in 5 s.")), Told(200, "Try again in N s.")),
        (answer(502, error("Gone.")), Told(502, "Gone.")),
        (answer(200, error("No.")), Told(200, "No.", False)),
        (answer(500, refusal("Broken.")), Told(500, "Broken.", clear=False)),
        (answer(503, "no healthy upstream"), Told(503, "no healthy upstream", clear=False)),
        (answer(200, ""), Told(200, "an empty answer", clear=False)),
    ],
)
def test_what_a_caller_is_told(found: httpx2.Response, told: Told) -> None:
    """Clear is what the protocol has a form for: an error with its status, or a tool's with 200."""
    assert callers.understood(found)[0] == told


def test_equal_answers_are_counted_as_one() -> None:
    """Without ids, addresses and numbers, on one line."""
    text = "quote 0f8fad5b-d9cb-469f-a165-70867728950e,\n 127.0.0.1:8080 after 3.5 s"
    assert callers.general(text) == "quote …, … after N s"


async def nothing(subject: Subject, callers: Callers) -> None:
    """Nothing happens."""


def test_the_worst_faults_make_the_pairs() -> None:
    """By failed calls, then by the time until all was well; one for each part, and none that stands alone."""
    names = ["kill-a", "stop-a", "kill-b", "kill-c", "kill-d", "kill-e", "kill-f", "power"]
    known = [Fault(name, name, nothing, alone=name == "power") for name in names]
    failed = {"kill-a": 9, "stop-a": 8, "kill-b": 7, "power": 99}
    well = {"kill-c": 5.0, "kill-d": None, "kill-e": 3.0, "kill-f": 1.0}
    outcomes = [Outcome(name, name, failed=failed.get(name, 0), well=well.get(name, 0.0)) for name in names]
    pairs = [(one.name, other.name) for one, other in faults.worst(known, outcomes)]
    assert len(pairs) == 10
    assert pairs[:4] == [("kill-a", "kill-b"), ("kill-a", "kill-d"), ("kill-a", "kill-c"), ("kill-a", "kill-e")]


def test_a_row_says_what_callers_were_told() -> None:
    told = Counter({(502, "Gone | away."): 3, (0, "no answer (ConnectError)"): 2, (200, "Later."): 1})
    one = Outcome("kill-x", "x killed", calls=50, failed=6, longest=1.25, well=2.0, told=told, written=7)
    text = report.table([one], [], "On a day")
    assert "On a day: 1 faults and 0 pairs, 50 calls, 7 acknowledged writes, 0 lost." in text
    assert text.splitlines()[-1] == (
        "| `kill-x` | x killed | 50 | 6 | 1.2 s | 2.0 s | 0 of 7 | "
        "502 “Gone \\| away.” (3); “no answer (ConnectError)” (2); others (1) |"
    )


def test_the_table_has_its_place_in_the_page() -> None:
    """What is around it stays."""
    page = report.PAGE.read_text(encoding="utf-8")
    written = report.into_page("a table\n", page)
    assert report.into_page("a table\n", written) == written
    assert written.partition(report.BEGIN)[0] == page.partition(report.BEGIN)[0]
    assert written.partition(report.END)[2] == page.partition(report.END)[2]
    with pytest.raises(ValueError, match="markers"):
        report.into_page("a table", "a page without them")


def test_every_fault_has_a_name_of_its_own() -> None:
    """In words that the command line takes, and the table has a cell for."""
    names = [fault.name for fault in catalogue()]
    assert sorted(set(names)) == sorted(names)
    assert [name for name in names if not name.replace("-", "").isalpha()] == []


def test_the_platform_has_both_kinds_of_compute_and_of_database() -> None:
    entry = {"image": {"repository": "mongodb-mcp"}, "database": "cosmosdb-mongodb"}
    servers = values({"mcp_servers": {"mongodb": entry}})["mcp_servers"]
    assert {(one.get("compute", "container-instances"), one["database"]) for one in servers.values()} == {
        ("container-instances", "cosmosdb-mongodb"),
        ("container-apps", "cosmosdb-mongodb"),
        ("container-instances", "documentdb"),
    }
