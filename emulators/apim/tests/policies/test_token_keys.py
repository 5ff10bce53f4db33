""" "Validate JWT": issuer-signing-keys, decryption-keys, and key attributes; several issuers."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from joserfc import jwe, jws
from joserfc.jwk import OctKey, RSAKey

from emulators.apim.errors import PolicyProblems
from emulators.apim.tests.harness import GatewayHarness, make_gateway, resource
from emulators.apim.tests.policies.test_validate_jwt import with_public_key_as_secret
from emulators.apim.tests.tokens import AUDIENCE, CONFIGURATION, ISSUER, KEY, OTHER, bearer, claims, publish, sign

SECRET, WEAK = b"0123456789abcdef0123456789abcdef", b"short"
PAIR = KEY.as_dict(private=False)
ISSUERS = f"<issuers><issuer>{ISSUER}</issuer><issuer>http://second.test</issuer></issuers>"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def symmetric(payload: dict[str, Any], alg: str = "HS256", secret: bytes = SECRET, **header: Any) -> str:
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    text = json.dumps(payload).encode()
    return jws.serialize_compact({"alg": alg, **header}, text, OctKey.import_key(secret), registry=registry)


def certificate(key: Any, *, private: bool, password: bytes = b"") -> str:
    """As Terraform holds it: PFX in Base64, or PEM without its private key."""
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    signed = made.sign(key, digest)
    if not private:
        return encoded(signed.public_bytes(Encoding.PEM))
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return encoded(serialize_key_and_certificates(b"test", key, signed, None, protection))


def validating(rules: str, certificates: dict[str, dict[str, str]] | None = None, **given: Any) -> GatewayHarness:
    policy = f"<validate-jwt header-name='Authorization' require-scheme='Bearer'>{rules}</validate-jwt>"
    uploaded = [resource("api_management_certificate", name, **values) for name, values in (certificates or {}).items()]
    gateway = make_gateway(inbound=policy, extra=uploaded, **given)
    publish(gateway)
    return gateway


def signing(*keys: str, rest: str = ISSUERS) -> str:
    return f"<issuer-signing-keys>{''.join(keys)}</issuer-signing-keys>{rest}"


async def status(gateway: GatewayHarness, token: str) -> int:
    return (await gateway.send(headers=bearer(token))).status


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_a_secret_verifies(alg: str) -> None:
    """Given as text, as a named value, or by an expression; no issuer is asked for keys."""
    for text in (encoded(SECRET), "{{key}}", f'@("{encoded(SECRET)}")'):
        gateway = validating(signing(f"<key> {text}\n</key>"), named_values={"key": encoded(SECRET)})
        assert await status(gateway, symmetric(claims(), alg)) == 200
        assert [call.url for call in gateway.backends.calls] == ["http://backend.test/base/op"]


@pytest.mark.parametrize(
    "token",
    [
        symmetric(claims(), secret=b"another-secret-another-secret-xx"),
        symmetric(claims(iss="http://third.test")),
        symmetric(claims(), kid="other"),
        sign(claims()),
        symmetric(claims()).rpartition(".")[0] + ".",
    ],
    ids=["other secret", "other issuer", "other kid", "asymmetric", "no signature"],
)
async def test_what_the_secret_did_not_sign_is_401(token: str) -> None:
    """Nor what another issuer did, nor what names another key than the one with an id."""
    assert await status(validating(signing(f"<key id='one'>{encoded(SECRET)}</key>")), token) == 401


async def test_each_key_is_tried_and_each_issuer() -> None:
    """ "each key is tried until either all are exhausted or one succeeds"; so are issuers."""
    keys = signing(
        f"<key>{encoded(b'x' * 32)}</key>", f"<key n='{PAIR['n']}' e='{PAIR['e']}'/>", f"<key>{encoded(SECRET)}</key>"
    )
    gateway = validating(keys)
    for issuer in (ISSUER, "http://second.test"):
        assert await status(gateway, symmetric(claims(iss=issuer))) == 200
        assert await status(gateway, sign(claims(iss=issuer))) == 200
    assert await status(gateway, sign(claims(), OTHER)) == 401


async def test_a_public_key_is_never_a_secret() -> None:
    """HS256 keyed with the modulus, or the PEM, of a key that the policy gives (RFC 8725, section 2.1)."""
    gateway = validating(signing(f"<key n='{PAIR['n']}' e='{PAIR['e']}'/>"))
    for token in (symmetric(claims(), secret=str(PAIR["n"]).encode(), kid="one"), with_public_key_as_secret()):
        assert await status(gateway, token) == 401


async def test_a_published_secret_is_none() -> None:
    """An oct key of the discovery document signs nothing, even beside a secret of the policy's own."""
    rules = f"<openid-config url='{CONFIGURATION}'/>" + signing(f"<key>{encoded(SECRET)}</key>")
    gateway = validating(rules)
    published = OctKey.import_key(b"p" * 32, {"kid": "p", "use": "sig"})
    publish(gateway, published)  # type: ignore[arg-type]
    assert await status(gateway, symmetric(claims(), secret=b"p" * 32, kid="p")) == 401
    assert await status(gateway, symmetric(claims())) == 200


