"""A running platform is changed under load: a new image, the way back, new keys, a moved address. No call fails."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from tests.support import own_platform
from tests.support.load import failed, under_load
from tests.support.platform_under_test import Answer, Platform
from twin import container_restart

pytestmark = [pytest.mark.minutes(4)]

KEYS = ("primary", "primary_readonly", "secondary", "secondary_readonly")


@pytest.fixture(scope="module")
def rolling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = own_platform.copied(tmp_path_factory.mktemp("rolling"), "servers")
    own_platform.change_server(platform, slots=["a", "b"], rate_limit=own_platform.NO_LIMIT)
    backends = own_platform.terraform(platform) / "modules/apim/mcp-apis.tf"
    text, replaced = re.subn(r"trip_duration( *)= \"PT10S\"", r'trip_duration\1= "PT3S"', backends.read_text("utf-8"))
    assert replaced, "the breaker in mcp-apis.tf looks different: correct this test, which would wait long for it"
    backends.write_text(text, encoding="utf-8")
    with own_platform.deployed(platform):
        yield platform


def home(platform: Platform) -> Path:
    return Path(platform.variables["TWIN_HOME"])


def image(platform: Platform) -> dict[str, Any]:
    path = home(platform) / "terraform/environments/local/images.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["mongodb"]
    return found


def pids(platform: Platform) -> dict[str, int]:
    found = json.loads((home(platform) / "run/status.json").read_text(encoding="utf-8"))["parts"]
    return {name: part["pid"] for name, part in found.items()}


Commands = dict[int, list[str]]


def printed(platform: Platform, task: str) -> Commands:
    """What `--dry-run` says that Terraform is asked, by stage."""
    lines = platform.invoke(task, "--dry-run").stdout.splitlines()
    found: Commands = {1: [], 2: []}
    for words in (shlex.split(line) for line in lines if line.startswith("terraform ")):
        found[int(words[1][-1])].append(shlex.join(words[2:]))
    return found


def executed(platform: Platform, change: Callable[[], object]) -> Commands:
    """What Terraform was asked while the change was made, as its logs say."""
    logs = {number: home(platform) / f"logs/terraform-stage{number}.log" for number in (1, 2)}
    before = {number: path.stat().st_size for number, path in logs.items()}
    change()
    text = {number: path.read_bytes()[before[number] :].decode() for number, path in logs.items()}
    return {number: re.findall(r"^\$ terraform (.*)$", log, re.MULTILINE) for number, log in text.items()}


def unannounced(some: list[str], whole: list[str]) -> list[str]:
    """The commands of `some` that `whole` does not have, or has in another order."""
    rest = iter(whole)
    return [command for command in some if command not in rest]


def test_a_new_image_and_the_way_back(rolling: Platform) -> None:
    """Each slot is replaced, the other parts are not, and every call is answered."""
    first, before = image(rolling), pids(rolling)
    code = Path(rolling.variables["SERVERS_DIR"]) / "mongo-db-server/src/mongo_db_server/__init__.py"
    code.write_text(code.read_text(encoding="utf-8") + "# another image\n", encoding="utf-8")

    answers: list[Answer] = []
    rehearsed = printed(rolling, "deploy")
    asked = executed(rolling, lambda: answers.extend(under_load(rolling, lambda: rolling.invoke("deploy"))))
    # Stage 1 had nothing to do, and nor had stage 2 after its slots; what was done was said before.
    assert unannounced(asked[1], rehearsed[1]) == []
    assert unannounced(asked[2], rehearsed[2]) == []
    assert [len(re.findall("-target", command)) for command in asked[2]] == [0, 2, 0, 2, 0, 0]
    assert len(answers) > 100
    assert failed(answers) == []
    second, between = image(rolling), pids(rolling)
    assert (second["digest"] != first["digest"], second["history"][0]["digest"]) == (True, first["digest"])
    assert "slots" not in second
    assert {name for name in before if before[name] != between[name]} == {
        f"aci-mongodb-{tier}-{slot}" for tier in ("admin", "reader") for slot in ("a", "b")
    }

    answers.clear()
    rehearsed = printed(rolling, "rollback")
    asked = executed(rolling, lambda: answers.extend(under_load(rolling, lambda: rolling.invoke("rollback"))))
    assert asked == rehearsed
    assert len(answers) > 100
    assert failed(answers) == []
    assert image(rolling)["digest"] == first["digest"]
    assert rolling.invoke("rollback", check=False).returncode == 1


def account(platform: Platform) -> dict[str, Any]:
    """The account as the cloud has it: its four keys, and the connection strings made of them."""
    cloud = json.loads((home(platform) / "cloud.json").read_text(encoding="utf-8"))
    (found,) = cloud["objects"]["azurerm_cosmosdb_account"].values()
    return dict(found)


def opens(platform: Platform, key: str) -> bool:
    """Whether the local MongoDB lets that key in."""
    port = json.loads((home(platform) / "run/status.json").read_text(encoding="utf-8"))["parts"]["mongo"]["port"]
    who = {"username": account(platform)["name"], "password": key, "serverSelectionTimeoutMS": 5000}
    with pymongo.MongoClient("127.0.0.1", port, **who) as client:
        try:
            client.list_database_names()
        except OperationFailure as error:
            return error.code != 18  # AuthenticationFailed
    return True


def stored(platform: Platform) -> dict[str, str]:
    """The connection strings that Key Vault holds, by name, in the applied state."""
    applied = json.loads((home(platform) / "run/state.json").read_text(encoding="utf-8"))
    found = [r["values"] for r in applied if r["type"] == "azurerm_key_vault_secret"]
    return {secret["name"]: secret["value"] for secret in found if secret["name"].startswith("cosmos-")}


def uses(platform: Platform, key: str) -> bool:
    """Whether every server of the admin's was given that key."""
    applied = json.loads((home(platform) / "run/state.json").read_text(encoding="utf-8"))
    groups = [
        r["values"] for r in applied if r["type"] == "azurerm_container_group" and "-admin-" in r["values"]["name"]
    ]
    given = [group["container"][0]["secure_environment_variables"]["MONGODB_URI"] for group in groups]
    return len(given) == 2 and all(f":{key}@" in uri for uri in given)


