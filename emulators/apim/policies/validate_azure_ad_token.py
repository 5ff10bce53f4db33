from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from emulators.apim.elements import INBOUND, Element, all_texts, element, text_values
from emulators.apim.jwt import Jwt
from emulators.apim.messages import Context, Run
from emulators.apim.token_checks import check_audience, check_lifetime, claim_rules, token_finder, validation
from emulators.apim.tokens import TokenRejected

_ATTRIBUTES = (
    "tenant-id header-name query-parameter-name token-value failed-validation-httpcode"
    " failed-validation-error-message output-token-variable-name"
)
_CHILDREN = ("client-application-ids", "backend-application-ids", "audiences", "required-claims")
#: Tokens of any tenant: their issuer cannot be told from the discovery document.
_V2_ISSUER = re.compile(r"https?://[^/]+/([^/]+)/v2\.0")
_MANY_TENANTS = ("organizations", "common", "consumers")


@element(
    "validate-azure-ad-token",
    title="Validate Microsoft Entra token",
    sections=INBOUND,
    attributes=_ATTRIBUTES,
    partial="one tenant only, neither organizations nor common; keys of the v2.0 endpoint; no decryption keys",
)
def validate_azure_ad_token(element: Element) -> Run:
    """The client application is `azp` (v2.0) or `appid` (v1.0); the backend application is the audience."""
    element.children(*_CHILDREN)
    find, configurations = token_finder(element, "Authorization"), _configuration(element)
    clients = all_texts(text_values(element.child("client-application-ids"), "application-id"))
    backends = all_texts(text_values(element.child("backend-application-ids"), "application-id"))
    audiences = all_texts(text_values(element.child("audiences"), "audience"))
    rules = claim_rules(element)

    def judge(context: Context, token: Jwt, urls: list[str]) -> None:
        context.services.tokens.check_issuer(token, urls, _v1_issuers(context, urls))
        check_lifetime(token, context, 0, must_expire=True)
        check_audience(token, audiences(context))
        check_audience(token, backends(context))
        _check_client(token, clients(context))
        for rule in rules:
            rule.check(token, context)

    return validation(element, find, configurations, judge)


def _configuration(element: Element) -> Callable[[Context], list[str]]:
    """A tenant's id or domain is looked up at the platform's own issuer; a URL is used as it is."""
    tenant = element.value("tenant-id")
    if (tenant.literal or "").rstrip("/").rpartition("/")[2].lower() in _MANY_TENANTS:
        element.invalid("'tenant-id' must name one tenant in the local gateway", "tenant-id")

    def urls(context: Context) -> list[str]:
        given = tenant.text(context).rstrip("/")
        base = given if "://" in given else f"{context.services.authority}/{quote(given, safe='')}"
        return [f"{base.removesuffix('/v2.0')}/v2.0/.well-known/openid-configuration"]

    return urls


def _v1_issuers(context: Context, urls: list[str]) -> list[str]:
    """How v1.0 tokens name the discovery document's tenant. The token is not asked: all tenants share their keys."""
    found = [_V2_ISSUER.fullmatch(issuer) for issuer in context.services.tokens.issuers(urls)]
    return [f"https://sts.windows.net/{match.group(1)}/" for match in found if match is not None]


def _check_client(token: Jwt, allowed: list[str]) -> None:
    if allowed and (token.one("azp") or token.one("appid")) not in allowed:
        raise TokenRejected(
            "TokenClaimValueNotAllowed", "Client application ID validation failed. It is not allowed. Access denied."
        )
