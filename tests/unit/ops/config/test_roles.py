"""The `roles` map as the tasks read it."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import hcl2
import pytest

from emulators.base.state import Resource, State
from ops.clients import connect, people
from ops.clients.outputs import Platform
from ops.clients.people import Person
from ops.config import roles
from ops.config.environment import Environment
from tests.unit.ops.conftest import Make

SIGN_IN = Path(__file__).parents[4] / "terraform" / "shared" / "variables-sign-in.tf"
TENANT = "00000000-0000-4000-8000-00000000000a"


def with_variables(environment: Environment, **more: Any) -> Environment:
    return replace(environment, variables={**environment.variables, **more})


def test_the_default_is_terraforms() -> None:
    """What a terraform.tfvars without `roles` means is the same to the tasks and to Terraform."""
    text = SIGN_IN.read_text(encoding="utf-8").partition('variable "roles" {')[2]
    block = text[text.index("  default = {") : text.index("  nullable")]
    options = hcl2.SerializationOptions(strip_string_quotes=True)
    assert hcl2.loads(textwrap.dedent(block), serialization_options=options)["default"] == roles.DEFAULT


@pytest.mark.parametrize(
    ("given", "order"),
    [
        (None, ["Mcp.Admin", "Mcp.Read"]),
        ({"B": {}, "a": {}, "A": {}, "R": {"reads": True}}, ["A", "B", "a", "R"]),
        ({"B": {"rank": 9}, "A": {"rank": 10}, "R": {"reads": True, "rank": 1}}, ["R", "B", "A"]),
    ],
)
def test_the_best_role_comes_first(make: Make, given: dict[str, Any] | None, order: list[str]) -> None:
    """By rank, then those that may write, then by name, in the order of Terraform's `sort`."""
    environment = with_variables(make(), **({} if given is None else {"roles": given}))
    assert [role.name for role in roles.roles(environment)] == order


def test_tiers_are_in_the_order_of_their_roles(make: Make) -> None:
    tiers = {"reader": {"role": "Mcp.Read"}, "admin": {"role": "Mcp.Admin"}}
    environment = with_variables(make(), mcp_servers={"notes": {"tiers": tiers}})
    assert list(roles.tiers(environment, "notes").items()) == [("admin", "Mcp.Admin"), ("reader", "Mcp.Read")]


EVERYBODY = [
    Person("ada", frozenset({"A", "R"})),
    Person("both", frozenset({"R", "P"})),
    Person("rae", frozenset({"R"})),
    Person("outsider", frozenset()),
]


@pytest.mark.parametrize(
    ("tiers", "users"),
    [
        ({"admin": "A", "reader": "R"}, {"admin": "ada", "reader": "rae"}),
        ({"payroll": "P", "reader": "R"}, {"payroll": "both", "reader": "rae"}),
        ({"reader": "R", "payroll": "P"}, {"reader": "rae"}),  # whoever has P has R too, which is better there
        ({"nobody": "X"}, {}),
    ],
)
def test_who_is_called_for_a_tier(tiers: dict[str, str], users: dict[str, str]) -> None:
    """Somebody whom the gateway gives that tier, and who has as few other roles as anybody."""
    assert people.of_tiers(EVERYBODY, tiers) == users


def test_a_role_is_held_by_somebody_with_few_others() -> None:
    assert people.holder(EVERYBODY, "R") == EVERYBODY[2]
    assert people.holder(EVERYBODY, "X") is None


def test_the_local_people_follow_from_the_map(make: Make) -> None:
    """A group that nobody is in has somebody locally, by the group's name; groups and members give roles."""
    ada = "11111111-aaaa-4aaa-8aaa-000000000001"
    groups = {"admin": [ada], "reader": [], "payroll": []}
    state = State(
        tuple(
            Resource(
                f'module.groups.azuread_group.this["{name}"]',
                "azuread_group",
                {"object_id": f"id-{name}", "display_name": name, "members": members, "security_enabled": True},
            )
            for name, members in groups.items()
        )
    )
    environment = with_variables(
        make(),
        roles={
            "Payroll.Read": {"groups": ["payroll"], "reads": True},
            "Mcp.Read": {"groups": ["reader", "payroll", "missing"], "reads": True},
            "Mcp.Admin": {"groups": ["admin"]},
            "Audit": {"members": [ada.upper()]},
        },
    )
    (environment.home / "run").mkdir(parents=True)
    state.dump(environment.home / "run" / "state.json")
    found = {one.key: set(one.roles) for one in people.local(environment, Platform("", {}, "", TENANT, "", {}))}
    assert found == {
        "admin": {"Mcp.Admin", "Audit"},
        "reader": set(),  # Rae is where Terraform puts her, and here in no group
        "outsider": set(),
        "payroll": {"Payroll.Read", "Mcp.Read"},
    }


def test_connect_names_who_may_call_which_server(make: Make) -> None:
    """The line for curl signs in somebody who may call that server; each person is told what they may."""
    ada = "11111111-aaaa-4aaa-8aaa-000000000001"
    groups = {"admin": [ada], "payroll": []}
    made = (
        (
            f'module.groups.azuread_group.this["{name}"]',
            {"object_id": f"id-{name}", "display_name": name, "members": members, "security_enabled": True},
        )
        for name, members in groups.items()
    )
    state = State(tuple(Resource(address, "azuread_group", values) for address, values in made))
    entry = {"image": {"repository": "x", "tag": "1"}}
    environment = with_variables(
        make(),
        roles={"Payroll.Read": {"groups": ["payroll"], "reads": True}, "Mcp.Admin": {"groups": ["admin"]}},
        groups={name: {"display_name": name} for name in groups},
        mcp_servers={
            "notes": {**entry, "tiers": {"admin": {"role": "Mcp.Admin"}}},
            "payroll": {**entry, "tiers": {"all": {"role": "Payroll.Read"}}},
            "nobodys": {**entry, "tiers": {"all": {"role": "Audit"}}},
        },
    )
    platform = Platform("", dict.fromkeys(("notes", "payroll", "nobodys"), "http://127.0.0.1/x"), "", TENANT, "", {})
    assert connect.options_of(environment, platform) == dict.fromkeys(platform.endpoints, "")  # never started
    (environment.home / "run").mkdir(parents=True)
    state.dump(environment.home / "run" / "state.json")
    options = connect.options_of(environment, platform)
    assert options == {"notes": "", "payroll": " --as Payroll.Read", "nobodys": ""}
    lines = connect.configuration(platform, "curl", options=options)[1].splitlines()
    assert ["$(invoke token --as Payroll.Read)" in line for line in lines] == [False, True, False]
    assert connect.expectations(environment, platform, "")[1:] == [
        ("Ada Admin", "reads and writes (notes)"),
        ("Rae Reader", "is refused: no role"),
        ("Otto Outsider", "is refused: no role"),
        ("Pat Payroll", "reads (payroll)"),
    ]
