"""`az containerapp` as `invoke deploy`, `rollback` and `logs` use it; the Azure CLI has it without an extension."""

from __future__ import annotations

import pytest

from emulators.base.tests.container_app import APP, GROUP, NEW, OLD, with_container_app
from tests.az.cloud_under_test import CloudUnderTest

WHERE = ("--resource-group", GROUP, "--name", APP)
REVISION = ("containerapp", "revision")


@pytest.fixture
def apps(cloud: CloudUnderTest) -> CloudUnderTest:
    """The cloud that Terraform and the control plane share, with an app of two revisions."""
    with_container_app(cloud.provider_store)
    cloud.quick("provider", "register", "--namespace", "Microsoft.App")
    return cloud


def test_a_release_and_the_way_back(apps: CloudUnderTest) -> None:
    """Which revision is ready, which have calls; one is ended and begun again; what has no replica has no log."""
    names = "properties.[latestRevisionName, latestReadyRevisionName]"
    assert apps.quick("containerapp", "show", *WHERE, "--query", names).json() == [NEW, NEW]
    assert apps.quick("containerapp", "list", "--resource-group", GROUP, "--query", "[].name").json() == [APP]

    def active() -> dict[str, int]:
        listed = apps.quick(*REVISION, "list", *WHERE).json()
        return {one["name"]: one["properties"]["trafficWeight"] for one in listed}

    assert active() == {OLD: 30, NEW: 70}
    one = ("--resource-group", GROUP, "--revision", OLD)  # its app is in its name
    assert apps.quick(*REVISION, "deactivate", *one).json() == "Deactivate succeeded"
    assert active() == {NEW: 70}
    every = apps.quick(*REVISION, "list", *WHERE, "--all").json()
    image = every[0]["properties"]["template"]["containers"][0]["image"]
    assert (every[0]["name"], image) == (OLD, "acr.azurecr.io/notes-mcp:old")
    assert apps.quick(*REVISION, "activate", *one).json() == "Activate succeeded"
    assert active() == {OLD: 30, NEW: 70}

    assert apps.quick("containerapp", "replica", "list", *WHERE, "--revision", NEW).json() == []
