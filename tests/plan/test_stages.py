"""Both stages, planned as a whole in every environment and in every case of cases/."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from tests.plan import costs, inventory
from tests.plan.bench import CASES, ENVIRONMENTS, Bench
from tests.plan.conftest import Planned
from tools import diagrams

COSTS = Path(__file__).parents[2] / "docs" / "costs.md"
BEGIN, END = "<!-- from the plans -->\n", "<!-- end -->\n"
GATEWAYS = "<!-- other gateways, from the plans -->\n", "<!-- end of other gateways -->\n"
JOB = 'module.documentdb_users["this"].azurerm_container_group.this'
INVENTORIES = Path(__file__).parent / "inventories"


@pytest.mark.parametrize("case", ENVIRONMENTS + CASES)
@pytest.mark.parametrize("stage", [1, 2])
def test_the_plan_is_what_its_inventory_says(
    as_recorded: Planned, stage: int, case: str, request: pytest.FixtureRequest
) -> None:
    """What an environment gets is written down, and changes only with that file."""
    file = INVENTORIES / f"stage{stage}-{case}.yaml"
    wanted = yaml.safe_load(file.read_text(encoding="utf-8"))
    plan = as_recorded(stage, case)._raw
    if request.config.getoption("--regenerate"):
        file.write_text(yaml.safe_dump(inventory.refreshed(wanted, plan), sort_keys=False, width=120), encoding="utf-8")
        return
    found = inventory.differences(wanted, plan)
    assert not found, "\n".join(["", *found, "If that is meant: pytest tests/plan/test_stages.py --regenerate"])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_secret_is_in_the_plain_environment(planned: Planned, environment: str) -> None:
    """Connection strings and keys are in the secure environment, or nowhere."""
    for address, values in inventory.resources(planned(2, environment)._raw).items():
        if values.get("container"):
            names = set(values["container"][0].get("environment_variables") or {})
            assert "MONGODB_URI" not in names, address


def test_a_database_without_keys_leaves_no_secret(planned: Planned) -> None:
    """Nothing of the vault, nothing in a secure environment; each tier's address names its own identity."""
    found = inventory.resources(planned(2, "documentdb")._raw)
    groups = {address: values["container"][0] for address, values in found.items() if values.get("container")}
    assert {address for address, group in groups.items() if group.get("secure_environment_variables")} == set()
    addresses = {name: group["environment_variables"]["MONGODB_URI"] for name, group in groups.items()}
    assert len(set(addresses.values())) == len(addresses) == 3
    assert all(
        re.fullmatch(r"mongodb\+srv://[0-9a-f-]{36}@docdb-mcp-docdb\.global\..*", uri) for uri in addresses.values()
    )
    users = json.loads(groups[JOB]["environment_variables"]["MCP_DATABASE_USERS"])
    assert sorted(users.values()) == ["read", "readWrite"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_outputs_are_not_secret(planned: Planned, environment: str) -> None:
    """Outputs land in pipeline logs."""
    for stage in (1, 2):
        outputs = planned(stage, environment)._raw["planned_values"]["outputs"]
        assert {name for name, output in outputs.items() if output["sensitive"]} == set()


@pytest.mark.parametrize(
    ("names", "table", "marks"),
    [
        (ENVIRONMENTS, costs.table, (BEGIN, END)),
        (["dev", "standard-v2", "prod", "premium-v2"], costs.other_gateways, GATEWAYS),
    ],
)
def test_what_is_paid_for_is_in_the_docs(
    as_recorded: Planned,
    request: pytest.FixtureRequest,
    names: list[str],
    table: Callable[[Mapping[str, costs.Environment]], str],
    marks: tuple[str, str],
) -> None:
    """docs/costs.md has every environment's SKUs and numbers as the plans have them, and no type is forgotten."""
    found = {name: costs.environment(*(as_recorded(stage, name)._raw for stage in (1, 2))) for name in names}
    assert set().union(*(costs.unknown(planned) for planned in found.values())) == set(), "name these in costs.py"
    before, begin, rest = COSTS.read_text(encoding="utf-8").partition(marks[0])
    written, end, after = rest.partition(marks[1])
    if request.config.getoption("--regenerate"):
        COSTS.write_text("".join([before, begin, table(found), end, after]), encoding="utf-8")
        return
    assert written == table(found), "docs/costs.md is old: pytest tests/plan/test_stages.py --regenerate"


def test_the_pictures_show_what_is_planned(as_recorded: Planned, request: pytest.FixtureRequest) -> None:
    """docs/diagrams is drawn from prod's plans; a resource more or less makes a picture stale."""
    drawn = diagrams.from_plans([as_recorded(stage, "prod")._raw for stage in (1, 2)])
    if request.config.getoption("--regenerate"):
        diagrams.write(drawn)
        return
    assert diagrams.stale(drawn) == [], "draw them anew: python -m tools.diagrams"


def test_another_database_can_be_drawn_too(planned: Planned) -> None:
    """A production that changes its database by one word does not need another program for its pictures."""
    drawn = diagrams.from_plans([planned(stage, "documentdb")._raw for stage in (1, 2)])
    assert "Azure DocumentDB" in drawn["system.svg"]
    assert "Cosmos DB" not in drawn["system.svg"]


@pytest.mark.parametrize(
    ("case", "wanted"),
    [
        ("prod", set()),
        ("container-apps", {"Microsoft.App"}),
        ("standard-v2", {"Microsoft.Web"}),
        ("premium-v2", {"Microsoft.Web"}),
        ("hardened", {"Microsoft.DevCenter", "Microsoft.DevOpsInfrastructure"}),
    ],
)
def test_what_only_some_environments_use_is_registered(
    planned: Planned, bench: Bench, case: str, wanted: set[str]
) -> None:
    """Whoever delegates a subnet to a service, or makes one of it, registers its provider first."""
    planned(1, case)
    names = "concat(local._agents_providers, local._container_apps_providers, local._gateway_providers)"
    assert set(bench.evaluate(bench.stage(1), names, case=case)) == wanted


@pytest.mark.parametrize(("case", "wanted"), [("prod", []), ("two-servers", ["gateway"])])
def test_the_gateway_may_act_for_callers_only_where_a_server_does(
    planned: Planned, case: str, wanted: list[str]
) -> None:
    """Its identity proves the API's application, with which anybody's token is exchanged: nowhere else."""
    found = inventory.resources(planned(2, case)._raw)
    credentials = [
        v for address, v in found.items() if ".azuread_application_federated_identity_credential." in address
    ]
    assert [one["display_name"] for one in credentials] == wanted


def test_of_roles_of_one_rank_who_may_write_comes_first(planned: Planned, bench: Bench) -> None:
    """Whoever holds both gets the tier that writes; else by rank alone, and by name last."""
    planned(1, "local")
    values = "{ A = { rank = 100, reads = true }, B = { rank = 100, reads = false }, C = { rank = 5, reads = true } }"
    text = (bench.stage(2) / "sign-in.tf").read_text(encoding="utf-8")
    (ranked,) = re.findall(r"_roles_by_rank = (\[.*?\n  \])", text, re.DOTALL)
    expression = " ".join(ranked.split()).replace("var.roles", values)
    assert bench.evaluate(bench.stage(1), expression, case="local") == ["C", "B", "A"]


def test_the_gateway_reads_its_own_secrets_alone(planned: Planned) -> None:
    """Each of a server elsewhere by itself, and not the vault, which holds the database's keys."""
    found = inventory.resources(planned(2, "two-servers")._raw)
    roles = {
        a: v["scope"].rpartition("/vaults/")[2] for a, v in found.items() if a.startswith("module.remote_secret_roles.")
    }
    assert list(roles.values()) == ["keyvault-mcp-two/secrets/tickets-key"]


def test_servers_elsewhere_prove_who_they_are(planned: Planned) -> None:
    """The gateway sends them a credential, and checks both the chain and the name of their certificate first."""
    found = inventory.resources(planned(2, "two-servers")._raw)
    remotes = {a: v["tls"] for a, v in found.items() if ".azurerm_api_management_backend.remote[" in a}
    assert len(remotes) == 2
    for tls in remotes.values():
        assert tls == [{"validate_certificate_chain": True, "validate_certificate_name": True}]


def test_apps_can_be_drawn_too(planned: Planned) -> None:
    """Beside container groups, with the way that TLS takes to them, in the subnet of their environment."""
    drawn = diagrams.from_plans([planned(stage, "container-apps")._raw for stage in (1, 2)])
    assert "2 to 8 replicas" in drawn["system.svg"]
    assert "2 container groups, 2 apps" in drawn["system.svg"]
    assert "snet-apps" in drawn["network.svg"]
    assert "cae-mcp-apps" in drawn["network.svg"]
    assert "allow-to-apps: 443, 31443" in drawn["network.svg"]


# "Azure Private Endpoint private DNS zone values", by sub-resource; another name resolves to the closed public address.
ZONES = {
    "MongoDB": "privatelink.mongo.cosmos.azure.com",
    "MongoCluster": "privatelink.mongocluster.cosmos.azure.com",
    "vault": "privatelink.vaultcore.azure.net",
    "registry": "privatelink.azurecr.io",
    "blob": "privatelink.blob.core.windows.net",
}


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "documentdb"])
def test_each_private_endpoint_has_the_zone_that_azure_documents(planned: Planned, environment: str) -> None:
    """The zone of each endpoint's sub-resource is made, and no zone that nothing answers in."""
    planned_here = [inventory.resources(planned(stage, environment)._raw) for stage in (1, 2)]
    found = {address: values for one in planned_here for address, values in one.items()}
    endpoints = [values["private_service_connection"][0] for a, values in found.items() if "_private_endpoint." in a]
    zones = {str(values["name"]) for address, values in found.items() if "_private_dns_zone." in address}
    wanted = {ZONES[name] for endpoint in endpoints for name in endpoint["subresource_names"]}
    assert {zone for zone in zones if zone.startswith("privatelink.")} == wanted