async def test_keys_stand_beside_those_of_openid_config() -> None:
    """Both verify."""
    gateway = validating(f"<openid-config url='{CONFIGURATION}'/>" + signing(f"<key>{encoded(SECRET)}</key>"))
    assert [await status(gateway, token) for token in (sign(claims()), symmetric(claims()))] == [200, 200]


async def test_without_issuers_nothing_says_who_may_issue() -> None:
    """Keys alone, as in published policies; the audience is checked all the same."""
    rules = signing(f"<key>{encoded(SECRET)}</key>", rest=f"<audiences><audience>{AUDIENCE}</audience></audiences>")
    gateway = validating(rules)
    assert await status(gateway, symmetric(claims(iss="anybody"))) == 200
    assert await status(gateway, symmetric(claims(aud="other"))) == 401


# certificates


PRIVATE = rsa.generate_private_key(65537, 2048)
CERTIFICATE = RSAKey.import_key(PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), {"kid": "c"})


@pytest.mark.parametrize(
    "uploaded",
    [
        {"data": certificate(PRIVATE, private=True)},
        {"data": certificate(PRIVATE, private=False)},
        {"data": certificate(PRIVATE, private=True, password=b"pw"), "password": "pw"},
    ],
    ids=["PFX", "PEM", "PFX with password"],
)
async def test_a_certificate_s_public_key_verifies(uploaded: dict[str, str]) -> None:
    """By `certificate-id`, of one that was uploaded."""
    gateway = validating(signing("<key certificate-id='mine'/>"), {"mine": uploaded})
    assert await status(gateway, sign(claims(), CERTIFICATE)) == 200
    assert await status(gateway, sign(claims())) == 401


def encrypted(token: str, key: OctKey | RSAKey, alg: str, enc: str, **header: Any) -> str:
    return jwe.encrypt_compact({"alg": alg, "enc": enc, "cty": "JWT", **header}, token.encode(), key)


