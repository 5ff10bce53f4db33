"""Container Apps: what the provider refuses and replaces, what Azure refuses, what an app is told of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulators.azurerm.cloud import Cloud
from emulators.azurerm.container_apps import APP, ENVIRONMENT, REVISIONS
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.lifecycle import apply, destroy
from emulators.azurerm.planning import plan, plan_or_refuse
from emulators.azurerm.tests.conftest import Applied

IN = {"resource_group_name": "rg", "location": "westeurope"}
PROFILE = [{"name": "Consumption", "workload_profile_type": "Consumption"}]
WEIGHTS = [{"latest_revision": True, "percentage": 100}]
INGRESS = {"external_enabled": True, "target_port": 8000, "traffic_weight": WEIGHTS}
CONTAINER = {"name": "server", "image": "acr.azurecr.io/notes:1", "cpu": 0.5, "memory": "1Gi"}
SECRET = "https://kv.vault.azure.net/secrets/key"

Subnet = Callable[..., dict[str, Any]]


@pytest.fixture
def subnet(applied: Applied) -> Subnet:
    """A subnet of the network, delegated to Container Apps unless something else is said."""
    applied("azurerm_resource_group", name="rg", location="westeurope")
    applied("azurerm_virtual_network", name="vnet", **IN, address_space=["10.0.0.0/16"])

    def make(name: str = "apps", prefix: str = "10.0.1.0/27", service: str = "Microsoft.App/environments") -> Any:
        delegation = [{"name": "d", "service_delegation": [{"name": service, "actions": None}]}] if service else []
        where = {"resource_group_name": "rg", "virtual_network_name": "vnet"}
        return applied("azurerm_subnet", name=name, **where, address_prefixes=[prefix], delegation=delegation)

    return make


@pytest.fixture
def environment(applied: Applied, subnet: Subnet) -> dict[str, Any]:
    where = {"infrastructure_subnet_id": subnet()["id"], "internal_load_balancer_enabled": True}
    return applied(ENVIRONMENT, name="cae", **IN, **where, workload_profile=PROFILE)


def app(environment: dict[str, Any], **given: Any) -> dict[str, Any]:
    template = {"container": [CONTAINER], "min_replicas": 1, "max_replicas": 4, **given.pop("template", {})}
    values = {
        "name": "notes-reader",
        "resource_group_name": "rg",
        "container_app_environment_id": environment["id"],
        "revision_mode": "Multiple",
        "ingress": [INGRESS],
        "template": [template],
    }
    return {**values, **given}


@pytest.mark.parametrize(
    ("type_", "given", "says"),
    [
        (ENVIRONMENT, {"logs_destination": "log-analytics"}, "`log_analytics_workspace_id` must be set when"),
        (
            ENVIRONMENT,
            {"logs_destination": "azure-monitor", "log_analytics_workspace_id": "/w"},
            "`log_analytics_workspace_id` can only be set when",
        ),
        (
            APP,
            {"ingress": [{**INGRESS, "traffic_weight": [{"percentage": 100}]}]},
            "either `ingress.0.traffic_weight.0.revision_suffix` or",
        ),
        (APP, {"secret": [{"name": "key", "key_vault_secret_id": SECRET}]}, "secret key must supply identity for"),
        (APP, {"secret": [{"name": "key", "identity": "System", "value": "v"}]}, "secret key must supply key vault"),
    ],
)
def test_the_provider_refuses_at_plan(type_: str, given: dict[str, Any], says: str) -> None:
    """container_app_resource.go and container_app_environment_resource.go, CustomizeDiff."""
    base = {"name": "cae", **IN} if type_ == ENVIRONMENT else app({"id": "/e"})
    with pytest.raises(ProviderError, match=says):
        plan_or_refuse(type_, None, {**base, **given})


def test_replaced_where_the_provider_s_code_says_so(environment: dict[str, Any]) -> None:
    """Without its profiles an environment is of another kind; more of them are a change."""
    assert plan(ENVIRONMENT, environment, {**environment, "workload_profile": []}).replace == (("workload_profile",),)
    more = [*environment["workload_profile"], {**environment["workload_profile"][0], "name": "d4"}]
    assert plan(ENVIRONMENT, environment, {**environment, "workload_profile": more}).replace == ()


def test_an_environment_has_a_domain_and_an_address(environment: dict[str, Any], cloud: Cloud) -> None:
    """The address is of its subnet, and free again when the environment is gone."""
    assert environment["default_domain"].endswith(".westeurope.azurecontainerapps.io")
    assert environment["static_ip_address"] == "10.0.1.4"
    assert environment["public_network_access"] == "Disabled"
    destroy(cloud, ENVIRONMENT, environment)
    assert not cloud.store.of_type("twin_private_address")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"service": "Microsoft.ContainerInstance/containerGroups"}, "must be delegated to the service"),
        ({"service": ""}, "must be delegated to the service"),
        ({"prefix": "10.0.1.0/28"}, "must have a range of /27 or larger"),
    ],
)
def test_an_environment_has_a_subnet_of_its_own(
    applied: Applied, subnet: Subnet, given: dict[str, str], says: str
) -> None:
    """ "Virtual network configuration", workload profiles environment."""
    with pytest.raises(ProviderError, match=says):
        applied(ENVIRONMENT, name="cae", **IN, infrastructure_subnet_id=subnet(**given)["id"], workload_profile=PROFILE)


def test_two_environments_do_not_share_a_subnet(applied: Applied, environment: dict[str, Any]) -> None:
    where = {"infrastructure_subnet_id": environment["infrastructure_subnet_id"], "workload_profile": PROFILE}
    with pytest.raises(ProviderError, match="ManagedEnvironmentSubnetInUse"):
        applied(ENVIRONMENT, name="other", **IN, **where)


def test_an_app_has_a_name_in_its_environment(applied: Applied, environment: dict[str, Any]) -> None:
    """In an internal environment "external" means the network; else only other apps know the name."""
    domain = environment["default_domain"]
    made = applied(APP, **app(environment))
    assert made["ingress"][0]["fqdn"] == f"notes-reader.{domain}"
    assert made["latest_revision_fqdn"] == f"{made['latest_revision_name']}.{domain}"
    assert made["location"] == "westeurope"
    assert made["template"][0]["container"][0]["ephemeral_storage"] == "2Gi"
    inside = applied(APP, **app(environment, name="inside", ingress=[{**INGRESS, "external_enabled": False}]))
    assert inside["ingress"][0]["fqdn"] == f"inside.internal.{domain}"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"template": {"container": [{**CONTAINER, "memory": "2Gi"}]}}, "ContainerAppInvalidResourceTotal"),
        ({"template": {"container": [{**CONTAINER, "cpu": 0.3, "memory": "0.6Gi"}]}}, "InvalidResourceTotal"),
        ({"template": {"min_replicas": 5}}, "`min_replicas` must not be greater"),
        ({"workload_profile_name": "d4"}, "has no workload profile 'd4'"),
        ({"template": {"container": [{**CONTAINER, "env": [{"name": "K", "secret_name": "k"}]}]}}, "SecretRef 'k'"),
        ({"registry": [{"server": "acr.azurecr.io", "identity": "/identity"}]}, "is not in its `identity` block"),
    ],
)
def test_azure_refuses_an_app(applied: Applied, environment: dict[str, Any], given: dict[str, Any], says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        applied(APP, **app(environment, **given))


def test_a_template_makes_a_revision(cloud: Cloud, applied: Applied, environment: dict[str, Any]) -> None:
    """Another image is another revision, traffic is none, and a suffix is used once."""
    first = applied(APP, **app(environment, template={"revision_suffix": "one"}))
    assert first["latest_revision_name"] == "notes-reader--one"

    def changed(prior: dict[str, Any], image: str, suffix: str | None) -> dict[str, Any]:
        template = {**prior["template"][0], "container": [{**CONTAINER, "image": image}], "revision_suffix": suffix}
        wanted = app(environment, template=template)
        return apply(cloud, APP, prior, plan(APP, prior, {**prior, **wanted}).planned or {}, wanted)

    second = changed(first, "acr.azurecr.io/notes:2", "two")
    assert second["latest_revision_name"] == "notes-reader--two"
    with pytest.raises(ProviderError, match="notes-reader--one exists"):
        changed(second, "acr.azurecr.io/notes:1", "one")
    assert [revision["name"] for revision in cloud.store.of_type(REVISIONS)] == [
        "notes-reader--one",
        "notes-reader--two",
    ]
    destroy(cloud, APP, second)
    assert cloud.store.of_type(REVISIONS) == []


def test_azure_names_a_revision_that_has_no_suffix(applied: Applied, environment: dict[str, Any]) -> None:
    made = applied(APP, **app(environment))
    suffix = made["latest_revision_name"].removeprefix("notes-reader--")
    assert len(suffix) == 7
    assert made["template"][0]["revision_suffix"] == ""


def test_traffic_goes_to_revisions_that_exist(applied: Applied, environment: dict[str, Any]) -> None:
    """ "Traffic splitting in Azure Container Apps"."""

    def weights(*pairs: tuple[str | None, int]) -> dict[str, Any]:
        given = [{"revision_suffix": s, "latest_revision": s is None, "percentage": p} for s, p in pairs]
        return app(environment, ingress=[{**INGRESS, "traffic_weight": given}], template={"revision_suffix": "one"})

    applied(APP, **weights(("one", 100)))
    with pytest.raises(ProviderError, match="add up to 90 and must be 100"):
        applied(APP, **{**weights(("one", 90)), "name": "other"})
    with pytest.raises(ProviderError, match="has no revision other--older"):
        applied(APP, **{**weights(("older", 60), (None, 40)), "name": "other"})


def test_a_secret_is_read_by_an_identity_that_may(applied: Applied, environment: dict[str, Any]) -> None:
    """On the secret itself: a role on another secret of the vault does not help."""
    identity = applied("azurerm_user_assigned_identity", name="id", **IN)
    vault = applied("azurerm_key_vault", name="kv", **IN, sku_name="standard", tenant_id=identity["tenant_id"])
    reference = f"{vault['vault_uri']}secrets/key"
    secret = {"name": "key", "key_vault_secret_id": reference, "identity": identity["id"]}
    wanted = app(environment, secret=[secret], identity=[{"type": "UserAssigned", "identity_ids": [identity["id"]]}])
    with pytest.raises(ProviderError, match="is not in its `identity` block"):
        applied(APP, **app(environment, secret=[secret]))
    with pytest.raises(ProviderError, match="the secret was not found in this key vault"):
        applied(APP, **wanted)
    applied("azurerm_key_vault_secret", name="key", value="v", key_vault_id=vault["id"])
    role = {"role_definition_name": "Key Vault Secrets User", "principal_id": identity["principal_id"]}
    applied("azurerm_role_assignment", scope=f"{vault['id']}/secrets/key-two", **role)
    with pytest.raises(ProviderError, match="the identity 'id' has no role that reads it"):
        applied(APP, **wanted)
    applied("azurerm_role_assignment", scope=f"{vault['id']}/secrets/key", **role)
    assert applied(APP, **wanted)["secret"][0]["name"] == "key"
