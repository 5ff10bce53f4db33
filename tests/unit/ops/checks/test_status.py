from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from emulators.base.files import write_json
from emulators.base.state import Resource, State
from ops.checks import status
from ops.clients import access_token, outputs, people
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.errors import NotDeployedError, SmokeError, UsageError
from tests.unit.ops.conftest import Make
from twin import control
from twin.control import PartStatus, Status

KEYS = [
    "env",
    "healthy",
    "endpoint",
    "servers",
    "authority",
    "tenant_id",
    "client_id",
    "scope",
    "gateway",
    "registry",
    "mongodb_uri",
    "database",
    "console",
    "pids",
]
PLATFORM = Platform(
    gateway="http://127.0.0.1:8080",
    endpoints={"mongodb": "http://127.0.0.1:8080/mongodb/mcp"},
    authority="http://127.0.0.1:8081/tenant/v2.0",
    tenant_id="tenant",
    scope="api://api/Mcp.Access",
    client_ids={"claude": "c", "desktop": "d"},
    registry="http://127.0.0.1:8080",
)


def group(tier: str) -> Resource:
    container = {
        "environment_variables": {"MCP_SERVER_NAME": "mongodb", "MCP_TIER": tier},
        "ports": [{"port": 8000}],
    }
    values = {"name": f"aci-mongodb-{tier}-a", "ip_address": "10.0.0.4", "container": [container]}
    return Resource(f"azurerm_container_group.{tier}", "azurerm_container_group", values)


def running(**states: str) -> Status:
    parts = {
        name.replace("_", "-"): PartStatus(state, "server", 20001, 7)  # type: ignore[arg-type]
        for name, state in states.items()
    }
    return Status(os.getpid(), "now", parts, mongodb_uri="mongodb://127.0.0.1:20002/")


def well(endpoint: str, token: str | None = None) -> int:
    return 200 if token else 401


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_token, "mint", lambda environment, platform, user: f"token of the {user}")


@pytest.fixture
def deployed(make: Make) -> Environment:
    """A home as `deploy` leaves it."""
    environment = make()
    outputs.save(PLATFORM, environment.home)
    State((group("admin"), group("reader"))).dump(environment.home / "run" / "state.json")
    return environment