@pytest.mark.parametrize(("enc", "bits"), [("A128CBC-HS256", 256), ("A192CBC-HS384", 384), ("A256CBC-HS512", 512)])
async def test_a_token_is_decrypted_and_then_verified(enc: str, bits: int) -> None:
    """Usage notes: these three, with a secret; decryption alone proves nothing."""
    secret = b"d" * (bits // 8)
    opening = f"<decryption-keys><key>{encoded(secret)}</key></decryption-keys>"
    rules = signing(f"<key>{encoded(SECRET)}</key>", rest="") + opening
    gateway, key = validating(rules + ISSUERS), OctKey.import_key(secret)
    assert await status(gateway, encrypted(symmetric(claims()), key, "dir", enc)) == 200
    assert await status(gateway, encrypted(symmetric(claims(), secret=b"z" * 32), key, "dir", enc)) == 401
    assert await status(gateway, encrypted(json.dumps(claims()), key, "dir", enc)) == 401
    assert (
        await status(gateway, encrypted(symmetric(claims()), OctKey.import_key(b"e" * (bits // 8)), "dir", enc)) == 401
    )
    assert await status(gateway, symmetric(claims())) == 200


async def test_a_certificate_s_private_key_decrypts() -> None:
    """RSA-OAEP; in validate-azure-ad-token too."""
    uploaded = {"mine": {"data": certificate(PRIVATE, private=True)}}
    decryption = "<decryption-keys><key certificate-id='mine'/></decryption-keys>"
    token = encrypted(sign(claims()), CERTIFICATE, "RSA-OAEP", "A256CBC-HS512")
    gateway = validating(f"<openid-config url='{CONFIGURATION}'/>{decryption}", uploaded)
    assert await status(gateway, token) == 200
    entra = f"<validate-azure-ad-token tenant-id='http://issuer.test/tid'>{decryption}</validate-azure-ad-token>"
    mine = resource("api_management_certificate", "mine", data=uploaded["mine"]["data"])
    gateway = make_gateway(inbound=entra, extra=[mine])
    publish(gateway)
    assert [await status(gateway, one) for one in (token, sign(claims()))] == [200, 200]


# what does not load


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("<key/>", "<key> needs one of"),
        ("<key n='AQAB'/>", "<key> needs one of"),
        ("<key n='AQAB' e='AQAB'>c2VjcmV0</key>", "<key> needs one of"),
        ("<key>not base64!</key>", "<key> cannot be used: it is not Base64"),
        (f"<key>{encoded(WEAK)}</key>", "it has 40 bits, and .NET wants 128"),
        ("<key n='!' e='!'/>", "no RSA key in Base64url"),
        (f"<key>{encoded(KEY.as_pem(private=False))}</key>", "a public key or a certificate, and no secret"),
        ("<key certificate-id='none'/>", "there is no certificate 'none'"),
        ("", "<issuer-signing-keys> needs a <key>"),
    ],
)
def test_a_key_that_is_none_does_not_load(key: str, why: str) -> None:
    """By name and reason; nothing of the key is shown."""
    with pytest.raises(PolicyProblems, match=why) as refused:
        validating(signing(key))
    assert encoded(WEAK) not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("<key n='AQAB' e='AQAB'/>", "a public key, which decrypts nothing"),
        ("<key certificate-id='public'/>", "has no private key"),
    ],
)
def test_a_public_key_decrypts_nothing(key: str, why: str) -> None:
    """So it is refused where it stands."""
    rules = f"{signing(f'<key>{encoded(SECRET)}</key>', rest='')}<decryption-keys>{key}</decryption-keys>"
    with pytest.raises(PolicyProblems, match=why):
        validating(rules, {"public": {"data": certificate(PRIVATE, private=False)}})


@pytest.mark.parametrize(
    "uploaded",
    [
        {"data": encoded(b"nonsense")},
        {"data": certificate(PRIVATE, private=True, password=b"pw"), "password": "wrong"},
        {"data": certificate(ed25519.Ed25519PrivateKey.generate(), private=False)},
        {"key_vault_secret_id": "https://vault/secrets/x"},
    ],
    ids=["nonsense", "wrong password", "Ed25519", "of a vault"],
)
def test_a_certificate_that_cannot_be_read_is_refused(uploaded: dict[str, str]) -> None:
    """With its resource, whether a policy names it or not."""
    with pytest.raises(PolicyProblems, match=r"certificate 'mine' .*data cannot be used"):
        validating(signing(f"<key>{encoded(SECRET)}</key>"), {"mine": uploaded})


async def test_a_secret_that_an_expression_yields_wrongly_is_500() -> None:
    """Not 401: it is the policy that is wrong."""
    gateway = validating(signing('<key>@("nonsense!")</key>'))
    assert await status(gateway, symmetric(claims())) == 500
