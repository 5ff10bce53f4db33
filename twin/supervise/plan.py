"""From the applied state to the processes of one local platform. Nothing starts here."""

from __future__ import annotations

import hashlib
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from emulators.base.files import read_object, write_json
from emulators.base.state import Resource, State
from twin.errors import RuntimeFailure
from twin.supervise import apps, arm, databases, docker_engine, documentdb, names
from twin.supervise.containers import PlanContext, plan_containers
from twin.supervise.settings import RuntimeConfig
from twin.supervise.spec import Health, Liveness, Plan, ProcessSpec, as_file, python_module

ROOT = Path(__file__).resolve().parents[2]
#: What runs as each part of a platform, beside its servers.
MODULES = {
    "gateway": "emulators.apim",
    "entra": "emulators.entra",
    "mongo": "emulators.mongodb",
    "console": "twin.console",
    "apps": "twin.apps",
}

# The status endpoint of every API Management gateway ("Monitor API Management: gateway health").
GATEWAY_STATUS_PATH = "/status-0123456789abcdef"

# What each part may see of the state: it gets no other secret, and is restarted for no other change.
_VISIBLE = {
    "entra": (
        "azuread_*",
        "azurerm_user_assigned_identity",
        "azurerm_federated_identity_credential",
        "azurerm_key_vault",
    ),
    "gateway": (
        "azurerm_api_management*",
        "azurerm_user_assigned_identity",
        "azurerm_key_vault_secret",
        "azurerm_role_assignment",
        # Not read by the gateway: it forgets its own tokens when a role changes, which Azure takes up to a day to do.
        "azuread_app_role_assignment",
    ),
    # What its page of the directory shows, without the passwords that applications have.
    "console": (
        "azuread_application",
        "azuread_application_registration",
        "azuread_application_app_role",
        "azuread_application_permission_scope",
        "azuread_application_pre_authorized",
        "azuread_group",
        "azuread_group_member",
        "azuread_service_principal",
        "azuread_app_role_assignment",
        "azurerm_user_assigned_identity",
    ),
}


def make_plan(state: State, config: RuntimeConfig, home: Path, port_for: Callable[[str], int]) -> Plan:
    """The plan for an applied state; StateError or RuntimeFailure where the state cannot become a platform at all."""
    service = state.one("azurerm_api_management")
    external = config.mongodb_uri
    mongo_port = 0 if external else port_for("mongo")
    in_docker = config.mongo == "docker"
    hosts = _IdentityHosts(state, config, home)
    context = PlanContext(
        home, mongo_port, external, port_for, in_docker, config.runtime == "docker", hosts.environment
    )
    containers, refused = plan_containers(state, context)
    environment = apps.plan_apps(state, context)
    tls_port = port_for("apps-tls") if environment else 0
    routes = names.route_backends(state, service, containers, tls_port)
    cut_off = {f"{a} from {c.process.name}": why for c in containers for a, why in c.cut_off.items()}
    if environment:
        refused, cut_off = {**refused, **environment.refused}, {**cut_off, **environment.cut_off}
    secret = _secret(home, "identity_header")
    processes = [
        _entra(config, home, {secret: _attached_clients(state, service), **hosts.clients}, state),
        *([] if external else [(_mongo_container if in_docker else _mongo)(state, config, home, mongo_port)]),
        *(container.process for container in containers),
        *([_apps(environment, home, port_for("apps"), tls_port)] if environment else []),
        _gateway(state, config, home, secret, routes, _traces(config, home), environment),
        *([] if config.console_port is None else [_console(state, config.console_port, home)]),
    ]
    _require_distinct(processes)
    return Plan(
        processes=tuple(processes),
        mongodb_uri=external or databases.administrator_uri(state, mongo_port, user_per_key=in_docker),
        external_mongodb=external is not None,
        refused=refused,
        unreachable={**routes.unreachable, **cut_off},
    )


