"""A token as policies see it: its claims as text. Reading is not trusting: see tokens.py for what was verified."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

#: Longer tokens than any header may be are not read at all.
MAX_TOKEN = 64 * 1024


@dataclass(frozen=True, eq=False)
class Jwt:
    """`header` and `payload` as they were signed."""

    text: str
    header: Mapping[str, Any]
    payload: Mapping[str, Any]

    @cached_property
    def claims(self) -> dict[str, list[str]]:
        """Every claim as a list of texts: arrays give one each, objects their JSON."""
        return {name: _texts(value) for name, value in self.payload.items()}

    @property
    def audiences(self) -> list[str]:
        return self.claims.get("aud", [])

    def one(self, name: str) -> str | None:
        values = self.claims.get(name)
        return values[0] if values else None

    def copy(self) -> Jwt:
        """The same token with claims of its own, which an expression may change."""
        made = Jwt(self.text, self.header, self.payload)
        made.__dict__["claims"] = {name: values.copy() for name, values in self.claims.items()}
        return made

    def __str__(self) -> str:
        return self.text


def _texts(value: Any) -> list[str]:
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> Jwt | None:
    """The token without any check of its signature; None where it is not a JWS in compact form."""
    parts = text.split(".")
    if len(parts) != 3 or len(text) > MAX_TOKEN:
        return None
    try:
        header, payload = (json.loads(decode_segment(part)) for part in parts[:2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(payload, dict):
        return None
    return Jwt(text, header, payload)


def decode_segment(part: str) -> bytes:
    """Base64url without padding (RFC 7515, section 2); anything else raises ValueError."""
    if not part.isascii() or "=" in part:
        raise ValueError("not base64url")
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
