"""What a team changes in its first year, one thing after the other on a platform that is being called; no call fails.

`tests/plan/changes` applies each change to production's values, and takes it back; here the applied state is live.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.plan.change import changed
from tests.support import own_platform
from tests.support.load import failed, list_databases, under_load
from tests.support.platform_under_test import Answer, Platform

pytestmark = [pytest.mark.minutes(4), pytest.mark.xdist_group("live")]

ADA = "11111111-aaaa-4aaa-8aaa-000000000001"
# By path, as tests/plan/changes has them; what is taken away again is taken away with the way back.
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "a client": {"mcp_clients/chat": {"redirect_uris": ["https://chat.example.com/callback"]}},
    "a list of tools": {"mcp_servers/mongodb/tiers/reader/tools": {"allow": ["find", "list-*"]}},
    "a member of a group, and an origin for browsers": {
        "groups/reader/members": ["11111111-aaaa-4aaa-8aaa-000000000002", ADA],
        "allowed_origins": ["https://portal.example.com"],
    },
    "a third slot": {"mcp_servers/mongodb/slots": ["a", "b", "c"]},
    "another time limit": {"mcp_servers/mongodb/timeout": 90},
    "an egress rule, alerts to somebody else": {
        "network/containers_egress": {
            "search": {"priority": 200, "description": "Search.", "destination": "198.51.100.0/24"}
        },
        "monitoring/alerts/emails": ["duty@example.com"],
    },
    "a collection and its index": {
        "cosmos/databases/archive/collections/old": {"indexes": {"by-year": {"keys": ["year"]}}}
    },
}


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = own_platform.copied(tmp_path_factory.mktemp("changes"))
    own_platform.change_server(platform, slots=["a", "b"], rate_limit=own_platform.NO_LIMIT)
    with own_platform.deployed(platform):
        yield platform


def _deploy(platform: Platform, values: Mapping[str, Any]) -> list[Answer]:
    own_platform.set_values(platform, values)
    return under_load(platform, lambda: platform.invoke("deploy"))


def _differs(platform: Platform) -> bool:
    """Whether a second plan would change anything."""
    planned = json.loads(platform.invoke("plan", "--json", check=False).stdout)
    return bool(planned["changes"])


def test_a_year_of_changes_and_the_way_back(changing: Platform) -> None:
    """Each is applied while four readers call, and the next plan is empty; then all is taken back at once."""
    before = own_platform.values(changing)
    values: dict[str, Any] = before
    for name, change in CHANGES.items():
        values = changed(values, {"set": change})
        answers = _deploy(changing, values)
        assert (name, failed(answers)) == (name, [])
        assert len(answers) > 20, name
        assert not _differs(changing), name
    answers = _deploy(changing, before)
    assert failed(answers) == []
    assert not _differs(changing)


def test_groups_instead_of_app_roles(changing: Platform) -> None:
    """A token says what counted when it was issued: older ones are refused until they are renewed, an hour at most."""
    values = own_platform.values(changing)
    for way in ("groups", "app_roles"):
        answers = _deploy(changing, {**values, "authorization": way})
        assert {status for status, _ in failed(answers)} <= {403}
        changing.forget_tokens()
        assert failed([list_databases(changing)]) == []
