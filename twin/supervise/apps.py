"""Container Apps of the applied state: what each revision's replicas run, and the ingress that gives them calls.

A plan holds an app's newest template only. The earlier ones are kept in `run/revisions.json`, as Azure keeps revisions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from emulators.base.errors import EmulatorError
from emulators.base.files import read_object, write_json, write_private
from emulators.base.state import Resource, State
from emulators.base.store import Store
from twin.apps.config import LATEST, App, Revision, Scale, written
from twin.errors import RuntimeFailure
from twin.supervise import arm, network
from twin.supervise.containers import PlanContext, plan_container
from twin.supervise.spec import Health

APP, ENVIRONMENT = "azurerm_container_app", "azurerm_container_app_environment"
PORTS = (443, 31443)  # the ingress for TLS, and the proxy behind its load balancer
VALID = timedelta(days=3650)
RENEWED_BEFORE = timedelta(days=30)
_PEM = serialization.Encoding.PEM
READY = (200, 399)  # "Health probes in Azure Container Apps"
_UNSUPPORTED = ("dapr", "custom_scale_rule", "tcp_scale_rule", "azure_queue_scale_rule", "init_container", "volume")


@dataclass(frozen=True)
class Environment:
    """The apps that can run, and for each that cannot why.

    `cut_off`: why an app that runs cannot reach a database, or does not give calls to a revision that should have some.
    """

    apps: tuple[App, ...]
    refused: Mapping[str, str]
    cut_off: Mapping[str, str]
    certificate: Path
    authority: Path


def plan_apps(state: State, context: PlanContext) -> Environment | None:
    """What the environment of the applied state runs; None where there is no app."""
    resources = state.of_type(APP)
    if not resources:
        return None
    apps: list[App] = []
    refused: dict[str, str] = {}
    cut_off: dict[str, str] = {}
    kept = _kept_templates(resources, context.home)
    for resource in resources:
        try:
            apps.append(_plan_app(state, resource, kept[resource["name"]], context, cut_off))
        except EmulatorError as error:
            refused[resource["name"]] = f"app {resource['name']} does not start: {error}"
    domains = sorted({str(environment["default_domain"]) for environment in state.of_type(ENVIRONMENT)})
    authority, certificate = make_certificates(context.home, domains)
    return Environment(tuple(apps), refused, cut_off, certificate, authority)


def settings(environment: Environment, home: Path, port: int, tls_port: int) -> dict[str, Any]:
    """The settings file of `twin.apps`."""
    return {
        "home": str(home),
        "port": port,
        "tls_port": tls_port,
        "certificate": str(environment.certificate),
        # Another certificate is another text here, so that an ingress that runs takes it over.
        "certificate_digest": hashlib.sha256(environment.certificate.read_bytes()).hexdigest(),
        "apps": written(environment.apps),
    }


def find(state: State, host: str) -> tuple[Resource, Resource] | None:
    """The app whose name in its environment this is, and the environment."""
    for app in state.of_type(APP):
        environment = arm.find(state, ENVIRONMENT, app["container_app_environment_id"])
        if environment is not None and host.lower() == f"{app['name']}.{environment['default_domain']}".lower():
            return app, environment
    return None


def require_passage(
    state: State, subnet: str | None, app: Resource, environment: Resource, addresses: set[str]
) -> None:
    """RuntimeFailure where the gateway cannot call: another address, an ingress for the environment only, a rule."""
    ingress = app.block("ingress")
    if not ingress.get("external_enabled"):
        raise RuntimeFailure(
            f"the ingress of app {app['name']} admits other apps of its environment only (external_enabled is false)"
        )
    address = str(environment["static_ip_address"])
    if address not in addresses:
        raise RuntimeFailure(
            f"its name leads to {', '.join(sorted(addresses))}, and environment {environment['name']} is at {address}"
        )
    for port in PORTS:
        rule = network.blocked(state, subnet or "", str(environment.get("infrastructure_subnet_id", "")), address, port)
        if rule:
            raise RuntimeFailure(f"rule {rule} denies port {port} from the gateway's subnet")


def _kept_templates(resources: Sequence[Resource], home: Path) -> dict[str, dict[str, Any]]:
    """Templates by app and name of the revision, from the oldest to the newest; as many as each app keeps."""
    path = home / "run" / "revisions.json"
    stored = read_object(path)
    found: dict[str, list[dict[str, Any]]] = {}
    for app in resources:
        name = str(app["latest_revision_name"])
        earlier = [one for one in stored.get(app["name"]) or () if one["name"] != name]
        most = 1 + int(app.get("max_inactive_revisions", 100))
        found[app["name"]] = [*earlier, {"name": name, "template": app.block("template")}][-most:]
    if found != stored:
        write_json(path, found)
    return {app: {one["name"]: one["template"] for one in revisions} for app, revisions in found.items()}


def _plan_app(
    state: State, app: Resource, templates: Mapping[str, Any], context: PlanContext, cut_off: dict[str, str]
) -> App:
    environment = arm.find(state, ENVIRONMENT, app["container_app_environment_id"])
    if environment is None:
        raise RuntimeFailure("its environment is not in the applied state; apply stage 1")
    if context.in_docker:
        raise RuntimeFailure(
            'compute = "container-apps" runs as processes on the local platform: set RUNTIME to process, or give the '
            'server compute = "container-instances"'
        )
    weights = {
        LATEST if weight.get("latest_revision") else str(weight["revision_suffix"]): int(weight["percentage"])
        for weight in app.block("ingress").get("traffic_weight") or ()
    }
    newest = str(app["latest_revision_name"])
    revisions: list[Revision] = []
    failed: dict[str, EmulatorError] = {}
    for name, template in templates.items():
        try:
            revisions.append(_revision(state, app, environment, name, template, context, cut_off))
        except EmulatorError as error:  # an earlier one whose image is gone, say
            if name == newest:
                raise
            failed[name.rpartition("--")[2]] = error
    for suffix in weights.keys() - {LATEST, *(revision.suffix for revision in revisions)}:
        if weights[suffix]:
            cut_off[f"{app['name']}--{suffix}"] = (
                f"revision {suffix} of app {app['name']} has {weights[suffix]} % of its calls and does not start, so "
                f"others get them: {failed.get(suffix, 'it is not kept here')}"
            )
    return App(app["name"], f"{app['name']}.{environment['default_domain']}", tuple(revisions), weights)


def _revision(
    state: State,
    app: Resource,
    environment: Resource,
    name: str,
    template: Mapping[str, Any],
    context: PlanContext,
    cut_off: dict[str, str],
) -> Revision:
    for block in _UNSUPPORTED:
        if template.get(block) or app.get(block):
            raise RuntimeFailure(f"{block} is not supported by the local platform")
    if len(template["container"]) != 1:
        raise RuntimeFailure("apps with several containers are not supported by the local platform")
    planned = plan_container(state, _as_group(state, app, environment, template, context.home), context, name)
    cut_off |= {f"{account} from {name}": why for account, why in planned.cut_off.items()}
    container = template["container"][0]
    ready = _probe_path(container, "readiness") or _probe_path(container, "liveness")
    health = Health("http", ready or planned.process.health.path, statuses=READY)
    process = replace(planned.process, health=health)
    rules = template.get("http_scale_rule") or ()
    scale = Scale(
        minimum=int(template.get("min_replicas") or 0),
        maximum=int(template.get("max_replicas") or 10),
        concurrent=int(rules[0]["concurrent_requests"]) if rules else 10,
        cooldown=float(template.get("cooldown_period_in_seconds") or 300),
        grace=float(template.get("termination_grace_period_seconds") or 30),
    )
    return Revision(name, process, scale)


def _as_group(state: State, app: Resource, environment: Resource, template: Mapping[str, Any], home: Path) -> Resource:
    """The app in a container group's words, of which the rest of the platform knows what to make."""
    container = template["container"][0]
    held = _secret_values(state, app, home)
    plain = {v["name"]: v.get("value") or "" for v in container.get("env") or () if not v.get("secret_name")}
    secret = {v["name"]: held[v["secret_name"]] for v in container.get("env") or () if v.get("secret_name")}
    return Resource(
        app.address,
        app.type,
        {
            "name": app["name"],
            "identity": app.get("identity", []),
            "subnet_ids": [environment.get("infrastructure_subnet_id", "")],
            "restart_policy": "Always",
            "image_registry_credential": [
                {"server": registry["server"], "user_assigned_identity_id": registry.get("identity") or ""}
                for registry in app.get("registry", [])
            ],
            "container": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "commands": [*(container.get("command") or ()), *(container.get("args") or ())],
                    "environment_variables": plain,
                    "secure_environment_variables": secret,
                    "ports": [{"port": app.block("ingress")["target_port"], "protocol": "TCP"}],
                    "liveness_probe": [
                        {
                            "http_get": [{"path": probe.get("path") or "/", "port": probe["port"], "scheme": "http"}],
                            "initial_delay_seconds": probe.get("initial_delay"),
                            "period_seconds": probe.get("interval_seconds"),
                            "timeout_seconds": probe.get("timeout"),
                            "failure_threshold": probe.get("failure_count_threshold"),
                        }
                        for probe in container.get("liveness_probe") or ()
                    ],
                }
            ],
        },
    )


