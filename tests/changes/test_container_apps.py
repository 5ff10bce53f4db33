"""A platform with both kinds of compute: an app follows the load; a bad revision gets no call and is rolled back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import own_platform
from tests.support.load import failed, list_databases, under_load
from tests.support.platform_under_test import Platform

pytestmark = [pytest.mark.minutes(4)]

SLOW = 600.0  # seconds for a task on a machine that has much else to do


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """`mongodb` runs as apps, `others` in container groups."""
    platform = own_platform.copied(tmp_path_factory.mktemp("apps"), "servers")
    values = own_platform.values(platform)
    server = values["mcp_servers"]["mongodb"] | {"rate_limit": own_platform.NO_LIMIT}
    apps = {"compute": "container-apps", "scale": {"minimum": 1, "maximum": 4, "concurrent_requests": 1}}
    values["mcp_servers"] = {"mongodb": server | apps, "others": server}
    own_platform.set_values(platform, values)
    # Seconds instead of five minutes until a replica goes again.
    template = own_platform.terraform(platform) / "modules/container-app/main.tf"
    text = template.read_text(encoding="utf-8")
    scaled = text.replace("  template {\n", "  template {\n    cooldown_period_in_seconds = 2\n", 1)
    assert scaled != text
    template.write_text(scaled, encoding="utf-8")
    with own_platform.deployed(platform):
        yield platform


def home(platform: Platform) -> Path:
    return Path(platform.variables["TWIN_HOME"])


def reader(platform: Platform) -> dict[str, Any]:
    """What the ingress says of the readers' app."""
    found: dict[str, Any] = json.loads((home(platform) / "run/apps.status.json").read_text(encoding="utf-8"))
    app: dict[str, Any] = found["mongodb-reader"]
    return app


def ready(platform: Platform) -> int:
    replicas = reader(platform)["replicas"].values()
    return sum(1 for one in replicas if one["state"] == "healthy" and not one["leaving"])


def until(platform: Platform, number: int) -> None:
    deadline = time.monotonic() + 120
    while ready(platform) != number:
        assert time.monotonic() < deadline, reader(platform)
        time.sleep(0.1)


def test_replicas_follow_the_load(both: Platform) -> None:
    """From one to four and back, each call through the gateway answered; the other server is a container group."""
    answers = under_load(both, lambda: until(both, 4), pause=0)
    assert failed(answers) == []
    until(both, 1)
    assert failed([list_databases(both)]) == []
    tiers = both.status_now()["servers"]
    assert tiers["mongodb"]["tiers"]["reader"].startswith("https://mongodb-reader.")
    assert tiers["others"]["tiers"]["reader"].startswith("http://127.0.0.1:")


def test_a_bad_revision_gets_no_call_and_goes_back(both: Platform) -> None:
    """The deployment says which revision is not ready; the calls stay where they are, after rollback too."""
    first = reader(both)["latest"]
    code = Path(both.variables["SERVERS_DIR"]) / "mongo-db-server/src/mongo_db_server/__main__.py"
    good = code.read_text(encoding="utf-8")
    code.write_text('raise SystemExit("this image is broken")\n', encoding="utf-8")
    images = home(both) / "terraform/environments/local/images.json"
    before = json.loads(images.read_text(encoding="utf-8"))["mongodb"]["digest"]

    said: list[str] = []
    asked = ["deploy", "--target-image", f"others={before}"]
    answers = under_load(both, lambda: said.append(both.invoke(*asked, check=False, timeout=SLOW).stderr))
    assert "is not ready" in said[0], said
    assert failed(answers) == []
    assert len(answers) > 20

    code.write_text(good, encoding="utf-8")
    answers = under_load(both, lambda: both.invoke("rollback", "--server", "mongodb", timeout=SLOW))
    assert failed(answers) == []
    assert json.loads(images.read_text(encoding="utf-8"))["mongodb"]["digest"] == before
    assert {name: weight for name, weight in reader(both)["weights"].items() if weight} == {first: 100}
    assert both.status_now()["healthy"]


def test_a_new_revision_takes_over_under_load(both: Platform) -> None:
    """Half of the calls, then all; none fails."""
    first = reader(both)["latest"]
    code = Path(both.variables["SERVERS_DIR"]) / "mongo-db-server/src/mongo_db_server/__init__.py"
    code.write_text(code.read_text(encoding="utf-8") + "# another image\n", encoding="utf-8")
    answers = under_load(both, lambda: both.invoke("deploy", timeout=SLOW))
    assert failed(answers) == []
    assert reader(both)["latest"] != first
