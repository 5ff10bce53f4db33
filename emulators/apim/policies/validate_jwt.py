from __future__ import annotations

from emulators.apim.elements import INBOUND, Element, all_texts, element, text_values
from emulators.apim.jwt import Jwt
from emulators.apim.messages import Context, Run
from emulators.apim.token_checks import check_audience, check_lifetime, claim_rules, token_finder, validation
from emulators.apim.values import Value

_ATTRIBUTES = (
    "header-name query-parameter-name token-value failed-validation-httpcode failed-validation-error-message"
    " require-expiration-time require-scheme require-signed-tokens clock-skew output-token-variable-name"
)
_CHILDREN = ("openid-config", "audiences", "issuers", "required-claims")


@element(
    "validate-jwt",
    title="Validate JWT",
    sections=INBOUND,
    attributes=_ATTRIBUTES,
    partial="keys from openid-config only; asymmetric algorithms only; unsigned tokens never pass",
)
def validate_jwt(element: Element) -> Run:
    element.children(*_CHILDREN)
    find = token_finder(element)
    configurations = all_texts(_configurations(element))
    audiences = all_texts(text_values(element.child("audiences"), "audience"))
    issuers = all_texts(text_values(element.child("issuers"), "issuer"))
    rules = claim_rules(element)
    skew, must_expire = element.number("clock-skew", "0"), element.flag("require-expiration-time", default=True)
    if element.value("require-signed-tokens", "true").literal != "true":
        element.invalid(
            "require-signed-tokens must be true: the local gateway never accepts unsigned tokens",
            "require-signed-tokens",
        )

    def judge(context: Context, token: Jwt, urls: list[str]) -> None:
        check_lifetime(token, context, skew(context), must_expire=must_expire(context))
        context.services.tokens.check_issuer(token, urls, issuers(context))
        check_audience(token, audiences(context))
        for rule in rules:
            rule.check(token, context)

    return validation(element, find, configurations, judge)


def _configurations(element: Element) -> list[Value]:
    found = []
    for child in element.children(*_CHILDREN):
        if child.tag == "openid-config":
            child.allow({"url"})
            found.append(child.value("url"))
    if not found:
        element.invalid("<validate-jwt> needs <openid-config>: the local gateway takes no other keys", "openid-config")
    return found