def test_new_database_keys(rolling: Platform) -> None:
    """All four are other keys afterwards, the old ones open nothing, and the committed file is as it was."""
    variables = Path(rolling.variables["TERRAFORM_DIR"]) / "environments/local/terraform.tfvars"
    text, old, before = variables.read_text(encoding="utf-8"), account(rolling), pids(rolling)
    answers: list[Answer] = []
    rehearsed = printed(rolling, "rotate")
    asked = executed(rolling, lambda: answers.extend(under_load(rolling, lambda: rolling.invoke("rotate"))))
    assert asked == rehearsed
    assert len(answers) > 100
    assert failed(answers) == []
    new, after = account(rolling), pids(rolling)
    for key in (f"{which}_key" for which in KEYS):
        assert new[key] != old[key]
        assert (opens(rolling, old[key]), opens(rolling, new[key])) == (False, True)
    assert stored(rolling) == {
        f"cosmos-{access}-{which}": new[f"{which}{suffix}_mongodb_connection_string"]
        for which in ("primary", "secondary")
        for access, suffix in (("read-write", ""), ("read-only", "_readonly"))
    }
    assert {name for name in before if before[name] != after[name]} == {name for name in before if "aci-" in name}
    assert variables.read_text(encoding="utf-8") == text
    assert uses(rolling, new["secondary_key"])


def test_a_container_whose_address_changed(rolling: Platform) -> None:
    """Azure gives another address at a restart: heal brings the record up to date, and only that."""
    assert rolling.status["healthy"] is True
    deployed = pids(rolling)
    address = container_restart.restart(home(rolling), "aci-mongodb-reader-a")
    before = pids(rolling)
    assert {name for name in before if before[name] != deployed[name]} == {"aci-mongodb-reader-a"}
    status = json.loads(rolling.invoke("status", "--json", check=False).stdout)
    assert status["healthy"] is False
    assert "backend mongodb-reader-a cannot be reached" in status["reason"]

    healing: list[str] = []
    answers = under_load(rolling, lambda: healing.append(rolling.invoke("heal").stderr))
    assert failed(answers) == []
    assert 'module.servers["mongodb-reader-a"].azurerm_container_group.this' in healing[0]
    assert re.search(r"update\s+servers mongodb-reader-a\s+private_dns_a_record", healing[0])
    assert address in json.dumps(json.loads((home(rolling) / "run/state.json").read_text("utf-8")))
    assert pids(rolling) == before
    assert json.loads(rolling.invoke("status", "--json").stdout)["healthy"] is True
    assert "nothing drifted" in rolling.invoke("heal").stderr
