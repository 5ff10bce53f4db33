""" "Validate JWT"."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from emulators.apim import tokens
from emulators.apim.tests.harness import NOW, GatewayHarness, make_gateway, ok
from emulators.apim.tests.policies.test_control_flow import LAST_ERROR
from emulators.apim.tests.policies.test_message_policies import show
from emulators.apim.tests.tokens import (
    AUDIENCE,
    CONFIGURATION,
    ISSUER,
    KEY,
    OTHER,
    bearer,
    claims,
    encoded,
    publish,
    sign,
)

RULES = (
    f"<openid-config url='{CONFIGURATION}'/><audiences><audience>{AUDIENCE}</audience></audiences>"
    f"<issuers><issuer>{ISSUER}</issuer></issuers>"
)


def validating(attributes: str = "", rules: str = RULES, **sections: Any) -> GatewayHarness:
    inbound = (
        "<validate-jwt header-name='Authorization' require-scheme='Bearer' output-token-variable-name='t'"
        f" {attributes}>{rules}</validate-jwt>" + show('((Jwt)context.Variables["t"]).Subject')
    )
    gateway = make_gateway(inbound=inbound, **sections)
    publish(gateway)
    return gateway


async def test_a_good_token_passes_and_is_a_jwt() -> None:
    """The validated token is in `output-token-variable-name`."""
    reply = await validating().send(headers=bearer(sign(claims())))
    assert (reply.status, reply.text) == (200, "s")


BAD: list[tuple[str, Any, str]] = [
    ("no header", {}, "TokenNotPresent"),
    ("empty", {"Authorization": ""}, "TokenNotPresent"),
    ("other scheme", {"Authorization": "Basic x"}, "TokenNotPresent"),
    ("no scheme", {"Authorization": sign(claims())}, "TokenNotPresent"),
    ("rubbish", bearer("rubbish"), "JwtInvalid"),
    ("not JSON", bearer("e30.eA.eA"), "JwtInvalid"),
    ("expired", bearer(sign(claims(exp=NOW - 1))), "TokenExpired"),
    ("no exp", bearer(sign(claims(exp=None))), "JwtInvalid"),
    ("exp is text", bearer(sign(claims(exp="4102444800"))), "JwtInvalid"),
    ("not yet", bearer(sign(claims(nbf=NOW + 60))), "JwtInvalid"),
    ("audience", bearer(sign(claims(aud="other"))), "TokenAudienceNotAllowed"),
    ("no audience", bearer(sign(claims(aud=None))), "TokenAudienceNotAllowed"),
    ("issuer", bearer(sign(claims(iss=ISSUER + "/"))), "TokenIssuerNotAllowed"),
    ("no issuer", bearer(sign(claims(iss=None))), "TokenIssuerNotAllowed"),
    ("issuer list", bearer(sign(claims(iss=[ISSUER]))), "TokenIssuerNotAllowed"),
    ("unknown key", bearer(sign(claims(), OTHER)), "TokenSignatureKeyNotFound"),
    ("stolen kid", bearer(sign(claims(), OTHER, kid="one")), "TokenSignatureInvalid"),
]


@pytest.mark.parametrize(("headers", "reason"), [entry[1:] for entry in BAD], ids=[entry[0] for entry in BAD])
async def test_a_bad_token_is_401_with_its_documented_reason(headers: dict[str, str], reason: str) -> None:
    """ "Predefined errors for policies": each failure has its reason; the source is validate-jwt."""
    reply = await validating(on_error=LAST_ERROR).send(headers=headers)
    source, found, *_, status = reply.text.split("|")
    assert (source, found, status) == ("validate-jwt", reason, "401")


def tampered(**changes: Any) -> str:
    """The signature of one payload under another."""
    head, _, signature = sign(claims()).split(".")
    return f"{head}.{encoded(json.dumps(claims(**changes)).encode())}.{signature}"


def unsigned(alg: str) -> str:
    return f"{encoded(json.dumps({'alg': alg}).encode())}.{sign(claims()).split('.')[1]}."


def with_public_key_as_secret() -> str:
    """Algorithm confusion: HS256 keyed with the published RSA key (by hand: no library makes such a token)."""
    header, payload = ({"alg": "HS256", "kid": "one"}, claims())
    text = ".".join(encoded(json.dumps(part).encode()) for part in (header, payload))
    mac = hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{encoded(mac)}"


def with_embedded_key() -> str:
    return sign(claims(), OTHER, kid="one", jwk=OTHER.as_dict(private=False))


ATTACKS = [
    tampered(sub="root"),
    unsigned("none"),
    unsigned("None"),
    unsigned("RS256"),
    with_public_key_as_secret(),
    with_embedded_key(),
    sign(claims(), crit=["x"], x=1),
    sign(claims()) + "=",
    sign(claims()).replace(".", "..", 1),
    "a." * 20_000,
]


@pytest.mark.parametrize("token", ATTACKS)
async def test_forged_tokens_get_401(token: str) -> None:
    """No algorithm, key or shape that the issuer did not publish gets through."""
    gateway = validating()
    await gateway.send(headers=bearer(sign(claims())))
    assert (await gateway.send(headers=bearer(token))).status == 401


async def test_a_remembered_signature_does_not_outlive_the_token_or_its_key() -> None:
    """Lifetime is checked on each request; a key that is no longer published counts no more."""
    gateway = validating()
    token = sign(claims())
    assert [(await gateway.send(headers=bearer(token))).status for _ in range(2)] == [200, 200]
    fetched = len(gateway.backends.calls)
    gateway.clock.now += 3601
    publish(gateway, OTHER)
    assert (await gateway.send(headers=bearer(token))).status == 401
    fresh = sign(claims(exp=NOW + 9999))
    assert (await gateway.send(headers=bearer(fresh))).status == 401
    assert fetched == 2


async def test_a_new_key_is_fetched_once_a_token_names_it() -> None:
    """Key rollover: an unknown kid fetches again, but not at every request."""
    gateway = validating()
    await gateway.send(headers=bearer(sign(claims())))
    publish(gateway, KEY, OTHER)
    assert (await gateway.send(headers=bearer(sign(claims(), OTHER)))).status == 401
    gateway.clock.now += 11
    assert (await gateway.send(headers=bearer(sign(claims(), OTHER)))).status == 200
    before = len(gateway.backends.calls)
    for _ in range(5):
        await gateway.send(headers=bearer(sign(claims(), OTHER, kid="three")))
    assert len(gateway.backends.calls) == before


async def test_a_signature_is_checked_once_and_everything_else_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same token again costs no signature; its lifetime is judged by the clock of each request."""
    checked: list[str] = []
    check = tokens._signed_by
    monkeypatch.setattr(tokens, "_signed_by", lambda token, key: checked.append(token.text) or check(token, key))
    gateway, headers = validating(on_error=LAST_ERROR), bearer(sign(claims(exp=NOW + 60)))
    assert [(await gateway.send(headers=headers)).status for _ in range(3)] == [200] * 3
    forged = bearer(headers["Authorization"][7:-6] + "AAAAAA")
    for _ in range(2):
        assert "TokenSignatureInvalid" in (await gateway.send(headers=forged)).text
    assert len(checked) == 3
    gateway.clock.now += 60
    assert "TokenExpired" in (await gateway.send(headers=headers)).text


