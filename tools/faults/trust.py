"""Faults of what parts believe one another by: keys, tokens, certificates."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emulators.entra.keys import FILE, KeyRing
from tools.faults.callers import Callers
from tools.faults.measure import Fault
from tools.faults.subject import Subject, signal_all
from twin import control

#: Seconds after which somebody renews the certificate that has expired.
_NOTICED = 12.0


async def roll_keys(subject: Subject, callers: Callers) -> None:
    """The published next key signs from now on."""
    signal_all([pid for pid in [subject.pid("entra")] if pid], signal.SIGUSR1)
    await asyncio.sleep(1)


async def _roll_twice(subject: Subject, callers: Callers) -> None:
    """The key that signed what is in use is not published any more."""
    await roll_keys(subject, callers)
    await roll_keys(subject, callers)


async def _lose_keys(subject: Subject, callers: Callers) -> None:
    """The issuer starts without the file of its keys, and makes others."""
    (subject.home / "entra" / FILE).unlink()
    signal_all([pid for pid in [subject.pid("entra")] if pid], signal.SIGKILL)


async def _expire_tokens(subject: Subject, callers: Callers) -> None:
    """Everybody goes on with a token that says the same, but that it ended ten minutes ago."""
    keys = KeyRing.open(subject.home / "entra")

    def expired(token: str) -> str:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return keys.sign({**claims, "exp": int(time.time()) - 600})

    for user in callers.users:
        callers.replace_token(user, expired)


async def _expire_certificate(subject: Subject, callers: Callers) -> None:
    """The ingress starts with a certificate that ended yesterday, and has it until the platform is told to look."""
    run = subject.home / "run"
    path = run / "apps.certificate.pem"
    good = x509.load_pem_x509_certificate(path.read_bytes())
    signer = serialization.load_pem_private_key((run / "apps.authority.key.pem").read_bytes(), None)
    own = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey) or not isinstance(own, ec.EllipticCurvePrivateKey):
        raise RuntimeError("the keys of the apps' certificates are of another kind: correct this fault")
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(good.issuer, good.subject, good.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=2)).not_valid_after(now - timedelta(days=1))
    for extension in good.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    text = builder.sign(signer, hashes.SHA256()).public_bytes(pem)
    path.write_bytes(text + own.private_bytes(pem, kind, serialization.NoEncryption()))
    # Connections that are there would be used on and on.
    signal_all([pid for pid in [subject.pid("apps")] if pid], signal.SIGKILL)
    await asyncio.sleep(_NOTICED)
    await asyncio.to_thread(control.reload, subject.home)


def faults() -> Iterator[Fault]:
    """Keys, tokens, certificates."""
    yield Fault("roll-keys", "the issuer's keys rolled", roll_keys, none_fails=True)
    yield Fault("roll-keys-twice", "the issuer's keys rolled twice", _roll_twice)
    yield Fault("lose-keys", "the issuer's keys lost, and others made", _lose_keys)
    yield Fault("expire-tokens", "every caller's token expired", _expire_tokens)
    yield Fault(
        "expire-certificate",
        f"the apps' ingress started with an expired certificate, renewed after {_NOTICED:g} s",
        _expire_certificate,
    )
