"""Azure DocumentDB: what the provider refuses and replaces, what Azure refuses, what a cluster is told of itself."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.lifecycle import apply
from emulators.azurerm.planning import plan, plan_or_refuse
from emulators.azurerm.tests.conftest import Applied

TYPE = "azurerm_mongo_cluster"
IN = {"resource_group_name": "rg", "location": "westeurope"}
CLUSTER: dict[str, Any] = {
    "name": "docdb",
    **IN,
    "authentication_methods": ["MicrosoftEntraID"],
    "compute_tier": "M30",
    "storage_size_in_gb": 128,
    "high_availability_mode": "Disabled",
    "shard_count": 1,
    "version": "8.0",
}
IDENTITY = [{"type": "UserAssigned", "identity_ids": ["/subscriptions/sub/resourceGroups/hub/providers/a/b/c"]}]
OBJECT_ID = "11111111-aaaa-4aaa-8aaa-000000000001"


@pytest.fixture(autouse=True)
def group(applied: Applied) -> None:
    applied("azurerm_resource_group", name="rg", location="westeurope")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"compute_tier": None}, "`compute_tier` is required when `create_mode` is `Default`"),
        ({"storage_size_in_gb": None}, "`storage_size_in_gb` is required"),
        ({"high_availability_mode": None}, "`high_availability_mode` is required"),
        ({"shard_count": None}, "`shard_count` is required"),
        ({"version": None}, "`version` is required"),
        ({"authentication_methods": None}, "`administrator_username` is required"),
        ({"authentication_methods": ["NativeAuth", "MicrosoftEntraID"]}, "`administrator_username` is required"),
        ({"create_mode": "GeoReplica"}, "`source_location` is required"),
        ({"create_mode": "PointInTimeRestore"}, "`restore` is required"),
        ({"compute_tier": "M25", "high_availability_mode": "ZoneRedundantPreferred"}, "high Availability is not"),
        ({"compute_tier": "M25", "shard_count": 2}, "`shard_count` cannot exceed 1"),
        ({"preview_features": ["GeoReplicas", "GeoReplicas"]}, "contains the duplicate value 'GeoReplicas'"),
    ],
)
def test_the_provider_refuses_at_plan(given: dict[str, Any], says: str) -> None:
    """mongo_cluster_resource.go, CustomizeDiff."""
    with pytest.raises(ProviderError, match=says):
        plan_or_refuse(TYPE, None, {**CLUSTER, "create_mode": "Default", **given})


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        ({}, {"identity": IDENTITY}, ("identity",)),
        ({"identity": IDENTITY}, {"identity": []}, ("identity",)),
        ({"data_api_mode_enabled": True}, {"data_api_mode_enabled": False}, ("data_api_mode_enabled",)),
        ({}, {"data_api_mode_enabled": True}, None),
        ({}, {"create_mode": "GeoReplica", "source_location": "northeurope"}, ("create_mode",)),
        ({}, {"shard_count": 2}, ("shard_count",)),
        ({}, {"compute_tier": "M40", "high_availability_mode": "ZoneRedundantPreferred"}, None),
        ({}, {"authentication_methods": ["MicrosoftEntraID", "NativeAuth"]}, None),
    ],
)
def test_replaced_where_the_provider_s_code_says_so(
    applied: Applied, before: dict[str, Any], after: dict[str, Any], replaced: tuple[str, ...] | None
) -> None:
    prior = applied(TYPE, **CLUSTER, **before)
    found = plan(TYPE, prior, {**prior, **after}).replace
    assert (replaced in found if replaced else found == ()) is True


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"compute_tier": "Free", "storage_size_in_gb": 32}, "Entra ID is not supported by clusters of the free tier"),
        ({"compute_tier": "M10", "high_availability_mode": "ZoneRedundantPreferred"}, "not supported by burstable"),
        ({"compute_tier": "M20", "storage_size_in_gb": 256}, "storage of 256 GiB is not supported by tier M20"),
    ],
)
def test_azure_refuses_a_size(applied: Applied, given: dict[str, Any], says: str) -> None:
    """ "Service limits and quotas", tier limits and limits of the free tier."""
    with pytest.raises(ProviderError, match=says):
        applied(TYPE, **{**CLUSTER, **given})


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ({"compute_tier": "M20"}, "a cluster of tier M30 cannot be scaled down to M20"),
        ({"storage_size_in_gb": 64}, "storage cannot shrink from 128 to 64 GiB"),
    ],
)
def test_azure_refuses_to_go_back(cloud: Cloud, applied: Applied, after: dict[str, Any], says: str) -> None:
    prior = applied(TYPE, **CLUSTER)
    wanted = {**prior, **after}
    with pytest.raises(ProviderError, match=says):
        apply(cloud, TYPE, prior, plan(TYPE, prior, wanted).planned or {}, wanted)


@pytest.mark.parametrize(
    ("sign_in", "wanted"),
    [
        (
            {},
            "mongodb+srv://<client id>@docdb.global.mongocluster.cosmos.azure.com/?tls=true&authMechanism=MONGODB-OIDC",
        ),
        (
            {"authentication_methods": None, "administrator_username": "root", "administrator_password": "p/w"},
            "mongodb+srv://root:p%2Fw@docdb.global.mongocluster.cosmos.azure.com/?tls=true&authMechanism=SCRAM-SHA-256",
        ),
    ],
)
def test_connection_strings(applied: Applied, sign_in: dict[str, Any], wanted: str) -> None:
    """Without native authentication nothing in them is secret; with it, azurerm puts the password in."""
    made = applied(TYPE, **{**CLUSTER, **sign_in})
    (everywhere, here) = made["connection_strings"]
    assert everywhere["value"] == f"{wanted}&retrywrites=false&maxIdleTimeMS=120000"
    assert here["value"] == everywhere["value"].replace(".global", "")


def test_who_is_registered_needs_a_cluster_that_takes_tokens(applied: Applied) -> None:
    """Azure registers administrators where Entra ID is on; the object id is the user's name."""
    native = {"authentication_methods": ["NativeAuth"], "administrator_username": "root", "administrator_password": "p"}
    role = [{"database": "admin", "name": "root"}]
    user = {"object_id": OBJECT_ID, "identity_provider_type": "MicrosoftEntraID", "principal_type": "servicePrincipal"}
    cluster = applied(TYPE, **CLUSTER)
    made = applied("azurerm_mongo_cluster_user", mongo_cluster_id=cluster["id"], **user, role=role)
    assert made["id"] == f"{cluster['id']}/users/{OBJECT_ID}"
    other = applied(TYPE, **{**CLUSTER, "name": "native", **native})
    with pytest.raises(ProviderError, match="Microsoft Entra ID is not enabled on cluster 'native'"):
        applied("azurerm_mongo_cluster_user", mongo_cluster_id=other["id"], **user, role=role)