class _IdentityHosts:
    """Which container may ask for tokens of which identities: each identity has a secret of its own.

    Groups of one tier share theirs, so that another slot changes nothing for the issuer.
    """

    def __init__(self, state: State, config: RuntimeConfig, home: Path) -> None:
        self._state, self._config, self._home = state, config, home
        self.clients: dict[str, list[str]] = {}

    def environment(self, group: Resource) -> Mapping[str, str]:
        """Variables of the group's containers; none for a group without an identity that was applied here."""
        clients = _attached_clients(self._state, group)
        if not clients:
            return {}
        secret = _secret(self._home, f"identity_header of {' '.join(sorted(clients))}")
        self.clients[secret] = clients
        return documentdb.identity_environment(self._config.entra_port, secret)


def _entra(config: RuntimeConfig, home: Path, hosts: Mapping[str, list[str]], state: State) -> ProcessSpec:
    settings = {
        "state": str(_state_path(home, "entra")),
        "host": "127.0.0.1",
        "port": config.entra_port,
        "identity_hosts": dict(hosts),
        "data_dir": str(home / "entra"),
    }
    part = _part("entra", config.entra_port, Health("http", "/healthz"), settings, home, {})
    return replace(part, live=_visible_state(state, "entra", home))


def _mongo(state: State, config: RuntimeConfig, home: Path, port: int) -> ProcessSpec:
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(home / "mongo"),
        "users_file": str(users_file(home)),
        "seed": config.seed,
    }
    if oidc := documentdb.oidc(state, config.entra_port):
        settings["oidc"] = oidc
    part = _part("mongo", port, Health("mongo"), settings, home, {})
    users = [*databases.users(state), *documentdb.administrators(state)]
    return replace(part, live={str(users_file(home)): as_file(users)})


def _mongo_container(state: State, config: RuntimeConfig, home: Path, port: int) -> ProcessSpec:
    ready = home / "run" / "mongo.ready"
    settings = {
        "home": str(home),
        "image": config.mongo_image,
        "port": port,
        "users_file": str(users_file(home)),
        "seed": config.seed,
        "ready": str(ready),
        "engine": docker_engine.environment(),
    }
    # MongoDB answers before its users are there.
    part = _part("mongo", port, Health("mongo", file=str(ready)), settings, home, {})
    argv = python_module("twin.supervise.docker_mongo", home / "run" / "mongo.json")
    return replace(part, argv=argv, live={str(users_file(home)): as_file(databases.users(state, user_per_key=True))})


def users_file(home: Path) -> Path:
    """Who may sign in at the database: a key that is regenerated changes this file, and restarts nothing."""
    return home / "run" / "mongo.users.json"


def _gateway(
    state: State,
    config: RuntimeConfig,
    home: Path,
    secret: str,
    routes: names.Routes,
    traces: Mapping[str, Any],
    environment: apps.Environment | None,
) -> ProcessSpec:
    settings = {
        "state": str(_state_path(home, "gateway")),
        "host": "127.0.0.1",
        "port": config.gateway_port,
        "resolve": dict(routes.resolve),
        "allowed_hosts": list(routes.elsewhere),
        "identity_endpoint": f"http://127.0.0.1:{config.entra_port}/msi/token",
        "identity_header": secret,
        "trace": dict(traces),
        **({"trusted_authority": str(environment.authority)} if environment else {}),
    }
    health = Health("http", GATEWAY_STATUS_PATH)
    # No address of an earlier gateway's traces.
    files = {} if traces else {str(home / "run" / "trace.json"): as_file({})}
    part = _part("gateway", config.gateway_port, health, settings, home, files)
    # A changed policy or another backend is taken over without a pause, as Azure does; another port is another process.
    fixed = {name: value for name, value in settings.items() if name not in ("resolve", "allowed_hosts")}
    if environment:  # which it reads when it starts
        fixed["trusted_authority"] = environment.authority.read_text(encoding="utf-8")
    configured = {path: text for path, text in part.files.items() if path not in files}
    return replace(
        part,
        files=files,
        live={**configured, **_visible_state(state, "gateway", home)},
        version=hashlib.sha256(as_file(fixed).encode()).hexdigest(),
    )


