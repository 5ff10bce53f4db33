from __future__ import annotations

import base64
import json

import pytest

from ops.clients import access_token
from ops.errors import OpsError, UsageError
from tests.unit.ops.checks.test_status import PLATFORM
from tests.unit.ops.conftest import Make


def jwt(**claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.signature"


def test_unknown_user(make: Make) -> None:
    """`--as` somebody else is refused with the users there are."""
    with pytest.raises(UsageError, match="admin, reader, outsider"):
        access_token.mint(make(), PLATFORM, "root")


@pytest.mark.parametrize(
    ("user", "roles"), [("admin", ["Mcp.Admin"]), ("reader", ["Mcp.Read"]), ("outsider", []), ("outsider", ["Other"])]
)
def test_fitting_account(user: str, roles: list[str]) -> None:
    """On Azure the signed-in account's token is taken where it is such a user's."""
    given = jwt(roles=roles)
    assert access_token.checked(given, user) == given


@pytest.mark.parametrize(("user", "roles"), [("admin", ["Mcp.Read"]), ("reader", []), ("outsider", ["Mcp.Read"])])
def test_other_account(user: str, roles: list[str]) -> None:
    """A token of another kind of user is not passed off as theirs."""
    with pytest.raises(OpsError, match=f"which is not --as {user}"):
        access_token.checked(jwt(roles=roles), user)


@pytest.mark.parametrize("text", ["", "a.b", "a.!!!.c"])
def test_not_a_token(text: str) -> None:
    """An answer that is no JWT is an error, not a access_token."""
    with pytest.raises(OpsError, match="not a JWT"):
        access_token.claims(text)
