"""Container Apps: what azurerm 5.2.0 checks and replaces in code, and what Azure refuses of environments and apps.

The provider's are container_app_environment_resource.go and container_app_resource.go. An app's revisions are kept in
the store beside it, as Azure keeps them: a change of `template` makes one, and traffic goes to those that exist.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from emulators.azurerm.addresses import holders
from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.values import Path, is_unknown
from emulators.base.rules import Rule

ENVIRONMENT, APP = "azurerm_container_app_environment", "azurerm_container_app"
DELEGATION = "Microsoft.App/environments"
REVISIONS = "twin_container_app_revision"
"""A type of the stand-in's own: {"id": `<app id>|<revision>`, "app", "name", "number", "template"}."""
SMALLEST_SUBNET = 27  # for workload profiles; an environment without them wants a /23
WITHOUT_PROFILES = 23
EPHEMERAL = ((0.25, "1Gi"), (0.5, "2Gi"), (1.0, "4Gi"))
READS_SECRETS = ("Key Vault Secrets User", "Key Vault Secrets Officer", "Key Vault Administrator")


def environment_planned(_: Values | None, values: Values) -> Iterator[str]:
    """What an environment's CustomizeDiff refuses."""
    destination, workspace = values.get("logs_destination"), values.get("log_analytics_workspace_id")
    if is_unknown(destination) or is_unknown(workspace):
        return
    if destination == "log-analytics" and not workspace:
        yield "`log_analytics_workspace_id` must be set when `logs_destination` is set to `log-analytics`"
    if destination != "log-analytics" and workspace:
        yield (
            "`log_analytics_workspace_id` can only be set when `logs_destination` is set to `log-analytics` or omitted"
        )


def _known(blocks: Any) -> list[Values]:
    """The blocks, those that are not known yet left out."""
    return [] if is_unknown(blocks) else [block for block in blocks or [] if not is_unknown(block)]


def app_planned(_: Values | None, values: Values) -> Iterator[str]:
    """What an app's CustomizeDiff refuses."""
    for ingress in _known(values.get("ingress")):
        for index, weight in enumerate(_known(ingress.get("traffic_weight"))):
            if not weight.get("latest_revision") and not weight.get("revision_suffix"):
                place = f"ingress.0.traffic_weight.{index}"
                yield f"either `{place}.revision_suffix` or `{place}.latest_revision` should be specified"
    for secret in _known(values.get("secret")):
        reference, identity = secret.get("key_vault_secret_id"), secret.get("identity")
        if reference and not identity:
            yield f"secret {secret.get('name')} must supply identity for key vault secret id"
        if identity and not reference:
            yield f"secret {secret.get('name')} must supply key vault secret id when specifying identity"


ENVIRONMENT_CONDITIONAL: tuple[tuple[Path, Callable[[Any, Any], bool]], ...] = (
    (("workload_profile",), lambda before, after: bool(before) != bool(after)),
)
"""With profiles or without is another environment."""


def environment_made(cloud: Cloud, values: Values) -> None:
    """What Azure refuses of an environment's subnet."""
    subnet_id = values.get("infrastructure_subnet_id")
    held = cloud.get("azurerm_subnet", subnet_id) if isinstance(subnet_id, str) else {}
    if not held:
        return
    profiles = bool(values.get("workload_profile"))
    delegated = [service["name"] for d in held.get("delegation") or [] for service in d.get("service_delegation") or []]
    if profiles and delegated != [DELEGATION]:
        raise ProviderError(
            f"ManagedEnvironmentSubnetDelegationError: subnet {subnet_id!r} must be delegated to the service "
            f"{DELEGATION!r} to hold environment {values['name']!r}"
        )
    smallest = SMALLEST_SUBNET if profiles else WITHOUT_PROFILES
    ranges = [ip_network(prefix, strict=False) for prefix in held.get("address_prefixes") or []]
    if ranges and min(found.prefixlen for found in ranges) > smallest:
        raise ProviderError(
            f"ManagedEnvironmentInvalidNetworkConfiguration: subnet {subnet_id!r} must have a range of /{smallest} or "
            f"larger"
        )
    others = [
        other["id"]
        for other in cloud.every(ENVIRONMENT, infrastructure_subnet_id=subnet_id)
        if other["name"] != values["name"]
    ]
    own = f"/managedEnvironments/{values['name']}"
    taken = [*others, *(holder for holder in holders(cloud, str(subnet_id)) if not holder.endswith(own))]
    if taken:
        raise ProviderError(
            f"ManagedEnvironmentSubnetInUse: subnet {subnet_id!r} holds {', '.join(sorted(set(taken)))}, and an "
            "environment wants one for itself"
        )


