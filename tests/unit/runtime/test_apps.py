"""Container Apps of an applied state: what their revisions run, what is kept of earlier ones, and what is refused."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from cryptography import x509

from emulators.base.files import read_object
from emulators.base.state import State
from emulators.base.store import Store
from tests.unit.runtime.platform_state import DIGEST, GROUP, NETWORK, build, fill_image_store, identity_id, rule
from twin.apps.config import App, Scale
from twin.apps.replicas import Deployed, Running
from twin.errors import RuntimeFailure
from twin.supervise import apps
from twin.supervise.apps import Environment, plan_apps
from twin.supervise.containers import PlanContext
from twin.supervise.plan import make_plan
from twin.supervise.settings import RuntimeConfig

Resources = dict[str, dict[str, Any]]
Edit = Callable[[Resources], None]
APP, PLACE = "azurerm_container_app.reader", "azurerm_container_app_environment.this"
DOMAIN = "calmsea-1.uksouth.azurecontainerapps.io"
HOST = f"mongodb-reader.{DOMAIN}"
IMAGE = f"acrmcp.azurecr.io/mongodb-mcp@{DIGEST}"
GONE = f"acrmcp.azurecr.io/mongodb-mcp@sha256:{'cd' * 32}"
SECRET = "https://kv-mcp.vault.azure.net/secrets/partner"


def container(image: str = IMAGE) -> dict[str, Any]:
    """As terraform/modules/container-app writes it."""
    probe = {"transport": "HTTP", "port": 8000, "timeout": 5, "failure_count_threshold": 3}
    return {
        "name": "server",
        "image": image,
        "memory": "1Gi",
        "env": [
            {"name": "MCP_TIER", "value": "reader", "secret_name": ""},
            {"name": "KEY", "value": "", "secret_name": "partner"},
        ],
        "liveness_probe": [{**probe, "path": "/healthz", "interval_seconds": 10}],
        "readiness_probe": [{**probe, "path": "/readyz", "interval_seconds": 5}],
    }


def template(image: str = IMAGE) -> dict[str, Any]:
    return {
        "min_replicas": 1,
        "max_replicas": 4,
        "termination_grace_period_seconds": 60,
        "http_scale_rule": [{"name": "calls", "concurrent_requests": "20"}],
        "container": [container(image)],
    }


def app_of(revision: str = "n1", image: str = IMAGE) -> dict[str, Any]:
    return {
        "name": "mongodb-reader",
        "container_app_environment_id": f"{GROUP}/providers/Microsoft.App/managedEnvironments/cae-mcp",
        "latest_revision_name": f"mongodb-reader--{revision}",
        "max_inactive_revisions": 2,
        "identity": [{"type": "UserAssigned", "identity_ids": [identity_id("id-reader")]}],
        "registry": [{"server": "acrmcp.azurecr.io", "identity": identity_id("id-reader")}],
        "secret": [{"name": "partner", "key_vault_secret_id": SECRET, "identity": identity_id("id-reader")}],
        "ingress": [
            {
                "external_enabled": True,
                "target_port": 8000,
                "traffic_weight": [{"latest_revision": True, "revision_suffix": "", "percentage": 100}],
            }
        ],
        "template": [template(image)],
    }


def applied(*edits: Edit) -> State:
    """The state of the other tests, with an app in an environment of its own."""

    def edit(resources: Resources) -> None:
        resources[PLACE] = {
            "id": app_of()["container_app_environment_id"],
            "name": "cae-mcp",
            "default_domain": DOMAIN,
            "static_ip_address": "10.20.3.10",
            "infrastructure_subnet_id": f"{NETWORK}/subnets/snet-apps",
        }
        resources[APP] = app_of()
        resources["azurerm_key_vault_secret.partner"]["value"] = "sesame"
        for one in edits:
            one(resources)

    return build(edit)


def runs(revision: str, image: str = IMAGE, weights: Mapping[str, int] = MappingProxyType({"": 100})) -> Edit:
    """Another newest revision; `weights` by suffix of a revision, none for the newest ready one."""

    def edit(resources: Resources) -> None:
        resources[APP] = app_of(revision, image)
        resources[APP]["ingress"][0]["traffic_weight"] = [
            {"latest_revision": not suffix, "revision_suffix": suffix, "percentage": weight}
            for suffix, weight in weights.items()
        ]

    return edit


def planned(home: Path, *edits: Edit, in_docker: bool = False) -> Environment:
    fill_image_store(home)
    context = PlanContext(home, 21000, None, lambda _: 21001, in_docker=in_docker)
    found = plan_apps(applied(*edits), context)
    assert found is not None
    return found


def only(environment: Environment) -> App:
    (found,) = environment.apps
    return found


def test_without_an_app_there_is_no_environment(tmp_path: Path) -> None:
    """Neither certificates nor a file of revisions are left for one."""
    assert plan_apps(build(), PlanContext(tmp_path, 21000, None, lambda _: 21001)) is None
    assert not (tmp_path / "run").exists()


def test_an_app_runs_its_image_with_its_own_environment(tmp_path: Path) -> None:
    """Its port is its replicas' own; ready is what the readiness probe asks, with Azure's range of good answers."""
    found = only(planned(tmp_path))
    (revision,) = found.revisions
    assert (found.name, found.host, found.weights) == ("mongodb-reader", HOST, {"": 100})
    assert (revision.name, revision.suffix) == ("mongodb-reader--n1", "n1")
    assert revision.scale == Scale(minimum=1, maximum=4, concurrent=20, cooldown=300, grace=60)
    process = revision.process
    assert (process.port, process.restart, process.version, process.address) == (0, "Always", DIGEST, "")
    assert (process.health.path, process.health.statuses) == ("/readyz", (200, 399))
    assert process.liveness is not None
    assert (process.liveness.health.path, process.liveness.failures) == ("/healthz", 3)
    assert (process.env["MCP_TIER"], process.env["KEY"]) == ("reader", "sesame")


@pytest.mark.parametrize(("waiting", "number"), [(0, 1), (20, 1), (21, 2), (1000, 4)])
def test_replicas_stay_within_the_bounds(tmp_path: Path, waiting: int, number: int) -> None:
    """One for each `concurrent_requests`, the minimum at least and the maximum at most."""
    (revision,) = only(planned(tmp_path)).revisions
    running = Running(revision, tmp_path, lambda: None)
    running.waiting = waiting
    assert running.wanted() == number


@pytest.mark.parametrize("share", [0, 5, 95, 100])
def test_calls_are_shared_by_weight(tmp_path: Path, share: int) -> None:
    """Among revisions that are ready; one without a weight gets none, however many are called."""
    planned(tmp_path)
    found = only(planned(tmp_path, runs("n2", weights={"n1": share, "": 100 - share})))
    deployed: Any = Deployed(found, tmp_path, lambda: None, "mongodb-reader--n2")
    deployed.running = {
        revision.name: SimpleNamespace(ready=[SimpleNamespace(revision=revision.name, active=0)])
        for revision in found.revisions
    }
    random.seed(18)
    taken = Counter(deployed.choose().revision for _ in range(2000))
    assert taken["mongodb-reader--n1"] == pytest.approx(20 * share, abs=60 if 0 < share < 100 else 0)


def test_a_secret_is_the_vaults_newest(tmp_path: Path) -> None:
    """The app names no version, so what was put into the vault since the last apply counts."""
    Store(tmp_path / "cloud.json").put(
        "azurerm_key_vault_secret", {"id": f"{SECRET}/2", "name": "partner", "versionless_id": SECRET, "value": "newer"}
    )
    assert only(planned(tmp_path)).revisions[0].process.env["KEY"] == "newer"


def test_earlier_revisions_are_kept(tmp_path: Path) -> None:
    """From the oldest to the newest, and beside the newest as many as the app keeps; one that comes again is one."""
    for name in ("n1", "n2", "n3", "n4", "n4"):
        found = only(planned(tmp_path, runs(name)))
    assert [revision.suffix for revision in found.revisions] == ["n2", "n3", "n4"]
    planned(tmp_path, lambda resources: resources[APP].update(name="another", latest_revision_name="another--n1"))
    assert list(read_object(tmp_path / "run" / "revisions.json")) == ["another"]


def test_an_earlier_revision_whose_image_is_gone_is_left_out(tmp_path: Path) -> None:
    """Nothing goes there, so nothing is missing."""
    planned(tmp_path, runs("n1", GONE))
    found = planned(tmp_path, runs("n2", weights={"n1": 0, "": 100}))
    assert [revision.suffix for revision in only(found).revisions] == ["n2"]
    assert (found.refused, found.cut_off) == ({}, {})


@pytest.mark.parametrize(("held", "why"), [("n1", f"sha256:{'cd' * 32}"), ("n0", "it is not kept here")])
def test_one_that_has_calls_is_missed(tmp_path: Path, held: str, why: str) -> None:
    """As after a rollback: the others serve, and the platform says that it does not do what was applied."""
    planned(tmp_path, runs("n1", GONE))
    found = planned(tmp_path, runs("n2", weights={held: 100, "": 0}))
    assert [revision.suffix for revision in only(found).revisions] == ["n2"]
    (told,) = found.cut_off.values()
    assert told.startswith(
        f"revision {held} of app mongodb-reader has 100 % of its calls and does not start, so others "
    )
    assert why in told


def no_environment(resources: Resources) -> None:
    del resources[PLACE]


def dapr(resources: Resources) -> None:
    resources[APP]["dapr"] = [{"app_id": "notes"}]


def volume(resources: Resources) -> None:
    resources[APP]["template"][0]["volume"] = [{"name": "data"}]


def sidecar(resources: Resources) -> None:
    resources[APP]["template"][0]["container"].append(container())


def tcp_probe(resources: Resources) -> None:
    resources[APP]["template"][0]["container"][0]["readiness_probe"][0]["transport"] = "TCP"


def no_secret(resources: Resources) -> None:
    resources[APP]["secret"][0]["key_vault_secret_id"] = f"{SECRET}-3"


def no_role(resources: Resources) -> None:
    del resources["azurerm_role_assignment.reader"]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (no_environment, "its environment is not in the applied state; apply stage 1"),
        (dapr, "dapr is not supported"),
        (volume, "volume is not supported"),
        (sidecar, "apps with several containers are not supported"),
        (tcp_probe, "a readiness probe with another transport than HTTP"),
        (no_secret, f"secret {SECRET}-3 of app mongodb-reader is not in the vault"),
        (no_role, "AcrPull"),
        (runs("n1", GONE), f"sha256:{'cd' * 32}"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_cannot_run_is_refused_by_name(tmp_path: Path, edit: Edit, why: str) -> None:
    found = planned(tmp_path, edit)
    assert found.apps == ()
    assert found.refused["mongodb-reader"].startswith("app mongodb-reader does not start: ")
    assert why in found.refused["mongodb-reader"]


def test_apps_run_as_processes_only(tmp_path: Path) -> None:
    assert "set RUNTIME to process" in planned(tmp_path, in_docker=True).refused["mongodb-reader"]


@pytest.mark.parametrize(
    ("host", "is_one"), [(HOST, True), (HOST.upper(), True), (f"other.{DOMAIN}", False), ("mongodb-reader", False)]
)
def test_an_app_is_found_by_its_name(host: str, is_one: bool) -> None:
    """Which knows no case."""
    assert (apps.find(applied(), host) is not None) is is_one


def no_outside(resources: Resources) -> None:
    resources[APP]["ingress"][0]["external_enabled"] = False


def denied(port: str) -> Edit:
    def edit(resources: Resources) -> None:
        subnet, group = (
            f"{NETWORK}/subnets/snet-apps",
            f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg-apps",
        )
        resources["azurerm_subnet.apps"] = {"id": subnet, "address_prefixes": ["10.20.3.0/24"]}
        resources["azurerm_network_security_group.apps"] = {
            "id": group,
            "name": "nsg-apps",
            "security_rule": [rule("closed", 100, "Deny", "10.20.1.0/24", port) | {"protocol": "Tcp"}],
        }
        resources["azurerm_subnet_network_security_group_association.apps"] = {
            "subnet_id": subnet,
            "network_security_group_id": group,
        }

    return edit


@pytest.mark.parametrize(
    ("edits", "address", "why"),
    [
        ((), "10.20.3.10", ""),
        ((denied("8080"),), "10.20.3.10", ""),
        ((no_outside,), "10.20.3.10", "admits other apps of its environment only"),
        ((), "10.20.3.11", "its name leads to 10.20.3.11, and environment cae-mcp is at 10.20.3.10"),
        ((denied("443"),), "10.20.3.10", "rule closed .* denies port 443 from the gateway's subnet"),
        ((denied("31443"),), "10.20.3.10", "rule closed .* denies port 31443 from the gateway's subnet"),
    ],
)
def test_the_gateways_way_to_an_app(edits: tuple[Edit, ...], address: str, why: str) -> None:
    """Ingress, name and network security groups, as they were applied."""
    state = applied(*edits)
    found = apps.find(state, HOST)
    assert found is not None
    subnet = f"{NETWORK}/subnets/snet-apim"
    if not why:
        apps.require_passage(state, subnet, *found, {address})
        return
    with pytest.raises(RuntimeFailure, match=why):
        apps.require_passage(state, subnet, *found, {address})


def domains(certificate: Path) -> list[str]:
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    return leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def test_certificates_are_for_every_apps_name(tmp_path: Path) -> None:
    """Made once, so that nothing is restarted without a reason; private to their owner.

    For another domain the same authority signs, which a gateway that runs trusts already.
    """
    authority, certificate = apps.make_certificates(tmp_path, [DOMAIN])
    before = authority.read_bytes(), certificate.read_bytes()
    signer, leaf = (x509.load_pem_x509_certificate(content) for content in before)
    leaf.verify_directly_issued_by(signer)
    assert domains(certificate) == [f"*.{DOMAIN}"]
    assert [path.name for path in (tmp_path / "run").iterdir() if path.stat().st_mode & 0o077] == []
    apps.make_certificates(tmp_path, [DOMAIN])
    assert (authority.read_bytes(), certificate.read_bytes()) == before
    apps.make_certificates(tmp_path, [f"other-{DOMAIN}"])
    assert authority.read_bytes() == before[0]
    assert domains(certificate) == [f"*.other-{DOMAIN}"]
    x509.load_pem_x509_certificate(certificate.read_bytes()).verify_directly_issued_by(signer)


@pytest.mark.parametrize(("days", "anew"), [(31, False), (29, True), (0, True)])
def test_a_certificate_is_renewed_before_it_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, *, anew: bool
) -> None:
    """A month before, by the next plan: also the authority's own."""
    with monkeypatch.context() as patch:
        patch.setattr(apps, "VALID", timedelta(days=days))
        authority, certificate = apps.make_certificates(tmp_path, [DOMAIN])
    before = authority.read_bytes(), certificate.read_bytes()
    apps.make_certificates(tmp_path, [DOMAIN])
    assert (authority.read_bytes() != before[0], certificate.read_bytes() != before[1]) == (anew, anew)
    signer, leaf = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (authority, certificate))
    leaf.verify_directly_issued_by(signer)


