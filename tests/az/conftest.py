from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators import azurerm
from ops.config import tfvars
from tests.az import project_under_test
from tests.az.cloud_under_test import CloudUnderTest, program
from tests.az.project_under_test import Project


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudUnderTest]:
    """One stand-in, one sign-in of each person; the tests share both, as sign-ins take seconds."""
    az = program("az", "run `nox -s az`, which installs the pinned one")
    azurite = program("azurite-blob", "run `npm ci` in tests/az")
    cloud = CloudUnderTest(tmp_path_factory.mktemp("az"), azurite, az)
    try:
        cloud.sign_in("operator")
        cloud.sign_in("contributor")
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture
def cloud(shared: CloudUnderTest) -> Iterator[CloudUnderTest]:
    """An empty subscription. What the stand-in does not know fails the test that asked for it."""
    shared.control("DELETE", "/faults")
    shared.control("DELETE", "/cloud")
    shared.control("DELETE", "/requests")
    yield shared
    assert shared.refused() == []


@pytest.fixture(scope="session")
def shared_project(shared: CloudUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One copy of the project, so that its tasks are compiled once."""
    folder = tmp_path_factory.mktemp("project")
    copied = project_under_test.copy(folder / "copy")
    store = azurerm.Store(shared.provider_store)  # one cloud: what az regenerates, Terraform sees
    dev = tfvars.read(copied / "terraform/environments/dev/terraform.tfvars")
    group = {"name": dev["resource_group_name"], "location": dev["location"]}  # as bootstrap makes it
    azurerm.seed(store, "azurerm_resource_group", group, subscription_id=dev["subscription_id"])
    with azurerm.serve(store, types=lambda: azurerm.types_used(copied / "terraform", folder)) as served:
        yield Project(shared, copied, served)


_ACCOUNTS = itertools.count(1)


@pytest.fixture
def project(cloud: CloudUnderTest, shared_project: Project) -> Project:
    """An empty subscription, and a storage account's name that was never used."""
    shared_project.account = f"stboot{next(_ACCOUNTS)}"
    return shared_project


@pytest.fixture(scope="session")
def documented() -> dict[int, str]:
    """The documented `az` commands of each step, as written."""
    folder = Path(__file__).parent / "documented"
    return {step: (folder / f"step{step}.sh").read_text(encoding="utf-8") for step in (1, 2, 3, 4)}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="write the list of requests again")
