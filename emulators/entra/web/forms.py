"""Parsing of requests, with limits. Foreign input becomes plain text mappings or an EntraError here, once."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

import anyio
from starlette.requests import Request

from emulators.entra.errors import EntraError

MAX_BODY = 64 * 1024
MAX_FIELDS = 60
BODY_SECONDS = 10


def query(request: Request) -> dict[str, str]:
    """The query's parameters; a repeated one is AADSTS9000411."""
    return _fields(request.url.query)


async def form(request: Request) -> dict[str, str]:
    """The parameters of an `application/x-www-form-urlencoded` body."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise EntraError(9002313, reason="The body must be application/x-www-form-urlencoded.")
    try:
        with anyio.fail_after(BODY_SECONDS):
            body = await _body(request)
    except TimeoutError:
        raise EntraError(9002313, reason=f"The body did not arrive within {BODY_SECONDS} seconds.") from None
    try:
        return _fields(body.decode("ascii"))
    except UnicodeDecodeError:
        raise EntraError(9002313, reason="The body must be percent-encoded ASCII.") from None


def with_basic(fields: Mapping[str, str], header: str | None) -> dict[str, str]:
    """`client_secret_basic`: the header's credentials join the form's; both at once are refused (RFC 6749, 2.3)."""
    if header is None:
        return dict(fields)
    scheme, _, encoded = header.partition(" ")
    try:
        identifier, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        identifier, colon, secret = "", "", ""
    if scheme.lower() != "basic" or not colon:
        raise EntraError(9002313, reason="The Authorization header must be Basic with client id and secret.")
    identifier, secret = unquote_plus(identifier), unquote_plus(secret)
    if "client_secret" in fields or fields.get("client_id", identifier) != identifier:
        raise EntraError(9002313, reason="Client credentials were given twice.")
    return {**fields, "client_id": identifier, "client_secret": secret}


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise EntraError(9002313, reason=f"The body is larger than {MAX_BODY} bytes.")
        parts.append(chunk)
    return b"".join(parts)


def _fields(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise EntraError(9002313, reason="The parameters are not well-formed.") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise EntraError(9000411, name=name)
        found[name] = value
    return found
