"""Key Vault: the vault's address, and the ids of its secrets, keys and certificates, which are URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, digest_of, guid
from emulators.azurerm.derive import Derivation, IdRule, derives, identifies

COLLECTIONS = {
    "azurerm_key_vault_secret": "secrets",
    "azurerm_key_vault_key": "keys",
    "azurerm_key_vault_certificate": "certificates",
}
VERSIONED = ("id", "version", "resource_id")


@derives("azurerm_key_vault")
def vault(_: Cloud, it: Values) -> Mapping[str, Any]:
    return {"vault_uri": vault_uri(it["name"]), "access_policy": []}


def vault_uri(name: str) -> str:
    return f"https://{name.lower()}.vault.azure.net/"


def _uri_of(it: Values) -> str:
    return vault_uri(it["key_vault_id"].rsplit("/", 1)[-1])


def _version(cloud: Cloud, it: Values) -> str:
    """32 hex digits that change with the content; the store's salt keeps a short secret from being guessed by them."""
    content = [it.get(name) for name in ("value", "value_wo_version", "key_type", "key_size", "certificate_policy")]
    return guid("version", cloud.store.salt.decode(), it["name"], digest_of({"content": content})).replace("-", "")


def _id_rule(collection: str) -> IdRule:
    return lambda cloud, it, _: f"{_uri_of(it)}{collection}/{it['name']}/{_version(cloud, it)}"


for _type, _collection in COLLECTIONS.items():
    identifies(_type)(_id_rule(_collection))


def _versions(collection: str) -> Derivation:
    def derive(cloud: Cloud, it: Values) -> Mapping[str, Any]:
        version, path = _version(cloud, it), f"{it['key_vault_id']}/{collection}/{it['name']}"
        return {
            "version": version,
            "versionless_id": f"{_uri_of(it)}{collection}/{it['name']}",
            "resource_id": f"{path}/versions/{version}",
            "resource_versionless_id": path,
            "secret_id": f"{_uri_of(it)}secrets/{it['name']}/{version}",
            "versionless_secret_id": f"{_uri_of(it)}secrets/{it['name']}",
        }

    return derive


_CONTENT = ("value", "value_wo_version")
derives("azurerm_key_vault_secret", changes=dict.fromkeys(VERSIONED, _CONTENT))(_versions("secrets"))
derives("azurerm_key_vault_key")(_versions("keys"))
derives("azurerm_key_vault_certificate")(_versions("certificates"))


@identifies("azurerm_key_vault_access_policy")
def access_policy_id(_: Cloud, it: Values, __: int) -> str:
    application = f"/applicationId/{it['application_id']}" if it.get("application_id") else ""
    return f"{it['key_vault_id']}/objectId/{it['object_id']}{application}"
