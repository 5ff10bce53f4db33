"""Every route was written from a page of the service's reference, and says from which."""

from __future__ import annotations

import re

import pytest

from emulators.arm.routing import Route
from emulators.arm.web.front import SERVICES

ROUTES = [(service.host, route) for service in SERVICES for route in service.table.routes]
VERSION = re.compile(r".+, (\d{4}-\d\d-\d\d(-preview)?|v\d(\.\d)?|\d\.\d(-preview)?)")


@pytest.mark.parametrize(
    ("host", "route"), ROUTES, ids=[f"{route.method} {host}{route.template}" for host, route in ROUTES]
)
def test_a_route_names_its_page_and_version(host: str, route: Route) -> None:
    assert VERSION.fullmatch(route.page), route.page
