"""What `validate-jwt` and `validate-azure-ad-token` share: where the token is, what it must hold, and how one fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.apim.elements import Element, all_texts, text_values
from emulators.apim.failures import Failure
from emulators.apim.jwt import Jwt
from emulators.apim.messages import Context, Run
from emulators.apim.tokens import TokenRejected
from emulators.apim.values import Value

SOURCES = ("header-name", "query-parameter-name", "token-value")
#: Discovery documents, by URL.
Urls = Callable[[Context], list[str]]
#: What a token must hold beside a good signature; raises TokenRejected.
Judge = Callable[[Context, Jwt, list[str]], None]


def validation(element: Element, find: Callable[[Context], str], configurations: Urls, judge: Judge) -> Run:
    """The statement: finds the token, verifies its signature, then what `judge` wants of it."""
    variable = element.literal("output-token-variable-name", "")
    status = element.number("failed-validation-httpcode", "401", low=400, high=599)
    message = element.optional("failed-validation-error-message")

    async def run(context: Context) -> None:
        try:
            text, urls = find(context), configurations(context)
            token: Jwt = await context.services.tokens.verify(text, urls)
            judge(context, token, urls)
        except TokenRejected as rejected:
            body = message.text(context) if message is not None else None
            raise Failure(int(status(context)), rejected.reason, str(rejected), body=body) from rejected
        if variable:
            context.variables[variable] = token

    return run


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


def token_finder(element: Element, default: str | None = None) -> Callable[[Context], str]:
    """The one of three sources that the element names; `default` is the header where it names none."""
    given = [name for name in SOURCES if element.has(name)]
    if len(given) > 1 or not (given or default):
        element.invalid(f"<{element.tag}> needs exactly one of {', '.join(SOURCES)}", "header-name")
    scheme = element.value("require-scheme", "")
    header, query, value = (element.optional(name) for name in SOURCES)
    if default is not None and not given:
        header = Value(default)

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


def claim_rules(element: Element) -> list[ClaimRule]:
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


def check_lifetime(token: Jwt, context: Context, skew: float, *, must_expire: bool) -> None:
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


def check_audience(token: Jwt, allowed: list[str]) -> None:
    if allowed and set(allowed).isdisjoint(token.audiences):
        raise TokenRejected(
            "TokenAudienceNotAllowed", "Audience validation failed. Audiences did not match. Access denied."
        )
