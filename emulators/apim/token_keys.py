"""Keys of tokens that a policy brings itself: `issuer-signing-keys` and `decryption-keys` ("Validate JWT", 2024-03-18:
key attributes), and the certificates that they name.

What reads certificates and encrypted tokens is imported where one is read: most gateways have none, and start faster.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey

Key = RSAKey | ECKey | OctKey
#: .NET refuses to sign or verify with less (Microsoft.IdentityModel.Tokens, IDX10653), in bytes.
SHORTEST = 16
#: What .NET's handler decrypts ("Validate JWT", usage notes, for those of symmetric keys), by kind of key.
_ENCRYPTIONS = ("A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512")
_WRAPPINGS = {
    "oct": ("dir", "A128KW", "A192KW", "A256KW"),
    "RSA": ("RSA-OAEP", "RSA-OAEP-256"),
}


class KeyUnusable(ValueError):
    """What was given is no key of that kind; the message says why, and shows nothing of it."""


@dataclass(frozen=True)
class GivenKey:
    """With an `id`, for tokens of that `kid` only."""

    id: str
    key: Key

    def answers(self, kid: object) -> bool:
        return not self.id or kid is None or self.id == kid


@dataclass(frozen=True)
class Certificate:
    """One that was uploaded: what its public key verifies, and its private key, where it came along, decrypts."""

    public: Key
    private: Key | None = None


def symmetric(text: str) -> OctKey:
    """A Base64-encoded secret. Raises KeyUnusable."""
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyUnusable("it is not Base64") from error
    if len(data) < SHORTEST:
        raise KeyUnusable(f"it has {len(data) * 8} bits, and .NET wants {SHORTEST * 8} at least (IDX10653)")
    try:
        return OctKey.import_key(data)
    except ValueError as error:  # the library looks: whoever publishes a key does not keep a secret
        raise KeyUnusable("it is a public key or a certificate, and no secret") from error


def public_rsa(modulus: str, exponent: str) -> RSAKey:
    """A pair in Base64url. Raises KeyUnusable."""
    try:
        return RSAKey.import_key({"kty": "RSA", "n": modulus.strip().rstrip("="), "e": exponent.strip().rstrip("=")})
    except (JoseError, ValueError, TypeError) as error:
        raise KeyUnusable("n and e are no RSA key in Base64url") from error


def certificate(data: bytes, password: str = "") -> Certificate:
    """A PFX file, or PEM with or without its private key. Raises KeyUnusable."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
    from cryptography.hazmat.primitives.serialization import load_pem_private_key as load_private
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    try:
        if b"-----BEGIN" in data:
            found = x509.load_pem_x509_certificate(data)
            private = load_private(data, password.encode() or None) if b"PRIVATE KEY-----" in data else None
        else:
            bundle = load_pkcs12(data, password.encode())
            if bundle.cert is None:
                raise KeyUnusable("the PFX file holds no certificate")
            found, private = bundle.cert.certificate, bundle.key
    except (ValueError, TypeError) as error:
        raise KeyUnusable("it is no certificate in PFX or PEM, or the password is wrong") from error
    public = found.public_key()
    if isinstance(public, RSAPublicKey):
        kind: type[RSAKey] | type[ECKey] = RSAKey
    elif isinstance(public, EllipticCurvePublicKey):
        kind = ECKey
    else:
        raise KeyUnusable("its key is neither RSA nor EC")
    secret = None
    if isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey):
        secret = kind.import_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Certificate(kind.import_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)), secret)


def decrypted(text: str, keys: list[GivenKey]) -> str | None:
    """The token in a token (RFC 7519, section 5.2); None where no key opens it."""
    from joserfc import jwe

    for given in keys:
        wrappings = _WRAPPINGS.get(given.key.key_type, ())
        try:
            found = jwe.decrypt_compact(text, given.key, algorithms=[*wrappings, *_ENCRYPTIONS])
        except (JoseError, ValueError, TypeError):
            continue
        if found.plaintext is not None and given.answers(found.headers().get("kid")):
            return found.plaintext.decode("utf-8", "replace")
    return None
