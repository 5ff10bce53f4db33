from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import chromium
from tests.support.chromium import Chromium
from tests.support.platform_under_test import Platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A twin of its own on free ports."""
    home: Path = tmp_path_factory.mktemp("twin") / "home"
    twin = Platform("local", {"TWIN_HOME": str(home), "GATEWAY_PORT": "0", "ENTRA_PORT": "0", "MCP_TRACE": "1"})
    try:
        twin.invoke("deploy")
        yield twin
    finally:
        twin.invoke("destroy", "--yes")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    """A fresh browser; a page that complained (a refused style, a broken link) fails the test."""
    binary = chromium.find()
    assert binary, "these tests need Chromium: apt-get install chromium, or set CHROMIUM to a browser's path"
    found = Chromium(binary, tmp_path / "profile")
    try:
        yield found
    finally:
        found.close()
    assert found.problems == []


@pytest.fixture
def console(platform: Platform) -> str:
    """The address of the platform's page, with its key and without the last slash."""
    return platform.invoke("console").stdout.strip().rstrip("/")