def app_made(cloud: Cloud, values: Values) -> None:
    """What Azure refuses of an app, when it is made and when it is changed."""
    environment = cloud.get(ENVIRONMENT, str(values.get("container_app_environment_id")))
    profiles = {profile["name"] for profile in environment.get("workload_profile") or []}
    profile = values.get("workload_profile_name")
    if environment and isinstance(profile, str) and profile and profile not in profiles:
        raise ProviderError(
            f"WorkloadProfileNameNotFound: environment {environment['name']!r} has no workload profile {profile!r}"
        )
    template = values["template"][0]
    _resources(template)
    if (template.get("min_replicas") or 0) > (template.get("max_replicas") or 0):
        raise ProviderError(
            "ContainerAppInvalidScale: `min_replicas` must not be greater than `max_replicas` in app "
            f"{values['name']!r}"
        )
    _secrets(cloud, values, template)
    _traffic(cloud, values)


def _resources(template: Values) -> None:
    """ "Containers in Azure Container Apps", vCPU and memory allocation requirements of the Consumption profile."""
    containers = [*(template.get("container") or []), *(template.get("init_container") or [])]
    cpu = sum(float(container.get("cpu") or 0) for container in template.get("container") or [])
    memory = sum(_gib(container.get("memory")) for container in template.get("container") or [])
    if any(_gib(container.get("memory")) < 0 for container in containers) or (
        not 0.25 <= cpu <= 4 or cpu * 4 != int(cpu * 4) or memory != cpu * 2
    ):
        raise ProviderError(
            f"ContainerAppInvalidResourceTotal: the total requested CPU and memory resources for this application "
            f"(CPU: {cpu:g}, memory: {memory:g}Gi) is invalid; they must add up to one of [cpu: 0.25, memory: 0.5Gi], "
            "[cpu: 0.5, memory: 1.0Gi], … [cpu: 4.0, memory: 8.0Gi]"
        )


def _gib(memory: object) -> float:
    text = str(memory or "")
    try:
        return float(text.removesuffix("Gi")) if text.endswith("Gi") else -1.0
    except ValueError:
        return -1.0


def _secrets(cloud: Cloud, values: Values, template: Values) -> None:
    """An environment variable names a secret of the app; who reads one in the vault is attached, and may."""
    known = {secret["name"] for secret in values.get("secret") or []}
    for container in template.get("container") or []:
        for variable in container.get("env") or []:
            name = variable.get("secret_name")
            if name and name not in known:
                raise ProviderError(
                    f"ContainerAppSecretRefNotFound: SecretRef {name!r} defined for container "
                    f"{container['name']!r} not found"
                )
    attached = {str(id_).lower() for block in values.get("identity") or [] for id_ in block.get("identity_ids") or []}
    registries = [str(registry.get("identity") or "") for registry in values.get("registry") or []]
    readers = [str(secret.get("identity") or "") for secret in values.get("secret") or []]
    for identity in (*registries, *readers):
        if identity.startswith("/") and identity.lower() not in attached:
            raise ProviderError(
                f"ContainerAppIdentityNotAssigned: identity {identity!r} is used by app {values['name']!r} and is "
                "not in its `identity` block"
            )
    for secret in values.get("secret") or []:
        _readable(cloud, str(secret.get("key_vault_secret_id") or ""), str(secret.get("identity") or ""))


