"""Device codes ("Microsoft identity platform and the OAuth 2.0 device authorization grant flow")."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from emulators.entra.errors import EntraError
from emulators.entra.stores import LIMIT, Clock

SECONDS = 900
INTERVAL = 5
_ALPHABET = "BCDFGHJKLMNPQRTVWXY2346789"


@dataclass
class Device:
    """One pending sign-in on another device."""

    client_id: str
    scope: str
    user_code: str
    expires: float
    user_id: str | None = None
    declined: bool = False


class Devices:
    """Pending device sign-ins, found by device code (the client's) or by user code (the person's)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pending: dict[bytes, Device] = {}

    def start(self, client_id: str, scope: str) -> tuple[str, Device]:
        """The device code and its record."""
        self._forget()
        code = secrets.token_urlsafe(48)
        user_code = "".join(secrets.choice(_ALPHABET) for _ in range(9))
        device = Device(client_id, scope, user_code, self._clock() + SECONDS)
        self._pending[_hash(code)] = device
        return code, device

    def by_user_code(self, user_code: str) -> Device | None:
        wanted = user_code.strip().upper().replace("-", "").encode()
        for device in self._pending.values():
            if secrets.compare_digest(device.user_code.encode(), wanted) and self._open(device):
                return device
        return None

    def poll(self, code: str, client_id: str) -> Device:
        """The finished sign-in, once. Raises the polling errors: pending, declined, expired, unknown."""
        key = _hash(code)
        device = self._pending.get(key)
        if device is None or device.client_id != client_id:
            raise EntraError(70018)
        if self._clock() >= device.expires:
            del self._pending[key]
            raise EntraError(70020)
        if device.declined:
            del self._pending[key]
            raise EntraError(70017)
        if device.user_id is None:
            raise EntraError(70016)
        del self._pending[key]
        return device

    def _open(self, device: Device) -> bool:
        return self._clock() < device.expires and device.user_id is None and not device.declined

    def _forget(self) -> None:
        horizon = self._clock() - SECONDS
        while self._pending:
            oldest = next(iter(self._pending))
            if len(self._pending) < LIMIT and self._pending[oldest].expires > horizon:
                return
            del self._pending[oldest]


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
