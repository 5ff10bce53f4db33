""" "Validate Microsoft Entra token"."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.apim.errors import PolicyProblems
from emulators.apim.tests.harness import GatewayHarness, make_gateway
from emulators.apim.tests.policies.test_control_flow import LAST_ERROR
from emulators.apim.tests.policies.test_message_policies import show
from emulators.apim.tests.tokens import AUDIENCE, bearer, claims, publish, sign

CLIENT = "11111111-0000-4000-8000-000000000000"
RULES = (
    f"<client-application-ids><application-id>{CLIENT}</application-id></client-application-ids>"
    f"<audiences><audience>{AUDIENCE}</audience></audiences>"
    "<required-claims><claim name='roles' match='any'><value>r1</value></claim></required-claims>"
)


def validating(tenant: str = "tid", rules: str = RULES, **sections: Any) -> GatewayHarness:
    inbound = (
        f"<validate-azure-ad-token tenant-id='{tenant}' output-token-variable-name='t'>{rules}"
        "</validate-azure-ad-token>" + show('((Jwt)context.Variables["t"]).Subject')
    )
    gateway = make_gateway(inbound=inbound, **sections)
    gateway.services.authority = "http://issuer.test"
    publish(gateway)
    return gateway


@pytest.mark.parametrize("tenant", ["tid", "http://issuer.test/tid", "http://issuer.test/tid/v2.0"])
@pytest.mark.parametrize(
    "changes",
    [{"azp": CLIENT}, {"appid": CLIENT, "ver": "1.0", "iss": "https://sts.windows.net/tid/"}],
    ids=["v2.0", "v1.0"],
)
async def test_tokens_of_the_tenant_pass(tenant: str, changes: dict[str, Any]) -> None:
    """The tenant by id or URL; tokens of both versions, whose client is azp or appid; the header is Authorization."""
    reply = await validating(tenant).send(headers=bearer(sign(claims(**changes))))
    assert (reply.status, reply.text) == (200, "s")


async def test_the_endpoint_may_be_another_one() -> None:
    """authentication-endpoint names where tenants are looked up."""
    gateway = make_gateway(
        inbound=f"<validate-azure-ad-token tenant-id='tid' authentication-endpoint='http://issuer.test/'>{RULES}"
        "</validate-azure-ad-token>"
    )
    publish(gateway)
    assert (await gateway.send(headers=bearer(sign(claims(azp=CLIENT))))).status == 200


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"azp": "another"}, "TokenClaimValueNotAllowed"),
        ({}, "TokenClaimValueNotAllowed"),
        ({"azp": CLIENT, "aud": "another"}, "TokenAudienceNotAllowed"),
        ({"azp": CLIENT, "roles": ["r9"]}, "TokenClaimValueNotAllowed"),
        ({"azp": CLIENT, "exp": None}, "JwtInvalid"),
        ({"azp": CLIENT, "iss": "http://issuer.test/other/v2.0"}, "TokenIssuerNotAllowed"),
        ({"appid": CLIENT, "tid": "x", "ver": "1.0", "iss": "https://sts.windows.net/x/"}, "TokenIssuerNotAllowed"),
    ],
    ids=["client", "no client", "audience", "role", "no exp", "other tenant", "other tenant, v1.0"],
)
async def test_all_else_is_refused(changes: dict[str, Any], reason: str) -> None:
    """All tenants share their signing keys, so a token of another one must fail by its issuer, whatever it says."""
    reply = await validating(on_error=LAST_ERROR).send(headers=bearer(sign(claims(**changes))))
    assert reply.text.split("|")[:2] == ["validate-azure-ad-token", reason]


async def test_backend_applications_are_audiences() -> None:
    """`backend-application-ids` names the application the token is for."""
    rules = "<backend-application-ids><application-id>{}</application-id></backend-application-ids>"
    token = bearer(sign(claims(azp=CLIENT)))
    assert (await validating(rules=rules.format(AUDIENCE)).send(headers=token)).status == 200
    assert (await validating(rules=rules.format("another")).send(headers=token)).status == 401


@pytest.mark.parametrize("tenant", ["organizations", "common", "https://login.microsoftonline.com/common/"])
def test_any_tenant_is_no_tenant(tenant: str) -> None:
    """Tokens of every tenant are refused at load rather than judged by half."""
    with pytest.raises(PolicyProblems, match="one tenant"):
        validating(tenant)
