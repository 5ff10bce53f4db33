from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from otlp_receiver import Receiver
from platform_under_test import ROOT, Platform

#: Files that deploy or change platforms of their own take minutes: they go first, so that two workers end together.
_LONG = ("test_rolling.py", "test_broken_terraform.py", "test_process.py", "test_matrix.py", "test_add_server.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(_LONG)}
    items.sort(key=lambda item: places.get(item.path.name, len(_LONG)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--env", default=None, help="run against this deployed environment instead of a twin of its own")


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """Where the servers of the platform under test send their spans."""
    with Receiver() as made:
        yield made


@pytest.fixture(scope="session")
def platform(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, receiver: Receiver
) -> Iterator[Platform]:
    """The platform under test: a twin on free ports, deployed here and destroyed after, or the one named by --env."""
    if environment := request.config.getoption("--env"):
        yield Platform(environment)
        return
    folder = tmp_path_factory.mktemp("twin")
    places = {"TWIN_HOME": str(folder / "home"), "TERRAFORM_DIR": str(_patient(folder / "terraform", receiver.url))}
    twin = Platform("local", {**places, "GATEWAY_PORT": "0", "ENTRA_PORT": "0", "TRACE": "1"})
    try:
        twin.invoke("deploy")
        yield twin
    finally:
        twin.invoke("destroy", "--yes")


def _patient(folder: Path, telemetry: str) -> Path:
    """terraform/ with a rate limit that all tests together do not reach: three users call for all of them. And with
    servers that send their telemetry to that address.

    The limit itself is tried in tests/plan, where the clock is the test's own.
    """
    shutil.copytree(ROOT / "terraform", folder, ignore=shutil.ignore_patterns(".terraform"))
    values = folder / "environments/local/terraform.tfvars"
    text, limits = re.subn(
        r"^    tiers = \{",
        "    rate_limit = { calls = 100000, period = 60 }\n"
        f'    environment = {{ OTEL_EXPORTER_OTLP_ENDPOINT = "{telemetry}" }}\n'
        "    tiers = {",
        values.read_text("utf-8"),
        flags=re.M,
    )
    assert limits, "the tiers in local/terraform.tfvars look different: correct this fixture"
    values.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def local_only(request: pytest.FixtureRequest) -> None:
    """For tests that look behind the gateway or change the deployment: only a twin of their own bears that."""
    if request.config.getoption("--env"):
        pytest.skip("looks behind the gateway: runs against a local twin only")