def _apps(environment: apps.Environment, home: Path, port: int, tls_port: int) -> ProcessSpec:
    """The ingress and the replicas behind it: a change of an app is taken over, as Azure does, without a pause."""
    settings = apps.settings(environment, home, port, tls_port)
    part = _part("apps", port, Health("http", "/healthz"), settings, home, {})
    fixed = {name: value for name, value in settings.items() if name not in ("apps", "certificate_digest")}
    return replace(
        part,
        files={},
        live=part.files,
        more_ports=(tls_port,),
        version=hashlib.sha256(as_file(fixed).encode()).hexdigest(),
        # Apps that are not ready are no reason to end the ingress.
        liveness=Liveness(Health("http", "/alive"), delay=None, period=5, timeout=5, failures=6),
    )


def _traces(config: RuntimeConfig, home: Path) -> dict[str, Any]:
    """With which key the gateway's traces can be asked for, and the file in which it says where."""
    return {"file": str(home / "run" / "trace.json"), "key": _secret(home, "trace_key")} if config.trace else {}


def _console(state: State, port: int, home: Path) -> ProcessSpec:
    settings = {
        "home": str(home),
        "state": str(_state_path(home, "console")),
        "host": "127.0.0.1",
        "port": port,
        "key": _secret(home, "console_key"),
    }
    return _part("console", port, Health("http", "/healthz"), settings, home, _visible_state(state, "console", home))


def _part(
    name: Any, port: int, health: Health, settings: Mapping[str, Any], home: Path, files: Mapping[str, str]
) -> ProcessSpec:
    """`python -m MODULE --config run/<name>.json`, with nothing of the caller's environment."""
    config = home / "run" / f"{name}.json"
    return ProcessSpec(
        name=name,
        kind=name,
        argv=python_module(MODULES[name], config),
        port=port,
        health=health,
        cwd=str(ROOT),
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"},
        files={str(config): as_file(settings), **files},
        # Half a minute of silence: a machine that has much else to do is no reason to end a part.
        liveness=Liveness(health, delay=None, period=5, timeout=5, failures=6),
    )


def _visible_state(state: State, part: str, home: Path) -> dict[str, str]:
    patterns = _VISIBLE[part]
    named = [r.block("value_from_key_vault") for r in state.of_type("azurerm_api_management_named_value")]
    wanted = {str(block.get("secret_id", "")) for block in named}
    visible = [
        asdict(resource)
        for resource in state.resources
        if any(fnmatchcase(resource.type, pattern) for pattern in patterns) and _is_needed(resource, wanted)
    ]
    return {str(_state_path(home, part)): as_file(visible)}


def _is_needed(resource: Resource, secret_ids: set[str]) -> bool:
    """Of the vault's secrets, only those that a named value refers to: the others are database keys."""
    if resource.type != "azurerm_key_vault_secret":
        return True
    versionless = str(resource["versionless_id"]).lower()
    return any(f"{id_.lower()}/".startswith(f"{versionless}/") for id_ in secret_ids)


def _state_path(home: Path, part: str) -> Path:
    return home / "run" / f"state.{part}.json"


def _attached_clients(state: State, service: Resource) -> list[str]:
    """The client ids the gateway may ask tokens for: its user-assigned identities, as its identity endpoint allows."""
    ids = service.block("identity").get("identity_ids")
    identities = state.of_type("azurerm_user_assigned_identity")
    return [identity["client_id"] for identity in identities if arm.contains(ids, identity["id"])]


def _secret(home: Path, name: str) -> str:
    """What opens the identity endpoint, the traces, the console; kept, so that a reload changes no process for it."""
    path = home / "run" / "secrets.json"
    known = read_object(path)
    if not (isinstance(known.get(name), str) and known[name]):
        known[name] = secrets.token_urlsafe(32)
        write_json(path, known)
    return str(known[name])


def _require_distinct(processes: Sequence[ProcessSpec]) -> None:
    seen: set[str] = set()
    for process in processes:
        if process.name in seen:
            raise RuntimeFailure(f"two processes are called {process.name!r}; give one container group another name")
        seen.add(process.name)