def _readable(cloud: Cloud, reference: str, identity: str) -> None:
    """Azure fetches the value when the app is made, and refuses one that is not there or not for this identity."""
    host, _, path = reference.removeprefix("https://").partition("/")
    vault = next((v for v in cloud.every("azurerm_key_vault") if v["vault_uri"].strip("/") == f"https://{host}"), None)
    owner = cloud.get("azurerm_user_assigned_identity", identity)
    if not reference or vault is None or not owner:
        return  # somebody else's vault or identity is not judged
    name = path.split("/")[1]
    problem = ""
    if not any(
        s["name"].lower() == name.lower() for s in cloud.every("azurerm_key_vault_secret", key_vault_id=vault["id"])
    ):
        problem = "the secret was not found in this key vault"
    scope = f"{vault['id']}/secrets/{name}/".lower()
    held = (
        role["role_definition_name"] in READS_SECRETS and scope.startswith(f"{role['scope'].rstrip('/')}/".lower())
        for role in cloud.every("azurerm_role_assignment", principal_id=owner["principal_id"])
    )
    if not problem and not any(held):
        problem = f"the identity {owner['name']!r} has no role that reads it"
    if problem:
        raise ProviderError(
            f"ContainerAppSecretKeyVaultUrlInvalid: unable to get value using Managed identity for secret "
            f"{reference}: {problem}"
        )


def _traffic(cloud: Cloud, values: Values) -> None:
    """ "Traffic splitting in Azure Container Apps" (2023-03-28): 100 together, to revisions that there are."""
    made = f"/containerApps/{values['name']}"
    there = {
        revision["name"].rpartition("--")[2] for revision in cloud.every(REVISIONS) if revision["app"].endswith(made)
    }
    own = values["template"][0].get("revision_suffix")
    there |= {own} if isinstance(own, str) and own else set()
    for ingress in values.get("ingress") or []:
        weights = ingress.get("traffic_weight") or []
        total = sum(int(weight["percentage"]) for weight in weights)
        if total != 100:
            raise ProviderError(
                f"ContainerAppInvalidTrafficWeight: traffic weights of app {values['name']!r} add up to {total} and "
                "must be 100"
            )
        for weight in weights:
            suffix = weight.get("revision_suffix")
            if isinstance(suffix, str) and suffix and not weight.get("latest_revision") and suffix not in there:
                raise ProviderError(
                    f"RevisionNotFound: app {values['name']!r} has no revision {values['name']}--{suffix} to give "
                    "traffic to"
                )


def app_updated(cloud: Cloud, prior: Values, planned: Values) -> None:
    """A revision's suffix is used once ("Revisions in Azure Container Apps": a revision is immutable)."""
    before, after = (json.dumps(v["template"], sort_keys=True, default=str) for v in (prior, planned))
    suffix = planned["template"][0].get("revision_suffix")
    if before == after or not isinstance(suffix, str) or not suffix:
        return
    if cloud.store.get(REVISIONS, f"{prior['id']}|{planned['name']}--{suffix}") is not None:
        raise ProviderError(
            f"ContainerAppRevisionAlreadyExists: revision {planned['name']}--{suffix} exists, and a revision does not "
            "change; give the template another `revision_suffix`, or none"
        )


def revision_of(cloud: Cloud, values: Values) -> str:
    """The name of the revision that these values make: theirs, or one that Azure chooses."""
    own = values["template"][0].get("revision_suffix")
    if isinstance(own, str) and own:
        return f"{values['name']}--{own}"
    number = 1 + sum(1 for revision in cloud.every(REVISIONS) if revision["app"] == values["id"])
    digest = hashlib.sha256(f"{values['id']} {number}".encode()).hexdigest()
    return f"{values['name']}--{digest[:7]}"


def keep_revision(cloud: Cloud, before: Values | None, after: Values | None) -> None:
    """Writes a revision down when an app has a new one, and forgets them all with the app."""
    if after is None:
        for revision in cloud.every(REVISIONS) if before else ():
            if before and revision["app"] == before["id"]:
                cloud.store.remove(REVISIONS, revision["id"])
        return
    name = str(after["latest_revision_name"])
    key = f"{after['id']}|{name}"
    if cloud.store.get(REVISIONS, key) is None:
        number = 1 + sum(1 for revision in cloud.every(REVISIONS) if revision["app"] == after["id"])
        cloud.store.put(
            REVISIONS,
            {"id": key, "app": after["id"], "name": name, "number": number, "template": after["template"]},
        )


