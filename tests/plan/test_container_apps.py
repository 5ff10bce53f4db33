"""The local environment with its server as apps: what the stages refuse, and how apps come and go."""

from __future__ import annotations

from typing import Any

import pytest

from ops.config import tfvars
from tests.plan import change
from tests.plan.bench import Bench


def given(bench: Bench, apps: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The local values, with the server as apps unless told otherwise."""
    values = tfvars.read(bench.tfvars("local"))
    values["mcp_servers"]["mongodb"] |= {"compute": "container-apps", "cpu": 0.5, "memory": 1, **changes}
    return values | ({"container_apps": apps} if apps else {})


@pytest.fixture(scope="module")
def apps(own_bench: Bench) -> Bench:
    """Both stages applied, with apps."""
    for stage in (1, 2):
        change.apply(own_bench, stage, given(own_bench))
    return own_bench


def test_a_missing_secret_stops_the_plan(apps: Bench) -> None:
    """An app's and a server elsewhere's: Azure reads them by itself, and would miss them half-way through the apply."""
    values = given(apps, secrets={"SEARCH_KEY": "search-key"})
    remote = {"url": "https://mcp.example.com/mcp", "credential": {"secret": "tickets-key"}}
    values["mcp_servers"]["tickets"] = {"remote": remote, "tiers": {"admin": {"role": "Mcp.Admin"}}}
    _, (said,) = change.refusals(apps, 2, values)
    assert said.startswith("The key vault keyvault-mcp-local holds no secret search-key, tickets-key, which ")
    names = ("search-key", "tickets-key")
    for name in names:
        held = {"id": f"/secrets/{name}", "name": name, "value": "not-read"}
        apps.cloud.store.put("azurerm_key_vault_secret", held)
    assert change.refusals(apps, 2, values) == ([], [])
    for name in names:
        apps.cloud.store.remove("azurerm_key_vault_secret", f"/secrets/{name}")


@pytest.mark.parametrize("changed", [{"subnet": "10.60.2.64/26"}, {"zone_redundant": True}], ids=str)
def test_an_environment_is_not_replaced(apps: Bench, changed: dict[str, Any]) -> None:
    """With every app in it: subnet and zones are chosen once."""
    _, sentences = change.refusals(apps, 1, given(apps, changed, scale={"minimum": 2}))
    assert [said.split(" (it is")[0] for said in sentences] == [
        "container_apps cannot change its subnet or zone_redundant"
    ]


def test_an_environment_stays_while_apps_run_in_it(apps: Bench) -> None:
    """Stage 1 comes first: the sentence names the apps and the setting for the deployment that takes them away."""
    groups = given(apps, compute="container-instances")
    _, (said,) = change.refusals(apps, 1, groups)
    assert said.startswith("The apps mongodb-admin, mongodb-reader still run in the Container Apps environment")
    assert "set container_apps.enabled = true" in said
    for stage in (1, 2):
        assert change.attempt(apps, stage, groups | {"container_apps": {"enabled": True}}) == ""
    assert change.attempt(apps, 1, groups) == ""
    assert apps.cloud.store.of_type("azurerm_container_app_environment") == []
