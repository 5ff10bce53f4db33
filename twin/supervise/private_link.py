"""Whether a container can reach its Cosmos DB account: MongoDB switched on, a private endpoint, and a name for it."""

from __future__ import annotations

from collections.abc import Iterator

from emulators.base.state import Resource, State
from twin.errors import RuntimeFailure
from twin.supervise import arm, private_dns

_ZONE_PREFIX = "privatelink.mongo.cosmos."  # azure.com, azure.cn, azure.us: "Private endpoint DNS zone values"
_SUBRESOURCE = "MongoDB"


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
    if account.get("public_network_access_enabled", True):
        return
    endpoints = list(_endpoints(state, account))
    if not endpoints:
        raise RuntimeFailure(
            f"account {account['name']} is closed to public networks and has no"
            f" azurerm_private_endpoint for {_SUBRESOURCE}"
        )
    if not name_servers and not any(
        _has_name(state, endpoint, arm.network_of(subnet_id) or "") for endpoint in endpoints
    ):
        raise RuntimeFailure(
            f"the private endpoint of account {account['name']} has no name in the containers' network:"
            f" its private_dns_zone_group needs a zone {_ZONE_PREFIX}… that is linked there"
        )


def _endpoints(state: State, account: Resource) -> Iterator[Resource]:
    for endpoint in state.of_type("azurerm_private_endpoint"):
        connection = endpoint.block("private_service_connection")
        target = connection.get("private_connection_resource_id")
        if arm.same_id(target, account["id"]) and _SUBRESOURCE in (connection.get("subresource_names") or ()):
            yield endpoint


def _has_name(state: State, endpoint: Resource, network_id: str) -> bool:
    zones = endpoint.block("private_dns_zone_group").get("private_dns_zone_ids") or ()
    if not zones:  # a landing zone's policy registers the name, unless the zone is our own
        return not any(zone["name"].startswith(_ZONE_PREFIX) for zone in state.of_type("azurerm_private_dns_zone"))
    return any(
        arm.name_of(zone).lower().startswith(_ZONE_PREFIX) and private_dns.answers_in(state, zone, network_id)
        for zone in zones
    )
