from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.azure import az
from ops.checks import prerequisites
from ops.checks.prerequisites import Note
from ops.config.environment import ROOT
from ops.errors import AzError, ToolError
from tests.unit.ops.conftest import Make


@pytest.mark.parametrize(
    "held",
    [
        ["Owner"],
        ["Contributor", "User Access Administrator"],
        ["Contributor", "Role Based Access Control Administrator"],
    ],
)
def test_enough_roles(held: list[str]) -> None:
    """Terraform makes resources and gives roles."""
    assert prerequisites.judge_roles(held) == ", ".join(sorted(held))


@pytest.mark.parametrize("held", [[], ["Reader"], ["Contributor"], ["User Access Administrator"]])
def test_too_few_roles(held: list[str]) -> None:
    """What is held is said, and what is needed."""
    with pytest.raises(ToolError, match="Terraform needs Owner of the subscription, or Contributor with"):
        prerequisites.judge_roles(held)


def test_a_missing_provider_is_named_with_its_command() -> None:
    """Copy and paste."""
    listed = [
        {"name": "microsoft.network", "state": "Registered"},
        {"name": "Microsoft.KeyVault", "state": "NotRegistered"},
    ]
    with pytest.raises(
        ToolError, match=r"^Microsoft\.KeyVault not registered.*az provider register --namespace Microsoft"
    ):
        prerequisites.judge_providers(["Microsoft.Network", "Microsoft.KeyVault"], listed)
    assert prerequisites.judge_providers(["Microsoft.Network"], listed) == "1 registered"


def test_providers_come_from_terraform(make: Make) -> None:
    """One list: what the stages register."""
    dev = make("dev", TERRAFORM_DIR=str(ROOT / "terraform"))
    found = prerequisites.named_providers(dev)
    assert {"Microsoft.ApiManagement", "Microsoft.KeyVault"} <= set(found)
    v2 = replace(dev, variables={**dev.variables, "apim": {"sku_name": "StandardV2_1"}})
    assert set(prerequisites.named_providers(v2)) - set(found) == {"Microsoft.Web"}
    with_agents = prerequisites.named_providers(replace(dev, variables={**dev.variables, "agents": {"maximum": 1}}))
    assert {*with_agents} - {*found} == {"Microsoft.DevCenter", "Microsoft.DevOpsInfrastructure"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(True, False), (False, True), ({"nameAvailable": True}, True), ({"nameAvailable": False, "reason": "x"}, False)],
)
def test_the_forms_of_a_free_name(answer: Any, expected: bool) -> None:
    """Cosmos DB says whether it exists, the others whether it is available."""
    assert prerequisites.free(answer) is expected


