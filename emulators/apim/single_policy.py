"""`serve`: one policy file in front of one backend, without an applied state."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators.apim import process
from emulators.apim.backend_client import BackendClient
from emulators.apim.errors import PolicyError, unreadable
from emulators.apim.http_server import Application, server_config
from emulators.apim.messages import parse_base
from emulators.apim.process import Config
from emulators.apim.tracing_ring import Document, Ring
from emulators.apim.tracing_text import lines
from emulators.base import serving
from emulators.base.state import Resource, State


@dataclass(frozen=True)
class Options:
    """What the command line gave. `backends`: `URL`, the API's own, and `NAME=URL` for `set-backend-service`."""

    policy: Path
    backends: Sequence[str]
    fragments: Sequence[str] = ()
    named_values: Sequence[str] = ()
    secrets: Path | None = None
    certificates: Sequence[str] = ()
    authorizations: Path | None = None
    events: Path | None = None
    allowed: Sequence[str] = ()
    host: str = "127.0.0.1"
    port: int = 8080
    trace: bool = False


def serve(options: Options) -> None:
    """Until Ctrl-C. Raises PolicyError for what is wrong with an option, PolicyProblems for what cannot run."""
    state, own = applied(options), _own_backend(options)
    client = BackendClient({}, {*(_authority(url) for url in _backends(options).values()), *options.allowed})
    config = Config(
        state=Path(),
        host=options.host,
        port=options.port,
        authorizations=str(options.authorizations or ""),
        events=str(options.events or ""),
    )
    gateway = process.make_gateway(state, config, client, _Printed() if options.trace else None, given_by="options")
    listener = serving.listen(options.host, options.port, "give another one with --port, or 0 for a free one")

    def started(port: int) -> None:
        address = f"[{options.host}]" if ":" in options.host else options.host
        _say(f"ready gateway {port}")  # as every emulator says it, for programs; then the same for people
        _say(f"http://{address}:{port} runs {options.policy} in front of {own} (Ctrl-C stops)")

    process.serve(process.Server(server_config(Application(gateway)), started), listener, client)


def applied(options: Options) -> State:
    """The state that Terraform would have applied: one API at `/`, every method and path, and what the policy names."""
    return state_of(
        read(options.policy),
        str(options.policy),
        {**_backends(options), "": _own_backend(options)},
        {name: read(Path(path)) for name, path in pairs(options.fragments, "--fragment").items()},
        pairs(options.named_values, "--named-value"),
        secrets(options.secrets),
        certificates={id_: file_bytes(path) for id_, path in pairs(options.certificates, "--certificate").items()},
    )


def state_of(
    policy: str,
    name: str,
    backends: Mapping[str, str],
    fragments: Mapping[str, str],
    named_values: Mapping[str, str],
    secrets: Mapping[str, str],
    identities: Sequence[str] = (),
    certificates: Mapping[str, bytes] | None = None,
) -> State:
    """One API of that name at `/`. `backends` are URLs by name, "" the API's own; `identities` are client ids."""
    api = {"path": "", "service_url": backends[""], "subscription_required": False, "revision": "1"}
    operation = {"operation_id": "any", "method": "*", "url_template": "/*", "display_name": "any"}
    attached = [{"type": "SystemAssigned, UserAssigned", "identity_ids": list(identities), "principal_id": "system"}]
    service = {"name": "local", "location": "local", **({"identity": attached} if identities else {})}
    found = [
        _resource("api_management", service),
        _resource("api_management_api", {"name": name, "display_name": name, **api}),
        _resource("api_management_api_operation", {"name": "any", "api_name": name, **operation}),
        _resource("api_management_api_policy", {"api_name": name, "xml_content": policy}),
    ]
    for given, secret in ((named_values, False), (secrets, True)):
        for key, value in given.items():
            values = {"name": key, "display_name": key, "value": value, "secret": secret}
            found.append(_resource("api_management_named_value", values))
    for key, text in fragments.items():
        found.append(_resource("api_management_policy_fragment", {"name": key, "value": text}))
    for key, url in backends.items():
        if key:
            found.append(_resource("api_management_backend", {"name": key, "url": url, "protocol": "http"}))
    for id_, data in (certificates or {}).items():
        values = {"name": id_, "data": base64.b64encode(data).decode()}
        found.append(_resource("api_management_certificate", values))
    for id_ in identities:
        identity = {"name": id_ or "system", "id": id_, "client_id": id_, "principal_id": id_}
        found.append(_resource("user_assigned_identity", identity))
    return State(tuple(found))


def _resource(kind: str, values: Mapping[str, Any]) -> Resource:
    return Resource(f"azurerm_{kind}.{values.get('name', 'this')}", f"azurerm_{kind}", values)


def read(path: Path) -> str:
    if path.suffix == ".tftpl":
        raise PolicyError(f"{path} is a Terraform template: give the XML that Terraform renders from it")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path} {unreadable(error)}") from error


def file_bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise PolicyError(f"{path} {unreadable(error)}") from error


def _backends(options: Options) -> dict[str, str]:
    """URL by name; the API's own has none."""
    found: dict[str, str] = {}
    for given in options.backends:
        name, equals, url = given.partition("=")
        if not equals or "/" in name:
            name, url = "", given
        if parse_base(url) is None:
            raise PolicyError(f"--backend {given!r} must be an absolute http or https URL without query, or NAME=URL")
        if name in found:
            raise PolicyError(f"--backend gives {'the backend ' + name if name else 'the API its URL'} twice")
        found[name] = url
    return found


def _own_backend(options: Options) -> str:
    found = _backends(options).get("")
    if found is None:
        raise PolicyError("--backend URL is missing: where requests go when the policy sets no other backend")
    return found


def _authority(url: str) -> str:
    parsed = parse_base(url)
    assert parsed is not None
    return f"{parsed.host}:{parsed.port}"


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise PolicyError(f"{option} {text!r} must be NAME=VALUE")
        found[name] = value
    return found


def secrets(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"--named-values {path} {unreadable(error)}") from error
    except ValueError as error:
        raise PolicyError(f"--named-values {path} cannot be read as JSON ({error})") from error
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise PolicyError(f"--named-values {path} must hold one JSON object of names and texts")
    return values


class _Printed(Ring):
    """Prints each trace as it is kept."""

    def add(self, document: Document, size: int) -> None:
        super().add(document, size)
        _say("\n".join(lines(document)))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
