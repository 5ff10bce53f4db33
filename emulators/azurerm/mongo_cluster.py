"""Azure DocumentDB clusters: what azurerm 5.2.0 checks and replaces in code (mongo_cluster_resource.go).

And what Azure refuses when it makes or changes one: "Service limits and quotas" (DocumentDB, 2025-11-05).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.values import Path, is_unknown
from emulators.base.rules import Edit, Rule

TYPE = "azurerm_mongo_cluster"
WITHOUT_MORE = ("Free", "M25")  # where the provider refuses high availability and shards
BURSTABLE = ("M10", "M20", "M25")
BURSTABLE_GB = (32, 64, 128)
NEEDED = ("compute_tier", "storage_size_in_gb", "high_availability_mode", "shard_count", "version")
HIGH = "ZoneRedundantPreferred"


def planned(_: Values | None, values: Values) -> Iterator[str]:
    """What CustomizeDiff refuses, in its order."""
    mode = values.get("create_mode")
    if mode == "Default":
        methods = values.get("authentication_methods")
        native = not is_unknown(methods) and (not methods or "NativeAuth" in methods)
        if native and not values.get("administrator_username"):
            yield (
                "`administrator_username` is required when `authentication_methods` contains `NativeAuth` or is not "
                "configured"
            )
        for name in NEEDED:
            if not values.get(name):
                yield f"`{name}` is required when `create_mode` is `Default`"
    if mode == "GeoReplica" and not values.get("source_location"):
        yield "`source_location` is required when `create_mode` is `GeoReplica`"
    if mode == "PointInTimeRestore" and not values.get("restore"):
        yield "`restore` is required when `create_mode` is `PointInTimeRestore`"
    if values.get("compute_tier") in WITHOUT_MORE:
        if values.get("high_availability_mode") == HIGH:
            yield "high Availability is not available with the `Free` or `M25` Compute Tier"
        shards = values.get("shard_count")
        if isinstance(shards, int) and shards > 1:
            yield "the value of `shard_count` cannot exceed 1 for the `Free` or `M25` Compute Tier"
    features = values.get("preview_features")
    if isinstance(features, list) and len(features) > len(set(map(str, features))):
        twice = next(feature for feature in features if features.count(feature) > 1)
        yield f"`preview_features` contains the duplicate value {twice!r}"


def _added_or_removed(before: Any, after: Any) -> bool:
    return bool(before) != bool(after)


CONDITIONAL: tuple[tuple[Path, Callable[[Any, Any], bool]], ...] = (
    (("create_mode",), lambda before, _: bool(before)),
    (("data_api_mode_enabled",), lambda before, after: bool(before) and not after),
    (("identity",), _added_or_removed),
)
"""Changes that make a new cluster, as the provider's code decides it."""


def made(_: Cloud, values: Values) -> None:
    """What Azure refuses of a cluster's size and sign-in."""
    tier = str(values.get("compute_tier"))
    if tier == "Free" and "MicrosoftEntraID" in (values.get("authentication_methods") or []):
        raise ProviderError("BadRequest: Microsoft Entra ID is not supported by clusters of the free tier")
    if tier in BURSTABLE and values.get("high_availability_mode") == HIGH:
        raise ProviderError(f"BadRequest: high availability is not supported by burstable tiers, and {tier} is one")
    size = values.get("storage_size_in_gb")
    if tier in BURSTABLE and isinstance(size, int) and size not in BURSTABLE_GB:
        raise ProviderError(
            f"BadRequest: storage of {size} GiB is not supported by tier {tier}; it takes 32, 64 or 128"
        )


def updated(cloud: Cloud, prior: Values, planned_: Values) -> None:
    """What Azure refuses of a change; the new values must fit together as well."""
    made(cloud, planned_)
    before, after = str(prior.get("compute_tier")), str(planned_.get("compute_tier"))
    if before not in (*BURSTABLE, "Free") and after in BURSTABLE:
        raise ProviderError(f"BadRequest: a cluster of tier {before} cannot be scaled down to {after}")
    old, new = prior.get("storage_size_in_gb"), planned_.get("storage_size_in_gb")
    if isinstance(old, int) and isinstance(new, int) and new < old:
        raise ProviderError(f"BadRequest: storage cannot shrink from {old} to {new} GiB")


