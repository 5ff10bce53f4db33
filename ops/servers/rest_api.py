"""A REST API that an OpenAPI document describes: the document read, and its operations chosen by name."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ops.errors import UsageError

LARGEST = 8 * 1024 * 1024
_SECONDS = 15
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADER = re.compile(r"(?P<header>[A-Za-z0-9-]{1,64})=(?P<variable>[A-Za-z_][A-Za-z0-9_]{0,63})")
_OPERATION = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Api:
    """What is asked for: `place` is a file or an address, `headers` NAME=VARIABLE."""

    place: str
    operations: tuple[str, ...]
    base_url: str = ""
    headers: tuple[str, ...] = field(default=())

    @property
    def label(self) -> str:
        return self.place


def parse(place: str, operations: Sequence[str], base_url: str, headers: Sequence[str]) -> Api:
    """Return what is asked for; UsageError for a header that is not NAME=VARIABLE."""
    for header in headers:
        if not _HEADER.fullmatch(header):
            raise UsageError(
                f"--header {header!r} must be NAME=VARIABLE: the variable holds its value, from a Key Vault secret"
            )
    return Api(place, tuple(operations), base_url, tuple(headers))


def read(api: Api) -> dict[str, Any]:
    """Return the document; UsageError for what cannot be read or is none."""
    try:
        document = json.loads(_text(api.place))
    except ValueError as error:
        raise UsageError(f"--openapi {api.place} is no JSON ({error}); convert YAML with a tool of your own") from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise UsageError(f"--openapi {api.place} is no OpenAPI document of version 3; convert an older one first")
    return document


def host(api: Api) -> str:
    """Return where the API is, as `egress` of an entry names it; UsageError for what cannot be read or is none."""
    parts = urlsplit(_base_url(api, {} if api.base_url else read(api)))
    usual = parts.port in (None, 443, 80)
    return (parts.hostname or "") + ("" if usual else f":{parts.port}")


def command(api: Api, document: Mapping[str, Any], package: str) -> list[str]:
    """Return the front's arguments; UsageError for operations or an address that the document does not have."""
    known = sorted({str(operation["operationId"]) for operation in _operations(document) if "operationId" in operation})
    usable = [name for name in known if _OPERATION.fullmatch(name)]
    if not api.operations:
        raise UsageError(f"choose what is served with --operation, once for each; {api.place} has: {_some(usable)}")
    for operation in api.operations:
        if operation not in usable:
            raise UsageError(f"{api.place} has no operation {operation!r}; its operationIds are: {_some(usable)}")
    words = ["--openapi", package, "--base-url", _base_url(api, document)]
    for operation in dict.fromkeys(api.operations):
        words += ["--operation", operation]
    for header in api.headers:
        words += ["--header", header]
    return words


def _base_url(api: Api, document: Mapping[str, Any]) -> str:
    servers = document.get("servers") or [{}]
    url = api.base_url or str(servers[0].get("url", ""))
    if not _is_safe(url):
        raise UsageError(f"the API's address {url!r} must be an https URL (http only on loopback); give --base-url")
    return url


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _text(place: str) -> str:
    if "://" not in place:
        try:
            return Path(place).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--openapi {place} cannot be read ({error}); give a file or an https URL") from error
    if not _is_safe(place):
        raise UsageError(f"--openapi {place} must be a file or an https URL (http only on loopback)")
    try:
        with urllib.request.urlopen(place, timeout=_SECONDS) as answer:  # noqa: S310 - checked above
            found: bytes = answer.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"--openapi {place} cannot be fetched ({error}); give a file instead") from error
    if len(found) > LARGEST:
        raise UsageError(f"--openapi {place} is larger than {LARGEST // 1024 // 1024} MiB; take out what is not served")
    return found.decode(errors="replace")


def _operations(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for path in (document.get("paths") or {}).values():
        yield from (operation for method, operation in path.items() if method in _METHODS)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:30]) or "none that has a name"
    return shown if len(names) <= 30 else f"{shown} and {len(names) - 30} more"
