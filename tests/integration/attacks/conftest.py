from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forge import Forge
from tests.support.platform_under_test import Platform


@pytest.fixture(scope="session")
def forge(platform: Platform, local_only: None) -> Forge:
    """Signs with the issuer's own key: what it makes is wrong in exactly one way."""
    return Forge.of(Path(platform.variables["TWIN_HOME"]), platform.token("admin"))


@pytest.fixture(scope="module", autouse=True)
def the_same_processes_run_afterwards(platform: Platform, local_only: None) -> Iterator[None]:
    """No attack makes a part die, not even one that comes back at once."""
    before = platform.status_now()["pids"]
    yield
    assert platform.status_now()["pids"] == before


@pytest.fixture(autouse=True)
def honest_callers_are_served(platform: Platform) -> Iterator[None]:
    """After each attack."""
    yield
    answer = platform.call("tools/list", user="reader")
    assert answer.status == 200, answer.text