@pytest.mark.parametrize("damaged", ["apps.authority.pem", "apps.authority.key.pem", "apps.certificate.pem"])
def test_a_damaged_certificate_is_made_anew(tmp_path: Path, damaged: str) -> None:
    """As a missing one is; what is left fits together."""
    authority, certificate = apps.make_certificates(tmp_path, [DOMAIN])
    (tmp_path / "run" / damaged).write_text("cut off", encoding="utf-8")
    apps.make_certificates(tmp_path, [DOMAIN])
    signer, leaf = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (authority, certificate))
    leaf.verify_directly_issued_by(signer)


def test_another_certificate_restarts_nothing_and_another_authority_the_gateway(tmp_path: Path) -> None:
    """The ingress takes a certificate over as it runs; the gateway reads whom it trusts when it starts."""

    def planned() -> tuple[str, str, str]:
        ports = {name: 21000 + number for number, name in enumerate(("mongo", "apps", "apps-tls", "admin", "reader"))}
        plan = make_plan(applied(), RuntimeConfig(), tmp_path, lambda name: ports.setdefault(name, 21100 + len(ports)))
        ingress = plan.process("apps")
        return ingress.fingerprint, next(iter(ingress.live.values())), plan.process("gateway").fingerprint

    fill_image_store(tmp_path)
    first = planned()
    assert planned() == first
    (tmp_path / "run/apps.certificate.pem").unlink()
    renewed = planned()
    assert (renewed[0], renewed[2]) == (first[0], first[2])
    assert renewed[1] != first[1]
    (tmp_path / "run/apps.authority.pem").unlink()
    assert planned()[2] != first[2]


def test_what_cannot_reach_its_database_is_told(tmp_path: Path) -> None:
    """By the revision's name; the app runs all the same."""

    def no_way(resources: Resources) -> None:
        variables = resources[APP]["template"][0]["container"][0]["env"]
        uri = resources["azurerm_container_group.reader"]["container"][0]["secure_environment_variables"]["MONGODB_URI"]
        variables.append({"name": "MONGODB_URI", "value": uri, "secret_name": ""})
        del resources["azurerm_private_endpoint.database"]

    found = planned(tmp_path, no_way)
    assert only(found).revisions
    assert list(found.cut_off) == ["cosmos-mcp from mongodb-reader--n1"]
