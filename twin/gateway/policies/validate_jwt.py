from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from twin.gateway.elements import INBOUND, Element, all_texts, element, text_values
from twin.gateway.failures import Failure
from twin.gateway.jwt import Jwt
from twin.gateway.messages import Context, Run
from twin.gateway.tokens import TokenRejected
from twin.gateway.values import Value

_ATTRIBUTES = (
    "header-name query-parameter-name token-value failed-validation-httpcode failed-validation-error-message"
    " require-expiration-time require-scheme require-signed-tokens clock-skew output-token-variable-name"
)
_SOURCES = ("header-name", "query-parameter-name", "token-value")


@dataclass(frozen=True)
class ClaimRule:
    """`match="all"` (the default) wants every value in the claim, `any` at least one; no values: the claim exists."""

    name: str
    match_any: bool
    separator: str
    values: Callable[[Context], list[str]]

    def check(self, token: Jwt, context: Context) -> None:
        held = token.claims.get(self.name)
        if held is None:
            raise TokenRejected(
                "TokenClaimNotFound", f"JWT token is missing the following claims: {self.name}. Access denied."
            )
        found = [part for text in held for part in text.split(self.separator)] if self.separator else held
        wanted = self.values(context)
        missing = [text for text in wanted if text not in found]
        if missing and (not self.match_any or len(missing) == len(wanted)):
            shown = ",".join(held)
            message = f"Claim {self.name} value of {shown} is not allowed. Access denied."
            raise TokenRejected("TokenClaimValueNotAllowed", message)


@element(
    "validate-jwt",
    title="Validate JWT",
    sections=INBOUND,
    attributes=_ATTRIBUTES,
    partial="keys from openid-config only; asymmetric algorithms only; unsigned tokens never pass",
)
def validate_jwt(element: Element) -> Run:
    element.children("openid-config", "audiences", "issuers", "required-claims")
    if sum(element.has(name) for name in _SOURCES) != 1:
        element.invalid(f"<validate-jwt> needs exactly one of {', '.join(_SOURCES)}", "header-name")
    find = _token_finder(element)
    configurations = all_texts(_configurations(element))
    audiences = all_texts(text_values(element.child("audiences"), "audience"))
    issuers = all_texts(text_values(element.child("issuers"), "issuer"))
    rules = _claim_rules(element)
    skew, variable = element.number("clock-skew", "0"), element.literal("output-token-variable-name", "")
    must_expire = element.flag("require-expiration-time", default=True)
    status = element.number("failed-validation-httpcode", "401", low=400, high=599)
    message = element.optional("failed-validation-error-message")
    if element.value("require-signed-tokens", "true").literal != "true":
        element.invalid(
            "require-signed-tokens must be true: the local gateway never accepts unsigned tokens",
            "require-signed-tokens",
        )

    def judge(context: Context, token: Jwt, urls: list[str]) -> None:
        context.services.tokens.check_issuer(token, urls, issuers(context))
        _lifetime(token, context, skew(context), must_expire=must_expire(context))
        _audience(token, audiences(context))
        for rule in rules:
            rule.check(token, context)
        if variable:
            context.variables[variable] = token

    def refused(context: Context, rejected: TokenRejected) -> Failure:
        body = message.text(context) if message is not None else None
        return Failure(int(status(context)), rejected.reason, str(rejected), body=body)

    async def verify(context: Context, text: str, urls: list[str]) -> None:
        try:
            judge(context, await context.services.tokens.verify(text, urls), urls)
        except TokenRejected as rejected:
            raise refused(context, rejected) from rejected

    def run(context: Context) -> Awaitable[None] | None:
        try:
            text, urls = find(context), configurations(context)
            token = context.services.tokens.remembered(text, urls)
            if token is None:
                return verify(context, text, urls)
            judge(context, token, urls)
        except TokenRejected as rejected:
            raise refused(context, rejected) from rejected
        return None

    return run


def _token_finder(element: Element) -> Callable[[Context], str]:
    scheme = element.value("require-scheme", "")
    header, query, value = (element.optional(name) for name in _SOURCES)

    def find(context: Context) -> str:
        if header is not None:
            return _from_header(context.request.headers.joined(header.text(context)), scheme.text(context))
        if query is not None:
            found = context.request.original.parameters.joined(query.text(context))
        else:
            found = value.text(context) if value is not None else None
        if not found:
            raise TokenRejected("TokenNotPresent", "JWT not present.")
        return str(found)

    return find


def _from_header(given: str | None, scheme: str) -> str:
    """With `require-scheme` another scheme counts as no token; without it `Bearer ` is optional."""
    if not given:
        raise TokenRejected("TokenNotPresent", "JWT not present.")
    first, space, rest = given.partition(" ")
    if scheme and (not space or first.lower() != scheme.lower()):
        raise TokenRejected("TokenNotPresent", "JWT not present.")
    return rest.strip() if space else given


def _configurations(element: Element) -> list[Value]:
    found = []
    for child in element.children("openid-config", "audiences", "issuers", "required-claims"):
        if child.tag == "openid-config":
            child.allow({"url"})
            found.append(child.value("url"))
    if not found:
        element.invalid("<validate-jwt> needs <openid-config>: the local gateway takes no other keys", "openid-config")
    return found


def _claim_rules(element: Element) -> list[ClaimRule]:
    parent, rules = element.child("required-claims"), []
    for child in parent.children("claim") if parent is not None else []:
        child.allow({"name", "match", "separator"})
        match = child.literal("match", "all", ("all", "any"))
        rules.append(
            ClaimRule(
                child.literal("name"),
                match == "any",
                child.literal("separator", ""),
                all_texts(text_values(child, "value")),
            )
        )
    return rules


def _lifetime(token: Jwt, context: Context, skew: float, *, must_expire: bool) -> None:
    now = context.services.clock()
    expires, begins = _seconds(token, "exp"), _seconds(token, "nbf")
    if expires is None and must_expire:
        raise TokenRejected(
            "JwtInvalid", "Lifetime validation failed. The token is missing an expiration time. Access denied."
        )
    if expires is not None and now >= expires + skew:
        raise TokenRejected("TokenExpired", "Lifetime validation failed. The token is expired. Access denied.")
    if begins is not None and now < begins - skew:
        raise TokenRejected("JwtInvalid", "Lifetime validation failed. The token is not yet valid. Access denied.")


def _seconds(token: Jwt, claim: str) -> float | None:
    value: Any = token.payload.get(claim)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise TokenRejected("JwtInvalid", f"The claim {claim} is not a time. Access denied.")
    return float(value)


def _audience(token: Jwt, allowed: list[str]) -> None:
    if allowed and set(allowed).isdisjoint(token.audiences):
        raise TokenRejected(
            "TokenAudienceNotAllowed", "Audience validation failed. Audiences did not match. Access denied."
        )
