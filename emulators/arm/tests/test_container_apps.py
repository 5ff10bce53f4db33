"""Apps and their revisions: what is told of them, what ending one changes, and who may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emulators.arm.errors import AzureError
from emulators.base.tests.container_app import APP, GROUP, NEW, OLD, with_container_app
from emulators.base.well_known import ROLES

from .conftest import CONTRIBUTOR, NOBODY, SUB, Azure

# Azure compares names without case.
PATH = f"{SUB}/resourceGroups/{GROUP.upper()}/providers/Microsoft.App/containerApps/{APP.upper()}"


@pytest.fixture
def apps(azure: Azure, tmp_path: Path) -> Azure:
    azure.cloud.applied = with_container_app(tmp_path / "cloud.json")
    return azure


def get(azure: Azure, path: str = "") -> Any:
    return azure.call("GET", f"{PATH}{path}").body


def test_an_app_says_where_its_calls_go(apps: Azure) -> None:
    """By the names that azure-cli reads; of a secret the name alone."""
    found = get(apps)["properties"]
    assert (found["latestRevisionName"], found["latestReadyRevisionName"]) == (NEW, NEW)
    assert found["configuration"]["ingress"]["traffic"] == [
        {"latestRevision": True, "weight": 70},
        {"revisionName": OLD, "weight": 30},
    ]
    assert found["configuration"]["secrets"] == [{"name": "notes-key"}]
    listed = apps.call("GET", PATH.rpartition("/")[0]).body["value"]
    assert [app["name"] for app in listed] == [APP]


def test_revisions_come_with_weight_age_and_image(apps: Azure) -> None:
    """What a rollback and the end of a release look at."""
    found = {revision["name"]: revision["properties"] for revision in get(apps, "/revisions")["value"]}
    assert {name: one["trafficWeight"] for name, one in found.items()} == {OLD: 30, NEW: 70}
    assert all(one["active"] for one in found.values())
    assert found[OLD]["createdTime"] < found[NEW]["createdTime"]
    assert found[OLD]["template"]["containers"][0]["image"] == "acr.azurecr.io/notes-mcp:old"
    assert get(apps, f"/revisions/{OLD}")["properties"] == found[OLD]


def test_a_revision_is_ended_and_begun(apps: Azure) -> None:
    for verb, active in (("deactivate", False), ("activate", True)):
        answer = apps.call("POST", f"{PATH}/revisions/{OLD}/{verb}", who=CONTRIBUTOR)
        assert answer.body == f"{verb.title()} succeeded"
        assert get(apps, f"/revisions/{OLD}")["properties"]["active"] is active
        assert get(apps, f"/revisions/{NEW}")["properties"]["active"]


def test_nothing_runs_here(apps: Azure) -> None:
    assert get(apps, f"/revisions/{NEW}/replicas")["value"] == []


@pytest.mark.parametrize(
    ("path", "code"), [("-other", "ResourceNotFound"), ("/revisions/notes-reader--none", "RevisionNotFound")]
)
def test_what_is_not_there(apps: Azure, path: str, code: str) -> None:
    with pytest.raises(AzureError, match=code):
        get(apps, path)


def test_without_terraforms_file_there_is_no_app(azure: Azure) -> None:
    with pytest.raises(AzureError, match="ResourceNotFound"):
        get(azure)


def test_who_reads_may_not_end(apps: Azure) -> None:
    apps.assign(ROLES["Reader"], NOBODY)
    assert apps.call("GET", f"{PATH}/revisions", who=NOBODY).body["value"]
    with pytest.raises(AzureError, match=r"AuthorizationFailed.*containerApps/revisions/deactivate/action"):
        apps.call("POST", f"{PATH}/revisions/{OLD}/deactivate", who=NOBODY)
