from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from ops.clients import access_token
from ops.config.environment import Environment
from ops.errors import OpsError, UsageError
from tests.unit.ops.checks.test_status import PLATFORM
from tests.unit.ops.conftest import Make


def jwt(**claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.signature"


def test_unknown_user(make: Make) -> None:
    """`--as` somebody else is refused with the users there are."""
    with pytest.raises(UsageError, match=r"admin, reader, outsider, Mcp.Admin, Mcp.Read$"):
        access_token.mint(make(), PLATFORM, "root")


PAYROLL = {
    "Payroll.Read": {"description": "Reads.", "reads": True, "groups": ["payroll"]},
    "Payroll.Write": {"description": "Writes.", "groups": ["clerks"]},
}


def with_roles(environment: Environment, found: dict[str, Any] | None) -> Environment:
    return replace(environment, variables={**environment.variables, **({"roles": found} if found else {})})


@pytest.mark.parametrize(
    ("user", "held", "roles"),
    [
        ("admin", ["Mcp.Admin"], None),
        ("reader", ["Mcp.Read"], None),
        ("Mcp.Read", ["Mcp.Read", "Mcp.Admin"], None),
        ("outsider", [], None),
        ("outsider", ["Other"], None),
        ("admin", ["Payroll.Write"], PAYROLL),
        ("reader", ["Payroll.Read"], PAYROLL),
        ("Payroll.Read", ["Payroll.Read"], PAYROLL),
        ("outsider", ["Mcp.Admin"], PAYROLL),
    ],
)
def test_fitting_account(make: Make, user: str, held: list[str], roles: dict[str, Any] | None) -> None:
    """On Azure the signed-in account's token is taken where it is such a user's."""
    given = jwt(roles=held)
    assert access_token.checked(with_roles(make("dev"), roles), given, user) == given


@pytest.mark.parametrize(
    ("user", "held"),
    [
        ("admin", ["Mcp.Read"]),
        ("reader", []),
        ("reader", ["Mcp.ReadAll"]),
        ("reader", ["mcp.read"]),
        ("outsider", ["Mcp.Read"]),
    ],
)
def test_other_account(make: Make, user: str, held: list[str]) -> None:
    """A token of another kind of user is not passed off as theirs."""
    with pytest.raises(OpsError, match=f"which is not --as {user}"):
        access_token.checked(make("dev"), jwt(roles=held), user)


def test_a_kind_of_role_that_the_map_has_not(make: Make) -> None:
    """`--as reader` where no role only reads is nobody, and the sentence says what there is."""
    environment = with_roles(make("dev"), {"Payroll.Write": PAYROLL["Payroll.Write"]})
    with pytest.raises(UsageError, match=r"no role of dev only reads, .* it has the roles Payroll.Write$"):
        access_token.checked(environment, jwt(roles=["Payroll.Write"]), "reader")


@pytest.mark.parametrize("text", ["", "a.b", "a.!!!.c"])
def test_not_a_token(text: str) -> None:
    """An answer that is no JWT is an error, not a access_token."""
    with pytest.raises(OpsError, match="not a JWT"):
        access_token.claims(text)