def _secret_values(state: State, app: Resource, home: Path) -> dict[str, str]:
    """The app's secrets by name, as the vault has them now: without a version Azure follows the newest."""
    store = Store(home / "cloud.json")
    vault = [*(r.values for r in state.of_type("azurerm_key_vault_secret")), *store.of_type("azurerm_key_vault_secret")]
    by_id = {str(secret.get("versionless_id")).lower().rstrip("/"): str(secret.get("value")) for secret in vault}
    found: dict[str, str] = {}
    for secret in app.get("secret", []):
        # https://<vault>/secrets/<name>, and a version perhaps
        reference = "/".join(str(secret.get("key_vault_secret_id") or "").lower().split("/")[:5])
        value = secret.get("value") if not reference else by_id.get(reference)
        if value is None:
            raise RuntimeFailure(f"secret {reference} of app {app['name']} is not in the vault")
        found[secret["name"]] = str(value)
    return found


def _probe_path(container: Mapping[str, Any], kind: str) -> str:
    for probe in container.get(f"{kind}_probe") or ():
        if str(probe.get("transport")).upper() != "HTTP" or probe.get("header"):
            raise RuntimeFailure(f"a {kind} probe with another transport than HTTP, or with headers, is not supported")
        return str(probe.get("path") or "/")
    return ""


