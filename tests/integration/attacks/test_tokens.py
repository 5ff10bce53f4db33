"""Tokens that are wrong in one way each (RFC 8725, JSON Web Token Best Current Practices). None reaches a server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.forge import Forge, elliptic, part, stranger
from tests.support.platform_under_test import Platform

OTHER_TENANT = "99999999-9999-4999-8999-999999999999"
DAY = 86_400
Make = Callable[[Forge], str]


def _jwk(forge: Forge) -> str:
    own = stranger()
    return forge.signed({"jwk": own.as_dict(private=False), "kid": own.kid}, own)


def _corrupted(forge: Forge, index: int) -> str:
    parts = forge.signed().split(".")
    middle = len(parts[index]) // 2
    changed = "A" if parts[index][middle] != "A" else "B"
    parts[index] = parts[index][:middle] + changed + parts[index][middle + 1 :]
    return ".".join(parts)


SIGNATURES: dict[str, Make] = {
    "alg none": lambda f: f.unsigned("none"),
    "alg None": lambda f: f.unsigned("None"),
    "alg NONE": lambda f: f.unsigned("NONE"),
    "alg nOnE with a signature": lambda f: f.unsigned("nOnE", f.signed().split(".")[2]),
    "alg empty": lambda f: f.unsigned("", f.signed().split(".")[2]),
    "alg unknown": lambda f: f.unsigned("XS256", f.signed().split(".")[2]),
    "alg left out": lambda f: (
        f"{part({'typ': 'JWT', 'kid': f.header['kid']})}.{part(f.claims)}.{f.signed().split('.')[2]}"
    ),
    "alg as a list": lambda f: f"{part({**f.header, 'alg': ['RS256']})}.{part(f.claims)}.{f.signed().split('.')[2]}",
    "HS256 with the public key's PEM": lambda f: f.hmac_with_public_key(f.pem),
    "HS256 with the public key's modulus": lambda f: f.hmac_with_public_key(str(f.key.as_dict()["n"]).encode()),
    "HS256 with nothing": lambda f: f.hmac_with_public_key(b""),
    "ES256 of a stranger": lambda f: f.signed({"alg": "ES256"}, elliptic()),
    "a stranger's key under the issuer's key id": lambda f: f.signed(key=stranger()),
    "a stranger's key under its own key id": lambda f: f.signed({"kid": "stranger"}, stranger()),
    "a stranger's key in the header": _jwk,
    "a stranger's key set by address": lambda f: f.signed({"jku": "http://127.0.0.1:9/jwks"}, stranger()),
    "a stranger's certificate by address": lambda f: f.signed({"x5u": "http://127.0.0.1:9/x5u"}, stranger()),
    "no key id, a stranger's key": lambda f: f.signed({"kid": None}, stranger()),
    "key id as a path": lambda f: f.signed({"kid": "../../dev/null"}, stranger()),
    "key id as SQL": lambda f: f.signed({"kid": "' OR 1=1 --"}, stranger()),
    "key id of 10,000 characters": lambda f: f.signed({"kid": "k" * 10_000}, stranger()),
    "signature of another token": lambda f: ".".join([*f.signed().split(".")[:2], f.signed(oid="x").split(".")[2]]),
    "signature left out": lambda f: ".".join([*f.signed().split(".")[:2], ""]),
    "signature cut short": lambda f: f.signed()[:-40],
    "header changed": lambda f: _corrupted(f, 0),
    "claims changed": lambda f: _corrupted(f, 1),
    "signature changed": lambda f: _corrupted(f, 2),
    "a critical extension": lambda f: f"{part({**f.header, 'crit': ['exp'], 'exp': 1})}.{part(f.claims)}.AAAA",
}

CLAIMS: dict[str, Make] = {
    "expired": lambda f: f.signed(exp=f.now - 3600),
    "expired just beyond the clock skew": lambda f: f.signed(exp=f.now - 120),
    "no expiry": lambda f: f.signed(exp=None),
    "expiry as text": lambda f: f.signed(exp="tomorrow"),
    "expiry negative": lambda f: f.signed(exp=-1),
    "expiry not a number": lambda f: f.signed(exp=[f.now + DAY]),
    "not yet valid": lambda f: f.signed(nbf=f.now + 3600),
    "audience of another application": lambda f: f.signed(aud="00000003-0000-0000-c000-000000000000"),
    "audience of the servers behind the gateway": lambda f: f.signed(aud="api://backend"),
    "audience left out": lambda f: f.signed(aud=None),
    "audience empty": lambda f: f.signed(aud=""),
    "audience list without ours": lambda f: f.signed(aud=["a", "b"]),
    "audience with a trailing slash": lambda f: f.signed(aud=f"{f.claims['aud']}/"),
    "audience in capitals": lambda f: f.signed(aud=f.claims["aud"].upper()),
    "audience with ours inside": lambda f: f.signed(aud=f"{f.claims['aud']}X"),
    "audience as the identifier URI of another": lambda f: f.signed(aud="api://00000000-0000-0000-0000-000000000000"),
    "issuer of another tenant": lambda f: f.signed(iss=f.claims["iss"].replace(f.claims["tid"], OTHER_TENANT)),
    "issuer left out": lambda f: f.signed(iss=None),
    "issuer empty": lambda f: f.signed(iss=""),
    "issuer with a trailing slash": lambda f: f.signed(iss=f"{f.claims['iss']}/"),
    "issuer of version 1": lambda f: f.signed(iss=f"https://sts.windows.net/{f.claims['tid']}/"),
    "issuer common": lambda f: f.signed(iss=f.claims["iss"].replace(f.claims["tid"], "common")),
    "issuer on another host": lambda f: f.signed(iss=f"https://login.evil.example/{f.claims['tid']}/v2.0"),
    "issuer with ours inside": lambda f: f.signed(iss=f"https://evil.example/?{f.claims['iss']}"),
    "issuer as a list": lambda f: f.signed(iss=[f.claims["iss"]]),
    "tenant of somebody else": lambda f: f.signed(tid=OTHER_TENANT),
    "tenant left out": lambda f: f.signed(tid=None),
    "tenant empty": lambda f: f.signed(tid=""),
    "tenant among others": lambda f: f.signed(tid=f"{OTHER_TENANT} {f.claims['tid']}"),
}

# Signed by the issuer and for us, but of somebody who may not call: 403.
UNPRIVILEGED: dict[str, Make] = {
    "no roles": lambda f: f.signed(roles=None),
    "roles empty": lambda f: f.signed(roles=[]),
    "roles of another application": lambda f: f.signed(roles=["Gateway.Invoke"]),
    "roles in other letters": lambda f: f.signed(roles=["mcp.admin"]),
    "roles with ours inside": lambda f: f.signed(roles=["Mcp.AdminX", "XMcp.Admin"]),
    "roles joined": lambda f: f.signed(roles=["Mcp.Read,Mcp.Admin"]),
    "roles as an object": lambda f: f.signed(roles={"Mcp.Admin": True}),
    "scope of another kind": lambda f: f.signed(scp="User.Read"),
    "scope with ours inside": lambda f: f.signed(scp="Mcp.AccessX xMcp.Access"),
    "scope in other letters": lambda f: f.signed(scp="mcp.access"),
    "scope empty": lambda f: f.signed(scp=""),
    "a hundred groups, and no role": lambda f: f.signed(roles=None, groups=[f"{n:036d}" for n in range(100)]),
}

HEADERS: dict[str, Callable[[Forge], dict[str, str]]] = {
    "no scheme": lambda f: {"Authorization": f.signed()},
    "Basic": lambda f: {"Authorization": f"Basic {f.signed()}"},
    "DPoP": lambda f: {"Authorization": f"DPoP {f.signed()}"},
    "Bearer without a token": lambda f: {"Authorization": "Bearer "},
    "Bearer with two tokens": lambda f: {"Authorization": f"Bearer {f.signed()} {f.signed()}"},
    "a comma and a second credential": lambda f: {"Authorization": f"Bearer x, Bearer {f.signed()}"},
    "four segments": lambda f: {"Authorization": f"Bearer {f.signed()}.x"},
    "five segments (JWE)": lambda f: {"Authorization": f"Bearer {f.signed()}.x.y"},
    "an empty header segment": lambda f: {"Authorization": f"Bearer .{f.signed().split('.', 1)[1]}"},
    "not base64": lambda f: {"Authorization": "Bearer ***.***.***"},
    "JSON serialisation": lambda f: {"Authorization": 'Bearer {"payload":"e30","signature":"x"}'},
    "the token in another header": lambda f: {"X-Authorization": f"Bearer {f.signed()}"},
    "the token as a subscription key": lambda f: {"Ocp-Apim-Subscription-Key": f.signed()},
    "the token as a cookie": lambda f: {"Cookie": f"Authorization=Bearer {f.signed()}"},
}


def _refused(platform: Platform, headers: dict[str, str], status: int) -> None:
    answer = platform.call("tools/list", headers=headers)
    assert answer.status == status, answer.text
    assert "result" not in answer.json
    assert answer.json["error"]["message"]
    for leak in ("Traceback", "traceback", 'File "', "Exception", ".py", *headers.values()):
        assert not leak or leak == "Bearer " or leak not in answer.text


def test_the_forge_makes_valid_tokens(platform: Platform, forge: Forge) -> None:
    """Otherwise every refusal below would be for the wrong reason."""
    for valid in (forge.signed(), forge.signed(exp=forge.now - 30), forge.signed(groups=["a"] * 100)):
        answer = platform.call("tools/list", headers={"Authorization": f"Bearer {valid}"})
        assert answer.status == 200, answer.text


@pytest.mark.parametrize("name", [*SIGNATURES, *CLAIMS])
def test_a_token_that_is_not_ours_is_401(platform: Platform, forge: Forge, name: str) -> None:
    token = {**SIGNATURES, **CLAIMS}[name](forge)
    _refused(platform, {"Authorization": f"Bearer {token}"}, 401)


@pytest.mark.parametrize("name", UNPRIVILEGED)
def test_a_token_without_the_right_is_403(platform: Platform, forge: Forge, name: str) -> None:
    _refused(platform, {"Authorization": f"Bearer {UNPRIVILEGED[name](forge)}"}, 403)


@pytest.mark.parametrize("name", HEADERS)
def test_a_token_in_the_wrong_place_is_401(platform: Platform, forge: Forge, name: str) -> None:
    _refused(platform, HEADERS[name](forge), 401)


def test_an_id_token_is_not_an_access_token(platform: Platform, forge: Forge) -> None:
    """Signed by the same key and for a client of ours; its audience is the client."""
    token = forge.signed(aud=platform.status["client_id"], scp=None, roles=["Mcp.Admin"])
    _refused(platform, {"Authorization": f"Bearer {token}"}, 401)


def test_a_reader_cannot_become_an_admin_by_asking(platform: Platform) -> None:
    """The tier is the token's: path, query and headers do not change it."""
    for url in (f"{platform.endpoint}?tier=admin", f"{platform.endpoint}?roles=Mcp.Admin"):
        answer = platform.call("tools/list", user="reader", url=url, headers={"X-Mcp-Tier": "admin"})
        assert answer.status == 200
        assert "insert-many" not in {tool["name"] for tool in answer.json["result"]["tools"]}