async def test_a_known_signature_is_worth_what_its_key_is() -> None:
    """Neither a new key with the old one's id nor another issuer's key vouches for a token that passed before."""
    gateway, headers = validating(), bearer(sign(claims(exp=NOW + 9999)))
    assert (await gateway.send(headers=headers)).status == 200
    gateway.clock.now += 3601
    another = RSAKey.import_key({**OTHER.as_dict(private=True), "kid": "one"})
    publish(gateway, another)
    assert (await gateway.send(headers=headers)).status == 401
    second = "http://second.test/openid-configuration"
    inbound = "".join(
        f"<validate-jwt header-name='{header}'><openid-config url='{url}'/></validate-jwt>"
        for header, url in (("X-First", CONFIGURATION), ("X-Second", second))
    )
    token = sign(claims())
    for key, expected in ((KEY, 200), (another, 401)):
        gateway = make_gateway(inbound=inbound)
        publish(gateway)
        published = {"keys": [key.as_dict(private=False)]}
        gateway.backends.answers["http://second.test/keys"] = ok(json.dumps(published).encode())
        document = {"issuer": ISSUER, "jwks_uri": "http://second.test/keys"}
        gateway.backends.answers[second] = ok(json.dumps(document).encode())
        assert (await gateway.send(headers={"X-First": token, "X-Second": token})).status == expected


async def test_what_an_expression_does_to_claims_ends_with_its_request() -> None:
    """The lists of a token that is known are each request's own."""
    change = """<set-header name="X"><value>@{ var roles = ((Jwt)context.Variables["t"]).Claims["roles"];
      var before = string.Join(",", roles); roles[0] = "admin"; return before; }</value></set-header>"""
    keep = "header-name='Authorization' output-token-variable-name='t'"
    gateway = make_gateway(inbound=f"<validate-jwt {keep}>{RULES}</validate-jwt>{change}")
    publish(gateway)
    for _ in range(3):
        await gateway.send(headers=bearer(sign(claims())))
        assert gateway.backends.last.headers["X"] == ["r1,r2"]