def test_a_taken_name_may_be_ours(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second `doctor`, after a deployment, finds its own names taken by itself."""
    environment = make("dev", STORAGE_ACCOUNT="stmcptfstate")
    ours: list[str] = ["STMCPTFSTATE", "acrmcp"]

    def run(*arguments: str) -> Any:
        if arguments[:2] == ("resource", "list"):
            return ours
        return (
            {"nameAvailable": arguments[-1] not in ("stmcptfstate", "acrmcp")} if "cosmosdb" not in arguments else False
        )

    monkeypatch.setattr(az, "run", run)
    assert prerequisites.names(environment) == "4 free or ours"
    ours.clear()
    with pytest.raises(ToolError, match=r"^STORAGE_ACCOUNT 'stmcptfstate', ACR_NAME 'acrmcp' taken by somebody else"):
        prerequisites.names(environment)


def test_before_bootstrap_nothing_is_ours(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resource group that does not exist holds no names."""

    def run(*arguments: str) -> Any:
        if arguments[:2] == ("resource", "list"):
            raise AzError("no group", kind="not-found")
        return {"nameAvailable": True} if "cosmosdb" not in arguments else False

    monkeypatch.setattr(az, "run", run)
    assert prerequisites.names(make("dev", STORAGE_ACCOUNT="stmcptfstate")) == "4 free or ours"


def test_directory_roles_are_told_not_demanded() -> None:
    """A pipeline or a generous tenant may stand in for each of them."""
    assert prerequisites.judge_directory(["Global Administrator"]) == "holds Global Administrator"
    enough = ["Privileged Role Administrator", "Cloud Application Administrator", "User Administrator"]
    assert not isinstance(prerequisites.judge_directory(enough), Note)
    some = prerequisites.judge_directory(["Application Administrator"])
    assert isinstance(some, Note)
    assert "not Privileged Role Administrator, to bootstrap; not Groups Administrator, to deploy" in some


def test_directory_reads_every_page(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles stand among the person's groups, which may be many."""
    role = {"@odata.type": "#microsoft.graph.directoryRole", "displayName": "Global Administrator"}
    group = {"@odata.type": "#microsoft.graph.group", "displayName": "Global Administrator of nothing"}
    pages = {
        f"{prerequisites.GRAPH}/me/transitiveMemberOf?$select=displayName": {
            "value": [group],
            "@odata.nextLink": "https://graph.microsoft.com/next",
        },
        "https://graph.microsoft.com/next": {"value": [role]},
    }
    answers = {"account": {"user": {"type": "user", "name": "ada"}}}
    monkeypatch.setattr(az, "run", lambda *words: answers.get(words[0]) or pages[words[-1]])
    assert prerequisites.directory(make("dev")) == "holds Global Administrator"
    answers["account"] = {"user": {"type": "servicePrincipal", "name": "x"}}
    assert "signed in as an application" in prerequisites.directory(make("dev"))


def sku(*plans: str, status: str = "Enabled") -> dict[str, Any]:
    return {"capabilityStatus": status, "servicePlans": [{"servicePlanName": plan} for plan in plans]}


def test_app_roles_need_a_licence() -> None:
    """Groups are assigned to roles with Entra ID P1 or P2 only."""
    assert prerequisites.judge_licence([sku("EXCHANGE_S_STANDARD"), sku("AAD_PREMIUM")]) == "Entra ID P1"
    assert prerequisites.judge_licence([sku("AAD_PREMIUM", "AAD_PREMIUM_P2")]) == "Entra ID P2"
    for skus in ([], [sku("EXCHANGE_S_STANDARD")], [sku("AAD_PREMIUM", status="Suspended")]):
        with pytest.raises(ToolError, match=r'set authorization = "groups" in terraform\.tfvars'):
            prerequisites.judge_licence(skus)


def test_groups_need_no_licence(make: Make, terraform_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a directory that shows nothing stand in the way."""

    def run(*_: str) -> Any:
        raise AzError("no", kind="directory-role")

    monkeypatch.setattr(az, "run", run)
    assert isinstance(prerequisites.licence(make("dev")), Note)
    path = terraform_dir / "environments/dev/terraform.tfvars"
    path.write_text(path.read_text(encoding="utf-8") + 'authorization = "groups"\n', encoding="utf-8")
    assert prerequisites.licence(make("dev")) == 'not needed: authorization = "groups"'


def test_empty_groups_are_named(make: Make, terraform_dir: Path) -> None:
    """After such a deployment nobody could call."""
    path = terraform_dir / "environments/dev/terraform.tfvars"
    text = path.read_text(encoding="utf-8")
    groups = 'groups = {{ admin = {{ members = [{}] }}, reader = {{ members = ["x", "y"] }} }}\n'
    path.write_text(text + groups.format(""), encoding="utf-8")
    said = prerequisites.groups(make("dev"))
    assert isinstance(said, Note)
    assert said.startswith("nobody is in admin, so nobody may call with that role")
    path.write_text(text + groups.format('"z"'), encoding="utf-8")
    assert prerequisites.groups(make("dev")) == "admin: 1, reader: 2"


@pytest.mark.parametrize(
    ("database", "command"),
    [
        ("cosmosdb-mongodb", "cosmosdb check-name-exists --name cosmos-mcp"),
        ("documentdb", "checkMongoClusterNameAvailability?api-version=2024-07-01 --body"),
    ],
)
def test_the_name_of_the_database_that_is_used(
    make: Make, monkeypatch: pytest.MonkeyPatch, database: str, command: str
) -> None:
    """Cosmos DB or DocumentDB: the one that no server uses has no name to ask for."""
    path = make("dev").folder / "terraform.tfvars"
    text = path.read_text(encoding="utf-8").replace('"cosmosdb-mongodb"', f'"{database}"')
    names = 'cosmos_account_name = "cosmos-mcp"\ndocumentdb = { name = "docdb-mcp" }\n'
    path.write_text(text + names, encoding="utf-8")
    asked: list[str] = []

    def run(*arguments: str) -> Any:
        asked.append(" ".join(arguments))
        return [] if arguments[:2] == ("resource", "list") else {"nameAvailable": True}

    monkeypatch.setattr(az, "run", run)
    assert prerequisites.names(make("dev", STORAGE_ACCOUNT="stmcptfstate")) == "5 free or ours"
    assert [one for one in asked if "osmos" in one or "Mongo" in one] == [one for one in asked if command in one] != []
