from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import own_platform
from tests.support.document_server import DocumentServer
from tests.support.otlp_receiver import Receiver
from tests.support.platform_under_test import Platform


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, by their `minutes`, so that two workers end together."""
    items.sort(key=_minutes, reverse=True)


def _minutes(item: pytest.Item) -> int:
    marker = item.get_closest_marker("minutes")
    return int(marker.args[0]) if marker else 0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--env", default=None, help="run against this deployed environment instead of a twin of its own")


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """Where the servers of the platform under test send their spans."""
    with Receiver() as made:
        yield made


@pytest.fixture(scope="session")
def documents() -> Iterator[DocumentServer]:
    """Where the entry `documented` of the platform's mcp_clients has its client ID metadata documents."""
    with DocumentServer() as made:
        yield made


@pytest.fixture(scope="session")
def platform(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    receiver: Receiver,
    documents: DocumentServer,
) -> Iterator[Platform]:
    """The platform under test: a twin on free ports, deployed here and destroyed after, or the one named by --env."""
    if environment := request.config.getoption("--env"):
        yield Platform(environment)
        return
    twin = own_platform.copied(tmp_path_factory.mktemp("twin"), MCP_TRACE="1")
    # The limit itself is tried in tests/plan, where the clock is the test's own.
    telemetry = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    own_platform.add_client(
        twin,
        "documented",
        redirect_uris=["http://localhost/documented", "http://localhost/documented/other"],
        metadata_documents=[
            f"{documents.url}/{name}.json"
            for name in ("client", "cached", "broken", "moved", "swapped-0", "swapped-1", "swapped-2", "swapped-3")
        ],
    )
    own_platform.change_server(twin, rate_limit=own_platform.NO_LIMIT, environment=telemetry)
    with own_platform.deployed(twin):
        yield twin


@pytest.fixture(scope="session")
def local_only(request: pytest.FixtureRequest) -> None:
    """For tests that look behind the gateway or change the deployment: only a twin of their own bears that."""
    if request.config.getoption("--env"):
        pytest.skip("looks behind the gateway: runs against a local twin only")