def test_the_endpoint_stays_when_a_server_comes(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the first entry of mcp_servers, wherever the name of another one sorts: scripts read it."""
    added = {"clock": "http://127.0.0.1:8080/clock/mcp", **PLATFORM.endpoints}  # as Terraform sorts them
    outputs.save(replace(PLATFORM, endpoints=added), deployed.home)
    entries = {"mongodb": deployed.servers["mongodb"], "clock": {}}
    with_clock = replace(deployed, variables={**deployed.variables, "mcp_servers": entries})
    monkeypatch.setattr(control, "status", lambda home: running(gateway="healthy"))
    found = status.document(with_clock, well)
    assert found["endpoint"] == PLATFORM.endpoints["mongodb"]
    assert list(found["servers"]) == ["mongodb", "clock"]


def test_healthy(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented object, with each tier's process and each part's pid."""
    now = running(gateway="healthy", aci_mongodb_admin_a="healthy", aci_mongodb_reader_a="healthy")
    monkeypatch.setattr(control, "status", lambda home: now)
    found = status.document(deployed, well)
    assert list(found) == KEYS
    assert found["healthy"] is True
    assert found["endpoint"] == "http://127.0.0.1:8080/mongodb/mcp"
    assert found["servers"]["mongodb"] == {
        "url": "http://127.0.0.1:8080/mongodb/mcp",
        "tiers": {"admin": "http://127.0.0.1:20001", "reader": "http://127.0.0.1:20001"},
        "roles": {},
    }
    assert found["client_id"] == "d"
    assert found["registry"] == "http://127.0.0.1:8080/v0.1/servers"
    assert found["mongodb_uri"] == "mongodb://127.0.0.1:20002/"
    assert found["pids"] == {"gateway": 7, "aci-mongodb-admin-a": 7, "aci-mongodb-reader-a": 7}


def test_an_app_has_its_address_and_replicas(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name in its environment; those that are ready and stay are counted, as the ingress says it."""
    servers = {"mongodb": {"compute": "container-apps", "tiers": {"reader": {"role": "Mcp.Read"}}}}
    environment = replace(deployed, variables={**deployed.variables, "mcp_servers": servers})
    env = [{"name": "MCP_SERVER_NAME", "value": "mongodb"}, {"name": "MCP_TIER", "value": "reader"}]
    fqdn = "mongodb-reader.calmsea.uksouth.azurecontainerapps.io"
    values = {"name": "mongodb-reader", "ingress": [{"fqdn": fqdn}], "template": [{"container": [{"env": env}]}]}
    run = environment.home / "run"
    State((Resource("azurerm_container_app.reader", "azurerm_container_app", values),)).dump(run / "state.json")
    states = [("healthy", False), ("healthy", True), ("starting", False), ("healthy", False)]
    held = {f"r.{number}": {"state": state, "leaving": leaving} for number, (state, leaving) in enumerate(states)}
    write_json(run / "apps.status.json", {"mongodb-reader": {"replicas": held}})
    monkeypatch.setattr(control, "status", lambda _: running(apps="healthy"))
    found = status.document(environment, answer=well)
    assert found["servers"]["mongodb"]["tiers"] == {"reader": f"https://{fqdn}"}
    assert found["servers"]["mongodb"]["replicas"] == {"reader": 2}
    assert ("mongodb reader", f"https://{fqdn}  2 replicas") in status.rows(found)


def test_nothing_deployed(make: Make) -> None:
    """With nothing deployed the object has all its keys, is not healthy, and says what to run."""
    found = status.document(make())
    assert list(found) == [*KEYS, "reason"]
    assert (found["env"], found["healthy"], found["servers"]) == ("local", False, {})
    assert "run `invoke deploy`" in found["reason"]


def test_stopped(deployed: Environment) -> None:
    """Deployed but not running is not healthy, and shows no address that nobody serves."""
    found = status.document(deployed)
    assert found["healthy"] is False
    assert found["servers"]["mongodb"]["tiers"] == {"admin": "", "reader": ""}


def test_an_ill_part_is_named(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """One part that does not serve makes the platform unhealthy."""
    monkeypatch.setattr(control, "status", lambda home: running(gateway="healthy", entra="restarting"))
    found = status.document(deployed, well)
    assert (found["healthy"], found["reason"]) == (False, "entra is restarting")


def test_what_production_could_not_connect_is_named(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing DNS record reads as such, in the reason of the JSON and in the table, although every part serves."""
    sentence = "backend mongodb-admin-a cannot be reached: it has no azurerm_private_dns_a_record"
    cut_off = replace(running(gateway="healthy"), unreachable={"mongodb-admin-a.mcp.internal:8000": sentence})
    monkeypatch.setattr(control, "status", lambda home: cut_off)
    found = status.document(deployed, well)
    assert (found["healthy"], found["reason"]) == (False, sentence)
    assert ("reason", sentence) in status.rows(found)


def test_an_open_door_is_not_healthy(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that answers somebody without a token is worse than one that is down."""
    monkeypatch.setattr(control, "status", lambda home: running(gateway="healthy"))
    assert "401 is right" in status.document(deployed, lambda endpoint, token=None: 200)["reason"]


def test_servers_that_refuse_the_gateway_are_not_healthy(
    deployed: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every part serves and challenges, and yet no caller gets through: only a signed-in call shows that."""
    monkeypatch.setattr(control, "status", lambda home: running(gateway="healthy"))
    monkeypatch.setattr(people, "caller", lambda environment, platform, server: "reader")
    found = status.document(deployed, lambda endpoint, token=None: 502 if token == "token of the reader" else 401)
    assert found["reason"] == ("http://127.0.0.1:8080/mongodb/mcp answers 502 to a signed-in caller; see `invoke logs`")


@pytest.mark.parametrize(("answered", "healthy"), [(400, True), (404, True), (401, False), (502, False)])
def test_a_server_elsewhere_may_want_a_session_first(
    deployed: Environment, monkeypatch: pytest.MonkeyPatch, answered: int, healthy: bool
) -> None:
    """Its own 4xx show that it answers, and where it is stands in the object; a refused gateway is a 502."""
    there = {"remote": {"url": "https://mcp.example.com/mcp"}, "tiers": {"admin": {"role": "Mcp.Admin"}}}
    environment = replace(deployed, variables={**deployed.variables, "mcp_servers": {"mongodb": there}})
    monkeypatch.setattr(control, "status", lambda home: running(gateway="healthy"))
    found = status.document(environment, lambda endpoint, token=None: answered if token else 401)
    assert (found["healthy"], found["servers"]["mongodb"]["remote"]) == (healthy, "https://mcp.example.com/mcp")
    assert ("mongodb elsewhere", "https://mcp.example.com/mcp") in status.rows(found)


def test_silence_is_not_healthy(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that does not answer is reported, whatever its process says."""

    def silent(endpoint: str, token: str | None = None) -> int:
        raise SmokeError("does not answer")

    monkeypatch.setattr(control, "status", lambda home: running(gateway="healthy"))
    assert status.document(deployed, silent)["reason"] == "does not answer"


def test_unhealthy_fails_the_task(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """`invoke status` of nothing ends with an error, and still prints its object."""
    with pytest.raises(NotDeployedError) as caught:
        status.report(make(), as_json=True)
    assert caught.value.exit_code == 1
    assert '"healthy": false' in capsys.readouterr().out


def test_people_do_not_see_the_key(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table leaves out the database's address: it holds a key."""
    monkeypatch.setattr(control, "status", lambda home: running(gateway="healthy"))
    rows = status.rows(status.document(deployed, well))
    assert not any("mongodb://" in value for _, value in rows)


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        (
            "mongodb://cosmos.primary:k%2By==@127.0.0.1:1/?tls=true",
            "mongodb://cosmos.primary:***@127.0.0.1:1/?tls=true",
        ),
        ("mongodb+srv://me:p:w@one.example,two.example/db", "mongodb+srv://me:***@one.example,two.example/db"),
        ("mongodb://me:not/encoded@@host/", "mongodb://me:***@host/"),
        ("mongodb://127.0.0.1:1/", "mongodb://127.0.0.1:1/"),
        ("", ""),
    ],
)
def test_machines_see_the_key_only_where_they_ask(
    deployed: Environment,
    monkeypatch: pytest.MonkeyPatch,
    held: str,
    shown: str,
) -> None:
    """What a pipeline prints ends up in its log."""
    now = replace(running(gateway="healthy"), mongodb_uri=held)
    monkeypatch.setattr(control, "status", lambda home: now)
    assert status.document(deployed, well)["mongodb_uri"] == shown
    assert status.document(deployed, well, secrets=True)["mongodb_uri"] == held
    with pytest.raises(UsageError, match="--secrets needs --json"):
        status.report(deployed, as_json=False, secrets=True)


def test_people_see_the_endpoint_of_each_server(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second server was in no row; for machines `endpoint` stays the first one's."""
    urls = {name: f"http://127.0.0.1:8080/{name}/mcp" for name in ("mongodb", "notes")}
    outputs.save(replace(PLATFORM, endpoints=urls), deployed.home)
    monkeypatch.setattr(control, "status", lambda home: running(gateway="healthy"))
    found = status.document(deployed, well)
    assert [value for name, value in status.rows(found) if name == "endpoint"] == list(urls.values())
    assert found["endpoint"] == urls["mongodb"]


def test_people_see_which_database_it_is(deployed: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, with the reason why it is not a better one."""
    now = replace(running(gateway="healthy"), database="emulators.mongodb: Docker has no image mongo:7.0")
    monkeypatch.setattr(control, "status", lambda home: now)
    rows = status.rows(status.document(deployed, well))
    assert ("database", "emulators.mongodb: Docker has no image mongo:7.0") in rows


def test_outputs_make_a_platform() -> None:
    """Stage 2's outputs hold everything a client needs."""
    given = {
        "public_base_url": PLATFORM.gateway,
        "endpoints": dict(PLATFORM.endpoints),
        "authority": "http://127.0.0.1:8081/tenant",
        "tenant_id": "tenant",
        "scope": PLATFORM.scope,
        "client_ids": dict(PLATFORM.client_ids),
        "mcp_registry_url": PLATFORM.registry,
    }
    shown = {"values": {"outputs": {name: {"value": value} for name, value in given.items()}}}
    assert outputs.from_show_json(shown, "dev") == PLATFORM


def test_a_platform_says_how_long_its_breakers_stay_open() -> None:
    """The longest of all backends: a rolling change waits that long before the next slot."""
    kind = "azurerm_api_management_backend"
    backends = [
        {"address": f"{kind}.{n}", "mode": "managed", "type": kind, "values": {"circuit_breaker_rule": rules}}
        for n, rules in (("a", [{"trip_duration": "PT10S"}]), ("b", [{"trip_duration": "PT1M"}]), ("c", []))
    ]
    names = ("public_base_url", "endpoints", "authority", "tenant_id", "scope", "client_ids")
    shown = {"values": {"outputs": {n: {"value": ""} for n in names}, "root_module": {"resources": backends}}}
    assert outputs.from_show_json(shown, "dev").breaker_seconds == 60


@pytest.mark.parametrize("shown", [{}, {"values": {"outputs": {"scope": {"value": "x"}}}}])
def test_half_applied_is_not_deployed(shown: dict[str, object]) -> None:
    """Without all outputs there is no platform yet."""
    with pytest.raises(NotDeployedError, match="invoke deploy --env dev"):
        outputs.from_show_json(shown, "dev")


def test_broken_home_is_not_deployed(make: Make) -> None:
    """A file that an interrupted run left half-written is named, with what writes it anew."""
    home: Path = make().home
    (home / "run").mkdir(parents=True)
    with pytest.raises(NotDeployedError, match="local is not deployed"):
        outputs.load(home, "local")
    (home / "run" / "platform.json").write_text('{"gateway": ', encoding="utf-8")
    with pytest.raises(NotDeployedError, match=r"run/platform\.json is damaged: .*run `invoke deploy`"):
        outputs.load(home, "local")
