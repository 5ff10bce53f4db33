"""Fixtures: issuers made from applied resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulators.base.state import Resource, State
from emulators.entra import applied
from emulators.entra.app import create_app
from emulators.entra.issuer import Issuer
from emulators.entra.tests.driver import BASE, GATEWAY, KEYS, SECRET, Clock, Driver, Make, deployment


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes an issuer from resources; extra keywords go to the directory and the issuer."""
    opened: list[TestClient] = []

    def made(
        resources: list[Resource] | None = None, trusted: dict[str, Any] | None = None, **directory: Any
    ) -> Driver:
        clock = Clock()
        found = applied.directory(State(tuple(resources or deployment())), **directory)
        issuer = Issuer(BASE, found, KEYS, {SECRET: frozenset({GATEWAY})}, trusted or {}, clock)
        http = TestClient(create_app(issuer), base_url=BASE, follow_redirects=False)
        opened.append(http)
        return Driver(issuer, http, clock)

    yield made
    for http in opened:
        http.close()


@pytest.fixture
def driver(make: Make) -> Driver:
    return make()
