"""The gateway's settings file, JSON, 0600."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from emulators.apim.errors import PolicyError


@dataclass(frozen=True)
class Config:
    """`authority` is where Entra ID's tenants are; empty: where the identity endpoint is.

    `trace` holds the `key` with which traces of requests can be asked for, and the `file` in which the gateway says
    where; empty: none are kept.
    `resolve` maps "<host>:<port>" of backend URLs to local "<address>:<port>": the platform's private DNS.
    `allowed_hosts` ("<host>:<port>") may be called as they are named; other hosts that are not this machine may not.
    """

    state: Path
    host: str = "127.0.0.1"
    port: int = 8080
    resolve: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: Sequence[str] = ()
    identity_endpoint: str = ""
    identity_header: str = ""
    authority: str = ""
    trace: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Config:
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise PolicyError(f"the gateway's settings at {path} cannot be read ({error})") from error
        unknown = sorted(set(values) - {known.name for known in fields(cls)})
        if unknown:
            raise PolicyError(f"the gateway's settings at {path} have unknown names: {', '.join(unknown)}")
        return cls(**{**values, "state": Path(values["state"])})
