"""The settings of the gate, read from the environment; a server's own settings class derives from `GateSettings`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway_auth.errors import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

S = TypeVar("S", bound=BaseSettings)

_MIB = 1024 * 1024
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def _uuid(value: str) -> str:
    if not _UUID.fullmatch(value):
        raise ValueError("must be a GUID such as 11111111-2222-4333-8444-555555555555")
    return value


def _https(value: str) -> str:
    """Keys and issuer over plain HTTP would let the network choose who is trusted; loopback has no network."""
    parts = urlsplit(value)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise ValueError("must be an https URL (http only on loopback)")
    return value


Guid = Annotated[str, AfterValidator(_uuid)]
HttpsUrl = Annotated[str, AfterValidator(_https)]


class GateSettings(BaseSettings):
    """What the gate compares a request with; the environment variable is the field's name in capitals."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    mcp_tier: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    mcp_auth_issuer: HttpsUrl
    mcp_auth_jwks_uri: HttpsUrl
    mcp_auth_tenant_id: Guid
    mcp_auth_audience: Guid
    mcp_auth_gateway_object_id: Guid
    mcp_request_bytes_ceiling: int = Field(4 * _MIB, ge=1024)


def read_settings(kind: type[S], given: Mapping[str, Any] | None = None) -> S:
    """Read `kind` from the environment; `given` goes before it.

    Raises SettingsError with one sentence that names the first setting that is wrong, and never its value.
    """
    try:
        return kind.model_validate(dict(given or {}))
    except ValidationError as error:
        # include_input=False: the input may be a secret.
        raise SettingsError(_sentence(error.errors(include_input=False, include_url=False)[0])) from None


def _sentence(error: ErrorDetails) -> str:
    setting = "_".join(str(part) for part in error["loc"]).upper()
    if error["type"] == "missing":
        return f"{setting} is not set: give it to the container's environment (see README.md, Settings)."
    reason = error["msg"].removeprefix("Value error, ")
    if not setting:
        return f"{reason}."
    return f"{setting} is malformed: {reason[:1].lower()}{reason[1:]}."
