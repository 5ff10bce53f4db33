"""Key Vault: the vault's address, and the ids of its secrets, keys and certificates, which are URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud, digest_of, guid
from emulators.azurerm.derive.registry import Derivation, IdRule, derives, identifies

COLLECTIONS = {
    "azurerm_key_vault_secret": "secrets",
    "azurerm_key_vault_key": "keys",
    "azurerm_key_vault_certificate": "certificates",
}
VERSIONED = ("id", "version", "resource_id")


@derives("azurerm_key_vault")
def vault(_: Cloud, values: Values) -> Mapping[str, Any]:
    return {"vault_uri": vault_uri(values["name"]), "access_policy": []}


def vault_uri(name: str) -> str:
    return f"https://{name.lower()}.vault.azure.net/"


def _uri_of(values: Values) -> str:
    return vault_uri(values["key_vault_id"].rsplit("/", 1)[-1])


def _version(cloud: Cloud, values: Values) -> str:
    """32 hex digits that change with the content; the store's salt keeps a short secret from being guessed by them."""
    content = [values.get(name) for name in ("value", "value_wo_version", "key_type", "key_size", "certificate_policy")]
    return guid("version", cloud.store.salt.decode(), values["name"], digest_of({"content": content})).replace("-", "")


def _id_rule(collection: str) -> IdRule:
    return lambda cloud, values, _: f"{_uri_of(values)}{collection}/{values['name']}/{_version(cloud, values)}"


for _type, _collection in COLLECTIONS.items():
    identifies(_type)(_id_rule(_collection))


def _versions(collection: str) -> Derivation:
    def derive(cloud: Cloud, values: Values) -> Mapping[str, Any]:
        version, path = _version(cloud, values), f"{values['key_vault_id']}/{collection}/{values['name']}"
        return {
            "version": version,
            "versionless_id": f"{_uri_of(values)}{collection}/{values['name']}",
            "resource_id": f"{path}/versions/{version}",
            "resource_versionless_id": path,
            "secret_id": f"{_uri_of(values)}secrets/{values['name']}/{version}",
            "versionless_secret_id": f"{_uri_of(values)}secrets/{values['name']}",
        }

    return derive


_CONTENT = ("value", "value_wo_version")
derives("azurerm_key_vault_secret", changes=dict.fromkeys(VERSIONED, _CONTENT))(_versions("secrets"))
derives("azurerm_key_vault_key")(_versions("keys"))
derives("azurerm_key_vault_certificate")(_versions("certificates"))


@identifies("azurerm_key_vault_access_policy")
def access_policy_id(_: Cloud, values: Values, __: int) -> str:
    application = f"/applicationId/{values['application_id']}" if values.get("application_id") else ""
    return f"{values['key_vault_id']}/objectId/{values['object_id']}{application}"
