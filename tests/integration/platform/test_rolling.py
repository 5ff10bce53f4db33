"""A running platform is changed under load: a new image, the way back, an address that moved. No call fails."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from platform_under_test import ROOT, Answer, Platform

from ops.day2.rotate import with_active

pytestmark = pytest.mark.usefixtures("local_only")

SLOTS = """    slots      = ["a", "b"]
    rate_limit = { calls = 100000, period = 60 }
    tiers = {"""


@pytest.fixture(scope="module")
def rolling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("rolling")
    shutil.copytree(ROOT / "terraform", folder / "terraform", ignore=shutil.ignore_patterns(".terraform"))
    shutil.copytree(ROOT / "servers", folder / "servers", ignore=shutil.ignore_patterns("__pycache__"))
    backends = folder / "terraform/modules/apim/mcp-apis.tf"
    text, replaced = re.subn(r"trip_duration( *)= \"PT10S\"", r'trip_duration\1= "PT3S"', backends.read_text("utf-8"))
    assert replaced, "the breaker in mcp-apis.tf looks different: correct this test, which would wait long for it"
    backends.write_text(text, encoding="utf-8")
    variables = folder / "terraform/environments/local/terraform.tfvars"
    text, replaced = re.subn(r"    tiers = \{", SLOTS, variables.read_text(encoding="utf-8"), count=1)
    assert replaced, "the tiers in local/terraform.tfvars look different: correct this test"
    variables.write_text(text, encoding="utf-8")
    platform = Platform(
        "local",
        {
            "TERRAFORM_DIR": str(folder / "terraform"),
            "SERVERS_DIR": str(folder / "servers"),
            "TWIN_HOME": str(folder / "home"),
            "GATEWAY_PORT": "0",
            "ENTRA_PORT": "0",
        },
    )
    try:
        platform.invoke("deploy")
        yield platform
    finally:
        platform.invoke("destroy", "--yes")


def home(platform: Platform) -> Path:
    return Path(platform.variables["TWIN_HOME"])


def image(platform: Platform) -> dict[str, Any]:
    path = home(platform) / "terraform/environments/local/images.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["mongodb"]
    return found


def pids(platform: Platform) -> dict[str, int]:
    found = json.loads((home(platform) / "run/status.json").read_text(encoding="utf-8"))["parts"]
    return {name: part["pid"] for name, part in found.items()}


def under_load(platform: Platform, change: Callable[[], object]) -> list[Answer]:
    """What four readers were answered from before the change until after it."""
    done = Event()
    platform.token("reader")

    def reader(number: int) -> list[Answer]:
        found = []
        while not done.is_set():
            time.sleep(0.05)  # what changes needs the processor too
            arguments = {"name": "list-databases", "arguments": {}}
            found.append(platform.call("tools/call", arguments, user="reader", id=number))
        return found

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(reader, number) for number in range(4)]
        try:
            change()
        finally:
            done.set()
        return [answer for one in readers for answer in one.result()]


def failed(answers: list[Answer]) -> list[tuple[int, str]]:
    return [
        (a.status, a.text)
        for a in answers
        if a.status != 200 or "result" not in a.json or a.json["result"].get("isError")
    ]


def test_a_new_image_and_the_way_back(rolling: Platform) -> None:
    """Each slot is replaced, the other parts are not, and every call is answered."""
    first, before = image(rolling), pids(rolling)
    code = Path(rolling.variables["SERVERS_DIR"]) / "mongo-db-server/src/mongo_db_server/__init__.py"
    code.write_text(code.read_text(encoding="utf-8") + "# another image\n", encoding="utf-8")

    answers = under_load(rolling, lambda: rolling.invoke("deploy"))
    assert len(answers) > 100
    assert failed(answers) == []
    second, between = image(rolling), pids(rolling)
    assert (second["digest"] != first["digest"], second["history"][0]["digest"]) == (True, first["digest"])
    assert "slots" not in second
    assert {name for name in before if before[name] != between[name]} == {
        f"aci-mongodb-{tier}-{slot}" for tier in ("admin", "reader") for slot in ("a", "b")
    }

    answers = under_load(rolling, lambda: rolling.invoke("rollback"))
    assert len(answers) > 100
    assert failed(answers) == []
    assert image(rolling)["digest"] == first["digest"]
    assert rolling.invoke("rollback", check=False).returncode == 1


def test_servers_change_over_to_the_other_database_key(rolling: Platform) -> None:
    """The part of `rotate` that touches what runs: another connection string for every slot, one after the other."""
    variables = Path(rolling.variables["TERRAFORM_DIR"]) / "environments/local/terraform.tfvars"
    text = with_active(variables.read_text(encoding="utf-8"), "secondary")
    variables.write_text(text, encoding="utf-8")
    before = pids(rolling)
    answers = under_load(rolling, lambda: rolling.invoke("deploy"))
    assert len(answers) > 100
    assert failed(answers) == []
    after = pids(rolling)
    assert {name for name in before if name.startswith("aci-") and before[name] == after[name]} == set()
    assert before["mongo"] == after["mongo"]


def test_a_container_whose_address_changed(rolling: Platform) -> None:
    """Azure gives another address at a restart: heal brings the record up to date, and only that."""
    path = home(rolling) / "cloud.json"
    cloud = json.loads(path.read_text(encoding="utf-8"))
    groups = (cloud.get("objects") or cloud)["azurerm_container_group"].values()
    moved = next(group for group in groups if group["name"] == "aci-mongodb-reader-a")
    moved["ip_address"] = moved["ip_address"].rpartition(".")[0] + ".200"
    path.write_text(json.dumps(cloud), encoding="utf-8")
    before = pids(rolling)

    healing: list[str] = []
    answers = under_load(rolling, lambda: healing.append(rolling.invoke("heal").stderr))
    assert failed(answers) == []
    assert 'module.servers["mongodb-reader-a"].azurerm_container_group.this' in healing[0]
    assert re.search(r"update\s+servers mongodb-reader-a\s+private_dns_a_record", healing[0])
    assert pids(rolling) == before
    assert "nothing drifted" in rolling.invoke("heal").stderr