async def test_so_many_tokens_are_known_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory of signatures is bounded; a token that it lost is checked anew."""
    monkeypatch.setattr(tokens, "MAX_KNOWN", 2)
    gateway = validating()
    for number in (1, 2, 3, 1):
        assert (await gateway.send(headers=bearer(sign(claims(jti=str(number)))))).status == 200
    assert len(gateway.services.tokens._known) == 2


async def test_unknown_header_parameters_are_ignored() -> None:
    """A token may carry header parameters that mean nothing here (RFC 7515, section 4)."""
    token = sign(claims(), nonce="n", x5t="t", typ="at+jwt")
    assert (await validating().send(headers=bearer(token))).status == 200


async def test_an_encryption_key_verifies_nothing() -> None:
    """Only keys for signatures count."""
    gateway = validating()
    publish(gateway, KEY, use="enc")
    assert (await gateway.send(headers=bearer(sign(claims())))).status == 401


async def test_an_unreachable_issuer_is_500_and_tried_again() -> None:
    """Without keys nothing is decided: 500, and the next attempt ten seconds later."""
    gateway = validating()
    gateway.backends.answers[CONFIGURATION] = ok(status=503)
    headers = bearer(sign(claims()))
    assert [(await gateway.send(headers=headers)).status for _ in range(3)] == [500, 500, 500]
    assert len(gateway.backends.calls) == 1
    publish(gateway)
    gateway.clock.now += 11
    assert (await gateway.send(headers=headers)).status == 200


CLAIM = "<required-claims><claim name='roles' match='{}'{}>{}</claim></required-claims>"


@pytest.mark.parametrize(
    ("match", "wanted", "status"),
    [
        ("all", "r1 r2", 200),
        ("all", "r1 r3", 401),
        ("any", "r3 r2", 200),
        ("any", "r3", 401),
        ("all", "", 200),
    ],
)
async def test_required_claims(match: str, wanted: str, status: int) -> None:
    """`match="all"` wants every value, `any` one of them, none only the claim."""
    values = "".join(f"<value>{value}</value>" for value in wanted.split())
    gateway = validating(rules=RULES + CLAIM.format(match, "", values))
    assert (await gateway.send(headers=bearer(sign(claims())))).status == status


async def test_a_separator_splits_a_claim() -> None:
    """`scp` holds several values in one text."""
    rules = RULES + CLAIM.format("all", " separator=' '", "<value>b</value>")
    gateway = validating(rules=rules)
    assert (await gateway.send(headers=bearer(sign(claims(roles="a b"))))).status == 200
    assert (await gateway.send(headers=bearer(sign(claims(roles=None))))).status == 401


async def test_clock_skew_and_own_status_and_message() -> None:
    """`clock-skew` in seconds; `failed-validation-httpcode` and `-error-message` for the caller."""
    gateway = validating("clock-skew='60' failed-validation-httpcode='403' failed-validation-error-message='Go away'")
    assert (await gateway.send(headers=bearer(sign(claims(exp=NOW - 59, nbf=NOW + 59))))).status == 200
    reply = await gateway.send(headers=bearer(sign(claims(exp=NOW - 60))))
    assert (reply.status, reply.json) == (403, {"statusCode": 403, "message": "Go away"})


async def test_without_an_expiry_where_none_is_required() -> None:
    """`require-expiration-time="false"` accepts a token without `exp`."""
    gateway = validating("require-expiration-time='false'")
    assert (await gateway.send(headers=bearer(sign(claims(exp=None))))).status == 200


@pytest.mark.parametrize(
    ("name", "statuses"), [("X-Token", [200, 200]), ("authorization", [200, 401])], ids=["another", "Authorization"]
)
async def test_a_scheme_is_required_in_authorization_only(name: str, statuses: list[int]) -> None:
    """ "Validate JWT", usage notes: with another header the required scheme is ignored."""
    gateway = make_gateway(inbound=f"<validate-jwt header-name='{name}' require-scheme='Bearer'>{RULES}</validate-jwt>")
    publish(gateway)
    token = sign(claims())
    assert [(await gateway.send(headers={name: given})).status for given in (f"Bearer {token}", token)] == statuses


async def test_the_token_from_a_query_parameter_or_value() -> None:
    """`query-parameter-name` and `token-value` are the other two places."""
    token = sign(claims())
    places = [
        "query-parameter-name='t'",
        """token-value='@(context.Request.Headers.GetValueOrDefault("X-Token", ""))'""",
    ]
    for place in places:
        gateway = make_gateway(inbound=f"<validate-jwt {place}>{RULES}</validate-jwt>")
        publish(gateway)
        assert (await gateway.send(target=f"/a/op?t={token}", headers={"X-Token": token})).status == 200
        assert (await gateway.send()).status == 401