def make_certificates(home: Path, domains: Sequence[str]) -> tuple[Path, Path]:
    """The file of an authority of this home's own, and that of a certificate with its key for every app's name.

    Azure's are from a public authority; the gateway here trusts this one beside those. Both are kept until a month
    before they expire; the authority signs for other domains too, so that a gateway that runs need not learn another.
    """
    folder = home / "run"
    authority, certificate = folder / "apps.authority.pem", folder / "apps.certificate.pem"
    authority_key = folder / "apps.authority.key.pem"
    signer, key = _read_certificate(authority), _read_key(authority_key)
    if signer is None or key is None or signer.public_key() != key.public_key():
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local Container Apps authority")])
        made = (
            _certificate(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        signer = made.sign(key, hashes.SHA256())
        write_private(authority_key, _pem(key))
        write_private(authority, signer.public_bytes(_PEM).decode())
    leaf = _read_certificate(certificate)
    if leaf is None or not _is_for(leaf, domains) or not _is_signed_by(leaf, signer):
        own = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local Container Apps environment")])
        names = [x509.DNSName(f"*.{domain}") for domain in domains]
        unsigned = (
            _certificate(subject, signer.subject, own.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        )
        write_private(certificate, unsigned.sign(key, hashes.SHA256()).public_bytes(_PEM).decode() + _pem(own))
    return authority, certificate


def _read_certificate(path: Path) -> x509.Certificate | None:
    """None for a file that is missing or damaged, and for a certificate that expires within a month."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if found.not_valid_after_utc - datetime.now(UTC) > RENEWED_BEFORE else None


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return None
    return found if isinstance(found, ec.EllipticCurvePrivateKey) else None


def _is_for(leaf: x509.Certificate, domains: Sequence[str]) -> bool:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName) == [f"*.{domain}" for domain in domains]


def _is_signed_by(leaf: x509.Certificate, signer: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(signer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(_PEM, kind, serialization.NoEncryption()).decode()


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
    )
