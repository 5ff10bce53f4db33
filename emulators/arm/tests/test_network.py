"""Network rules: a listed address, another one, and the inside of the network."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from emulators.arm import blobs, network, operations
from emulators.arm.call import Call, Caller
from emulators.arm.errors import AzureError
from emulators.arm.services import registry_tokens, vault_secrets
from emulators.arm.web.proxy import Proxy
from emulators.base.store import Store

from .conftest import OWNER, SUB, Azure

LISTED, OTHER, INSIDE = "203.0.113.7", "198.51.100.9", "10.20.4.5"
VAULT, REGISTRY = "kv-x", "acrx00"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
ADDRESSES = {"listed": LISTED, "other": OTHER, "inside": INSIDE}


def applied(azure: Azure, *, closed: bool, endpoint: bool) -> Store:
    """A vault and a registry as Terraform makes them: closed, or with one address listed."""
    store = azure.cloud.applied = Store()
    group = f"{azure.group()}/providers"
    ids = {"vaults": f"{group}/Microsoft.KeyVault/vaults/{VAULT}",
           "registries": f"{group}/Microsoft.ContainerRegistry/registries/{REGISTRY}"}  # fmt: skip
    common: dict[str, Any] = {"location": "uksouth", "public_network_access_enabled": not closed}
    acls = [{"default_action": "Deny", "ip_rules": [LISTED]}]
    rules = [{"default_action": "Deny", "ip_rule": [{"ip_range": f"{LISTED}/32"}]}]
    store.put("azurerm_key_vault", {"id": ids["vaults"], "name": VAULT, "network_acls": acls, **common})
    store.put(
        "azurerm_container_registry", {"id": ids["registries"], "name": REGISTRY, "network_rule_set": rules, **common}
    )
    for name, target in ids.items() if endpoint else ():
        connection = [{"private_connection_resource_id": target}]
        store.put("azurerm_private_endpoint", {"id": f"/{name}", "private_service_connection": connection})
    azure.assign(SECRETS_OFFICER, OWNER, ids["vaults"])
    return store


def asked(azure: Azure, address: str) -> tuple[str, str]:
    """What the vault and the registry refuse with; nothing where they answer."""
    caller = Caller(OWNER, "owner", "", False, "")
    vault = Call("GET", f"{VAULT}.vault.azure.net", "/secrets", caller=caller, address=address)
    registry = Call("GET", f"{REGISTRY}.azurecr.io", "/v2", address=address)
    found = []
    for handler, call in ((vault_secrets.list_all, vault), (registry_tokens.ping, registry)):
        try:
            handler(azure.cloud, call)
            found.append("")
        except AzureError as error:
            found.append(error.headers.get("x-inner-error", error.code))
    return found[0], found[1]


@pytest.mark.parametrize(
    ("closed", "endpoint", "expected"),
    [
        (False, False, {"listed": ("", ""), "other": ("ForbiddenByFirewall", "DENIED"),
                        "inside": ("ForbiddenByFirewall", "DENIED")}),
        (True, True, {"listed": ("ForbiddenByConnection", "DENIED"), "other": ("ForbiddenByConnection", "DENIED"),
                      "inside": ("", "")}),
        (True, False, dict.fromkeys(ADDRESSES, ("ForbiddenByConnection", "DENIED"))),
    ],
    ids=["one address listed", "private endpoint", "closed to all"],
)  # fmt: skip
def test_who_is_let_in(azure: Azure, closed: bool, endpoint: bool, expected: dict[str, tuple[str, str]]) -> None:
    """Agents of Microsoft and GitHub come from changing addresses, and are no trusted service."""
    applied(azure, closed=closed, endpoint=endpoint)
    assert {name: asked(azure, address) for name, address in ADDRESSES.items()} == expected


def test_terraforms_secrets_meet_the_same_rules(azure: Azure) -> None:
    store = applied(azure, closed=False, endpoint=False)
    values = {"key_vault_id": store.of_type("azurerm_key_vault")[0]["id"]}
    operations.authorize(azure.cloud, OWNER, "create", "azurerm_key_vault_secret", values, LISTED)
    with pytest.raises(AzureError, match=f"Client address: {OTHER}"):
        operations.authorize(azure.cloud, OWNER, "create", "azurerm_key_vault_secret", values, OTHER)


def test_a_storage_account_has_rules_too(azure: Azure) -> None:
    path = f"{azure.group()}/providers/Microsoft.Storage/storageAccounts/stx"
    acls = {"defaultAction": "Deny", "ipRules": [{"value": LISTED}]}
    body = {"location": "uksouth", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    azure.call("PUT", path, {**body, "properties": {"networkAcls": acls}})
    blobs.check_network(azure.cloud, "stx.blob.core.windows.net", LISTED)
    with pytest.raises(AzureError, match="AuthorizationFailure"):
        blobs.check_network(azure.cloud, "stx.blob.core.windows.net", OTHER)


def test_a_vault_without_rules_answers_everybody(azure: Azure) -> None:
    path = f"{azure.group()}/providers/Microsoft.KeyVault/vaults/{VAULT}"
    azure.call("PUT", path, {"location": "uksouth", "properties": {"enableRbacAuthorization": True}})
    azure.assign(SECRETS_OFFICER, OWNER, path)
    found = azure.cloud.named("Microsoft.KeyVault/vaults", VAULT)
    assert found is not None
    assert network.lets_in(azure.cloud, found, OTHER)
    assert found["id"].startswith(SUB)


def test_the_address_is_the_proxys_user_name() -> None:
    """Everybody here is on one machine: whoever wants to be elsewhere says where."""
    seen: list[str] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)  # by then the tunnel stands
        seen.append(addresses.get(writer.get_extra_info("peername")[1], ""))
        writer.close()

    addresses: dict[int, str] = {}

    async def run() -> None:
        inner = await asyncio.start_server(served, "127.0.0.1", 0)
        port = inner.sockets[0].getsockname()[1]
        proxy = Proxy(port, lambda _: True, lambda _: True, seen.append, addresses)
        outer = await proxy.serve("127.0.0.1", 0)
        for credentials in (f"{LISTED}:x", "", "nonsense:x"):
            header = (
                f"Proxy-Authorization: Basic {base64.b64encode(credentials.encode()).decode()}\r\n"
                if credentials
                else ""
            )
            reader, writer = await asyncio.open_connection("127.0.0.1", outer.sockets[0].getsockname()[1])
            writer.write(f"CONNECT kv.vault.azure.net:443 HTTP/1.1\r\n{header}\r\nx".encode())
            await reader.read(-1)
            writer.close()
        inner.close()
        outer.close()

    asyncio.run(run())
    assert seen == [LISTED, ""]
    assert addresses == {}
