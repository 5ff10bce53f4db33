"""`invoke verify` on a platform that is as it should be."""

from __future__ import annotations

import json

import pytest

from tests.support.platform_under_test import Platform

pytestmark = pytest.mark.usefixtures("local_only")


def test_nothing_fails_and_nothing_is_silent(platform: Platform) -> None:
    """What the front door promises passes; what only Azure proves says that it was not run, and why."""
    found = json.loads(platform.invoke("verify", "--json").stdout)
    verdicts = {check["name"]: check["verdict"] for check in found["checks"]}
    azure = {
        "groups",
        "addresses",
        "gateway-address",
        "database",
        "vault",
        "policies",
        "breakers",
        "container-logs",
        "gateway-role",
    }
    azure |= {"document-redirect", "document-certificate", "consent", "retries", "database-users", "keyless"}
    browsers = {"preflight"}  # no page of another origin may call
    not_run = azure | browsers | {"exchange"}  # no server acts as its caller
    assert {name for name, verdict in verdicts.items() if verdict == "pass"} == set(verdicts) - not_run
    assert {verdicts[name] for name in not_run} == {"not run"}
    assert all(check["text"] for check in found["checks"])
