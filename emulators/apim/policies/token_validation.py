"""Validation of access tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from emulators.apim.csharp.clr import ClrError
from emulators.apim.elements import Element, all_texts, element, text_values
from emulators.apim.errors import MissingReference, missing
from emulators.apim.failures import Failure
from emulators.apim.jwt import Jwt
from emulators.apim.messages import Context, Run
from emulators.apim.token_keys import GivenKey, KeyUnusable, public_rsa, symmetric
from emulators.apim.tokens import TokenRejected
from emulators.apim.values import Value

SOURCES = ("header-name", "query-parameter-name", "token-value")
#: Discovery documents, by URL.
Urls = Callable[[Context], list[str]]
#: What a token must hold beside a good signature; raises TokenRejected.
Judge = Callable[[Context, Jwt, list[str]], None]
#: Keys that a policy gives itself.
Keys = Callable[[Context], list[GivenKey]]


def validation(
    element: Element,
    find: Callable[[Context], str],
    configurations: Urls,
    judge: Judge,
    signing: Keys,
    decryption: Keys,
) -> Run:
    """The statement: finds the token, verifies its signature, then what `judge` wants of it."""
    variable = element.literal("output-token-variable-name")
    status = element.number("failed-validation-httpcode")
    message = element.optional("failed-validation-error-message")

    async def run(context: Context) -> None:
        try:
            text, urls = find(context), configurations(context)
            token: Jwt = await context.services.tokens.verify(text, urls, signing(context), decryption(context))
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

    name: Value
    match: Callable[[Context], str]
    separator: Value
    values: Callable[[Context], list[str]]

    def check(self, token: Jwt, context: Context) -> None:
        name, separator = self.name.text(context), self.separator.text(context)
        held = token.claims.get(name)
        if held is None:
            raise TokenRejected(
                "TokenClaimNotFound", f"JWT token is missing the following claims: {name}. Access denied."
            )
        found = [part for text in held for part in text.split(separator)] if separator else held
        wanted = self.values(context)
        missing = [text for text in wanted if text not in found]
        if missing and (self.match(context) == "all" or len(missing) == len(wanted)):
            shown = ",".join(held)
            message = f"Claim {name} value of {shown} is not allowed. Access denied."
            raise TokenRejected("TokenClaimValueNotAllowed", message)


def token_finder(element: Element, default: str | None = None) -> Callable[[Context], str]:
    """The one of three sources that the element names; `default` is the header where it names none."""
    given = [name for name in SOURCES if element.has(name)]
    if len(given) > 1 or not (given or default):
        element.invalid(f"<{element.tag}> needs exactly one of {', '.join(SOURCES)}", "header-name")
    scheme = element.value("require-scheme")
    header, query, value = (element.optional(name) for name in SOURCES)
    if default is not None and not given:
        header = Value(default)

    def find(context: Context) -> str:
        if header is not None:
            name = header.text(context)
            # A required scheme counts in Authorization only ("Validate JWT", usage notes, 2024-03-18).
            required = scheme.text(context) if name.lower() == "authorization" else ""
            return _from_header(context.request.headers.joined(name), required)
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
    parent = element.child("required-claims")
    return [
        ClaimRule(
            claim.value("name"), claim.choice("match"), claim.value("separator"), all_texts(text_values(claim, "value"))
        )
        for claim in (parent.children("claim") if parent is not None else [])
    ]


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


def token_keys(element: Element, tag: str, *, private: bool = False) -> Keys:
    """The keys of `<tag>`: a secret in Base64, modulus and exponent, or a certificate; `private`: they decrypt."""
    parent = element.child(tag)
    made = [_given_key(key, private=private) for key in (parent.children("key") if parent is not None else [])]
    if parent is not None and not made:
        parent.invalid(f"<{tag}> needs a <key>", "key")
    fixed = [one for one in made if isinstance(one, GivenKey)]
    if len(fixed) == len(made):
        return lambda context: fixed
    return lambda context: [one if isinstance(one, GivenKey) else one(context) for one in made if one is not None]


def _given_key(key: Element, *, private: bool) -> GivenKey | Callable[[Context], GivenKey] | None:
    """None where a problem was reported. A secret that an expression yields is read with each request."""
    text, pair = key.trimmed(), [key.has("n"), key.has("e")]
    given = [text.literal != "", any(pair), key.has("certificate-id")]
    if given.count(True) != 1 or (any(pair) and not all(pair)):
        key.invalid("<key> needs one of: a secret as its text, certificate-id, or n with e", "key")
        return None
    id_ = key.literal("id")
    if key.has("certificate-id"):
        return _of_certificate(key, id_, private=private)
    if any(pair) and private:
        key.invalid("n and e are a public key, which decrypts nothing", "n")
        return None
    try:
        if any(pair):
            return GivenKey(id_, public_rsa(key.literal("n"), key.literal("e")))
        if text.literal is not None:
            return GivenKey(id_, symmetric(text.literal))
    except KeyUnusable as error:
        key.invalid(f"<key> cannot be used: {error}", "n" if any(pair) else "")
        return None

    def read(context: Context) -> GivenKey:
        try:
            return GivenKey(id_, symmetric(text.text(context)))
        except KeyUnusable as error:
            raise ClrError("FormatException", f"<key> of {key.tag} cannot be used: {error}") from error

    return read


def _of_certificate(key: Element, id_: str, *, private: bool) -> GivenKey | None:
    name = key.literal("certificate-id")
    found = key.builder.references.certificates.get(name)
    if found is None:
        message = missing("certificate", repr(name), key.builder.references.given_by)
        key.report(MissingReference(message, where=key.where_of("certificate-id"), name=name))
        return None
    if private and found.private is None:
        key.invalid(f"the certificate {name!r} has no private key, so it decrypts nothing", "certificate-id")
        return None
    return GivenKey(id_, found.private if private and found.private is not None else found.public)


@element("validate-jwt", partial="unsigned tokens never pass")
def validate_jwt(element: Element) -> Run:
    find = token_finder(element)
    configurations = all_texts(_configurations(element))
    audiences = all_texts(text_values(element.child("audiences"), "audience"))
    issuers = all_texts(text_values(element.child("issuers"), "issuer"))
    rules = claim_rules(element)
    skew, must_expire = element.number("clock-skew"), element.flag("require-expiration-time")
    if element.value("require-signed-tokens").literal != "true":
        element.invalid(
            "require-signed-tokens must be true: the local gateway never accepts unsigned tokens",
            "require-signed-tokens",
        )

    def judge(context: Context, token: Jwt, urls: list[str]) -> None:
        check_lifetime(token, context, skew(context), must_expire=must_expire(context))
        if urls or issuers(context):  # without either nothing says who may issue
            context.services.tokens.check_issuer(token, urls, issuers(context))
        check_audience(token, audiences(context))
        for rule in rules:
            rule.check(token, context)

    signing = token_keys(element, "issuer-signing-keys")
    decryption = token_keys(element, "decryption-keys", private=True)
    return validation(element, find, configurations, judge, signing, decryption)


def _configurations(element: Element) -> list[Value]:
    found = [child.value("url") for child in element.children("openid-config")]
    if not found and element.child("issuer-signing-keys") is None:
        message = "<validate-jwt> needs <openid-config> or <issuer-signing-keys>: no token could be verified"
        element.invalid(message, "openid-config")
    return found


#: Tokens of any tenant: their issuer cannot be told from the discovery document.
_V2_ISSUER = re.compile(r"https?://[^/]+/([^/]+)/v2\.0")
_MANY_TENANTS = ("organizations", "common", "consumers")


@element(
    "validate-azure-ad-token",
    partial="one tenant only, neither organizations nor common; keys of the v2.0 endpoint",
)
def validate_azure_ad_token(element: Element) -> Run:
    """The client application is `azp` (v2.0) or `appid` (v1.0); the backend application is the audience."""
    find, configurations = token_finder(element, "Authorization"), _discovery_of_tenant(element)
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

    decryption = token_keys(element, "decryption-keys", private=True)
    return validation(element, find, configurations, judge, lambda context: [], decryption)


def _discovery_of_tenant(element: Element) -> Callable[[Context], list[str]]:
    """A tenant's id or domain is looked up at the endpoint, or the platform's own issuer; a URL is used as it is."""
    tenant, endpoint = element.value("tenant-id"), element.value("authentication-endpoint")
    if (tenant.literal or "").rstrip("/").rpartition("/")[2].lower() in _MANY_TENANTS:
        element.invalid("'tenant-id' must name one tenant in the local gateway", "tenant-id")

    def urls(context: Context) -> list[str]:
        given = tenant.text(context).rstrip("/")
        authority = endpoint.text(context).rstrip("/") or context.services.authority
        base = given if "://" in given else f"{authority}/{quote(given, safe='')}"
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