def ephemeral_storage(container: Mapping[str, Any]) -> str:
    """ "Use storage mounts in Azure Container Apps": by the cores that a replica has."""
    cpu = float(container.get("cpu") or 0)
    return next((size for most, size in EPHEMERAL if cpu <= most), "8Gi")


SOURCE = "azurerm 5.2.0 `container_app_resource.go`"
TEST = "emulators/azurerm/tests/test_container_apps.py"
RULES: tuple[Rule, ...] = (
    Rule(
        "apps-are-checked-in-code",
        "Each weight of an app names a revision or is the latest one's; a secret has a reference and an identity or "
        "neither; an environment's workspace and log destination belong together.",
        f"{SOURCE}, `container_app_environment_resource.go`, CustomizeDiff",
        "provider source",
        "emulators/azurerm at plan",
        f"{TEST}::test_the_provider_refuses_at_plan",
        off=("emulators.azurerm.container_apps.environment_planned", "emulators.azurerm.container_apps.app_planned"),
    ),
    Rule(
        "environments-have-profiles-for-good",
        "An environment that gets or loses its workload profiles is replaced.",
        "azurerm 5.2.0 `container_app_environment_resource.go`, CustomizeDiff",
        "provider source",
        "emulators/azurerm at plan; the module always has one",
        f"{TEST}::test_replaced_where_the_provider_s_code_says_so",
        off=("emulators.azurerm.replacements.conditional",),
    ),
    Rule(
        "environments-have-a-subnet-of-their-own",
        "An environment with workload profiles has a subnet of /27 or larger for itself alone, delegated to "
        "`Microsoft.App/environments`.",
        "“Virtual network configuration” (Container Apps), 2025-05-01",
        "documented",
        "validations of `container_apps`; emulators/azurerm at apply",
        f"{TEST}::test_an_environment_has_a_subnet_of_its_own",
        off=("emulators.azurerm.container_apps.environment_made",),
    ),
    Rule(
        "replicas-have-two-gib-a-core",
        "An app of the Consumption profile has 0.25 to 4 cores in steps of 0.25, and twice as many GiB.",
        "“Containers in Azure Container Apps”, vCPU and memory allocation requirements, read 2026-11",
        "documented",
        "validations of `mcp_servers` and modules/container-app; emulators/azurerm at apply",
        f"{TEST}::test_azure_refuses_an_app",
        off=("emulators.azurerm.container_apps.app_made",),
    ),
    Rule(
        "weights-are-a-hundred",
        "The weights of an app's revisions are 100 together, and each is of a revision that exists.",
        "“Traffic splitting in Azure Container Apps”, 2023-03-28",
        "documented",
        "modules/container-app; emulators/azurerm at apply",
        f"{TEST}::test_traffic_goes_to_revisions_that_exist",
        off=("emulators.azurerm.container_apps._traffic",),
    ),
    Rule(
        "references-are-read-when-the-app-is-made",
        "An app whose identity may not read a Key Vault secret that it refers to, or is not attached, is refused.",
        "“Manage secrets in Azure Container Apps”, read 2026-11; references are there since 2023-08-16 (Azure updates)",
        "documented",
        "stage2/container-apps.tf gives the role on each secret alone; emulators/azurerm at apply",
        f"{TEST}::test_a_secret_is_read_by_an_identity_that_may",
        off=("emulators.azurerm.container_apps._secrets",),
    ),
    Rule(
        "revisions-do-not-change",
        "A change of an app's template makes a revision; a suffix is used once.",
        "“Revisions in Azure Container Apps”, 2021-11-02 and since",
        "documented",
        "modules/container-app leaves the suffix to Azure; emulators/azurerm at update",
        f"{TEST}::test_a_template_makes_a_revision",
        off=("emulators.azurerm.container_apps.app_updated",),
    ),
)
