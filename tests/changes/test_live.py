"""What a team changes in its first year, one thing after the other on a platform that is being called; no call fails.

`tests/plan/changes` applies each change to production's values, and takes it back; here the applied state is live.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.changes.summary import Told
from tests.plan.change import changed
from tests.support import own_platform
from tests.support.load import failed, list_databases, under_load
from tests.support.platform_under_test import Answer, Platform

pytestmark = [pytest.mark.minutes(4)]

ADA = "11111111-aaaa-4aaa-8aaa-000000000001"
# By path, as tests/plan/changes has them. Each takes back the one before, so that it is added and removed under load.
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "a client added": {"set": {"mcp_clients/chat": {"redirect_uris": ["https://chat.example.com/callback"]}}},
    "a client removed": {"remove": ["mcp_clients/cursor"]},
    "a list of tools": {"set": {"mcp_servers/mongodb/tiers/reader/tools": {"allow": ["find", "list-*"]}}},
    "another list of tools": {"set": {"mcp_servers/mongodb/tiers/reader/tools": {"deny": ["count"]}}},
    "a member of a group, and an origin for browsers": {
        "set": {
            "groups/reader/members": ["11111111-aaaa-4aaa-8aaa-000000000002", ADA],
            "allowed_origins": ["https://portal.example.com"],
        }
    },
    "a server added": {
        "set": {
            "mcp_servers/reports": {
                "image": {"repository": "mongodb-mcp", "tag": "0.2.0"},
                "database": "cosmosdb-mongodb",
                "tiers": {"reader": {"role": "Mcp.Read", "connection": "read-only"}},
            }
        }
    },
    "a tier removed": {"remove": ["mcp_servers/mongodb/tiers/admin"]},
    "a third slot": {"set": {"mcp_servers/mongodb/slots": ["a", "b", "c"]}},
    "another time limit": {"set": {"mcp_servers/mongodb/timeout": 90}},
    "an egress rule, alerts to somebody else": {
        "set": {
            "network/containers_egress": {
                "search": {"priority": 200, "description": "Search.", "destination": "198.51.100.0/24"}
            },
            "monitoring/alerts/emails": ["duty@example.com"],
        }
    },
    "a collection and its index": {
        "set": {"cosmos/databases/archive/collections/old": {"indexes": {"by-year": {"keys": ["year"]}}}}
    },
    "a deployer inside the network": {"set": {"deployer_access": "private", "registry/sku": "Premium"}},
    "another tier of the gateway, over two zones": {"set": {"apim/sku_name": "Premium_2", "apim/zones": ["1", "2"]}},
    "clients known by their documents only": {"set": {"client_registration": {"dynamic": False}}},
    "without the sign-in façade": {"set": {"oauth_facade_enabled": False}},
}


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = own_platform.copied(tmp_path_factory.mktemp("changes"))
    own_platform.change_server(platform, slots=["a", "b"], rate_limit=own_platform.NO_LIMIT)
    with own_platform.deployed(platform):
        yield platform


@pytest.fixture(scope="module")
def base(changing: Platform) -> Mapping[str, Any]:
    """The values before anything changes."""
    return own_platform.values(changing)


def _deploy(platform: Platform, values: Mapping[str, Any]) -> list[Answer]:
    """`--yes`, because the way back from a collection deletes it."""
    own_platform.set_values(platform, values)
    return under_load(platform, lambda: platform.invoke("deploy", "--yes"), pause=0.25)


@pytest.mark.parametrize("name", CHANGES)
def test_no_call_fails(changing: Platform, base: Mapping[str, Any], told: Told, name: str) -> None:
    """Readers call while it is applied and the one before it is taken back."""
    told.name = f"live: {name}"
    answers = _deploy(changing, changed(base, CHANGES[name]))
    assert failed(answers) == []
    assert len(answers) > 20
    told.outcome, told.note = "applied", f"{len(answers)} calls, none failed"


def test_groups_instead_of_app_roles_and_the_way_back(changing: Platform, base: Mapping[str, Any], told: Told) -> None:
    """A token says what counted when it was issued: older ones are refused until they are renewed, an hour at most."""
    told.name = "live: groups instead of app roles"
    for way in ("groups", "app_roles"):
        answers = _deploy(changing, {**base, "authorization": way})
        assert {status for status, _ in failed(answers)} <= {403}
        changing.forget_tokens()
        assert failed([list_databases(changing)]) == []
    assert json.loads(changing.invoke("plan", "--json").stdout)["changes"] is False
    told.outcome, told.note = "applied", "tokens of before are refused with 403 until they are renewed"
