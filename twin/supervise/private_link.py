"""Whether a container can reach its database: MongoDB switched on, a private endpoint, and a name for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emulators.base.state import Resource, State
from twin.errors import RuntimeFailure
from twin.supervise import arm, private_dns


@dataclass(frozen=True)
class _Kind:
    """A kind of database: its sub-resource, and how its zone begins ("Private endpoint DNS zone values")."""

    noun: str
    subresource: str
    zone_prefix: str  # azure.com, azure.cn, azure.us follow


_ACCOUNT = _Kind("account", "MongoDB", "privatelink.mongo.cosmos.")
_CLUSTER = _Kind("cluster", "MongoCluster", "privatelink.mongocluster.cosmos.")


def require_database(state: State, account: Resource, subnet_id: str, *, name_servers: tuple[str, ...] = ()) -> None:
    """RuntimeFailure says why a client in that subnet gets no connection. Public access is taken as open to it.

    `name_servers` are those that the client asks instead of Azure's: what a hub's servers know is not in the state, so
    they are taken to know the endpoint's name.
    """
    capabilities = {capability["name"] for capability in account.get("capabilities", ())}
    if "EnableMongo" not in capabilities:
        raise RuntimeFailure(
            f"account {account['name']} lacks the capability EnableMongo and answers no MongoDB client"
        )
    if not account.get("public_network_access_enabled", True):
        _require_endpoint(state, account, _ACCOUNT, subnet_id, name_servers)


def require_cluster(state: State, cluster: Resource, subnet_id: str, *, name_servers: tuple[str, ...] = ()) -> None:
    """As `require_database`, for a DocumentDB cluster."""
    if cluster.get("public_network_access", "Enabled") == "Disabled":
        _require_endpoint(state, cluster, _CLUSTER, subnet_id, name_servers)


def _require_endpoint(
    state: State, database: Resource, kind: _Kind, subnet_id: str, name_servers: tuple[str, ...]
) -> None:
    endpoints = list(_endpoints(state, database, kind))
    if not endpoints:
        raise RuntimeFailure(
            f"{kind.noun} {database['name']} is closed to public networks and has no"
            f" azurerm_private_endpoint for {kind.subresource}"
        )
    network = arm.network_of(subnet_id) or ""
    if not name_servers and not any(_has_name(state, endpoint, kind, network) for endpoint in endpoints):
        raise RuntimeFailure(
            f"the private endpoint of {kind.noun} {database['name']} has no name in the containers' network:"
            f" its private_dns_zone_group needs a zone {kind.zone_prefix}… that is linked there"
        )


def _endpoints(state: State, database: Resource, kind: _Kind) -> Iterator[Resource]:
    for endpoint in state.of_type("azurerm_private_endpoint"):
        connection = endpoint.block("private_service_connection")
        target = connection.get("private_connection_resource_id")
        if arm.same_id(target, database["id"]) and kind.subresource in (connection.get("subresource_names") or ()):
            yield endpoint


def _has_name(state: State, endpoint: Resource, kind: _Kind, network_id: str) -> bool:
    zones = endpoint.block("private_dns_zone_group").get("private_dns_zone_ids") or ()
    if not zones:  # a landing zone's policy registers the name, unless the zone is our own
        return not any(zone["name"].startswith(kind.zone_prefix) for zone in state.of_type("azurerm_private_dns_zone"))
    return any(
        arm.name_of(zone).lower().startswith(kind.zone_prefix) and private_dns.answers_in(state, zone, network_id)
        for zone in zones
    )