def registers(cloud: Cloud, values: Values) -> None:
    """Who is registered signs in with a token, which a cluster without Entra ID takes from nobody."""
    cluster = cloud.get(TYPE, str(values.get("mongo_cluster_id")))
    if cluster and "MicrosoftEntraID" not in (cluster.get("authentication_methods") or []):
        raise ProviderError(f"BadRequest: Microsoft Entra ID is not enabled on cluster {cluster['name']!r}")


SOURCE = "azurerm 5.2.0 `mongo_cluster_resource.go`"
TEST = "emulators/azurerm/tests/test_mongo_cluster.py"
RULES: tuple[Rule, ...] = (
    Rule(
        "clusters-are-checked-in-code",
        "A DocumentDB cluster needs tier, disk, availability, shards and version; Free and M25 have neither high "
        "availability nor shards; native authentication needs an administrator.",
        f"{SOURCE}, CustomizeDiff",
        "provider source",
        "emulators/azurerm at plan; validations of modules/documentdb",
        f"{TEST}::test_the_provider_refuses_at_plan",
        off=("emulators.azurerm.mongo_cluster.planned",),
    ),
    Rule(
        "cluster-identities-are-chosen-once",
        "A cluster that gets or loses its identity, its create mode or its data API is replaced.",
        f"{SOURCE}, CustomizeDiff",
        "provider source",
        "emulators/azurerm at plan; `data_protection.prevent_destroy`",
        f"{TEST}::test_replaced_where_the_provider_s_code_says_so",
        off=("emulators.azurerm.replacements.conditional",),
    ),
    Rule(
        "small-clusters-are-small",
        "The free tier knows no Entra ID; M10, M20 and M25 have 32, 64 or 128 GB and no high availability.",
        "“Service limits and quotas” (DocumentDB), 2025-11-05",
        "documented",
        "validations of modules/documentdb; emulators/azurerm at apply",
        f"{TEST}::test_azure_refuses_a_size",
        off=("emulators.azurerm.mongo_cluster.made",),
    ),
    Rule(
        "clusters-do-not-shrink",
        "From M30 on no cluster goes below M30 again, and no disk shrinks.",
        "“Service limits and quotas” (DocumentDB), 2025-11-05; that disks do not shrink is taken to be so",
        "documented",
        "emulators/azurerm at update",
        f"{TEST}::test_azure_refuses_to_go_back",
        off=("emulators.azurerm.mongo_cluster.updated",),
    ),
    Rule(
        "administrators-need-entra-id",
        "Azure registers identities on a cluster that takes tokens, and as `root` only.",
        "azurerm 5.2.0 `mongo_cluster_user_resource.go`; “Connect using role-based access control and Microsoft Entra "
        "ID”, 2026-02-04",
        "provider source",
        "emulators/azurerm at validate and apply; `python -m mongo_db_server.users` makes everybody else",
        f"{TEST}::test_who_is_registered_needs_a_cluster_that_takes_tokens",
        off=("emulators.azurerm.mongo_cluster.registers",),
    ),
    Rule(
        "clusters-are-made-without-passwords",
        "A cluster is created with Microsoft Entra ID as its only authentication method.",
        "the page of 2026-02-04 says that native authentication is on at creation; Microsoft's quickstart template for "
        "users makes one without, and azurerm allows it",
        "open",
        "modules/documentdb",
        f"{TEST}::test_connection_strings",
        live="keyless",
        edits=(
            Edit(
                "emulators/azurerm/derive/documentdb.py",
                'methods = given if isinstance(given, list) and given else ["NativeAuth"]',
                'methods = ["NativeAuth"]',
            ),
        ),
    ),
    Rule(
        "clusters-answer-on-10260",
        "A cluster's SRV record names port 10260.",
        "azure-docs#114043, 2023-08-29; “Use Azure Private Link with Azure DocumentDB”, 2025-05-28, says 27017",
        "open",
        "stage1/network.tf opens both from the containers to the endpoints",
        "tests/plan/test_stages.py::test_the_plan_is_what_its_inventory_says[1-documentdb]",
        live="database-users",
        edits=(
            Edit(
                "terraform/stage1/network.tf",
                '["10260", "27017"]',
                '["27017"]',
            ),
        ),
    ),
)
