"""Azure DocumentDB clusters: the connection strings that Azure lists for one.

"Connect using role-based access control and Microsoft Entra ID" (2026-02-04) has the form of one without a password.
azurerm puts the administrator's name and password in, where the state has them (`mongo_cluster_resource.go`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from emulators.azurerm.catalog import Values
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.derive.registry import derives, identifies

_SIGN_IN = ("administrator_username", "administrator_password", "authentication_methods")


@derives("azurerm_mongo_cluster", changes={"connection_strings": _SIGN_IN})
def cluster(_: Cloud, values: Values) -> Mapping[str, Any]:
    given = values.get("authentication_methods")
    methods = given if isinstance(given, list) and given else ["NativeAuth"]
    hosts = {"GlobalReadWrite": f"{values['name']}.global", "Self": values["name"]}
    return {
        "authentication_methods": ["NativeAuth"],
        "connection_strings": [
            {"name": name, "value": _string(values, f"{host}.mongocluster.cosmos.azure.com", methods)}
            for name, host in hosts.items()
        ],
    }


def _string(values: Values, host: str, methods: list[str]) -> str:
    if "NativeAuth" in methods:
        name, password = values.get("administrator_username"), values.get("administrator_password")
        who = f"{quote(name, safe='')}:{quote(password, safe='')}" if name and password else "<user>:<password>"
        mechanism = "SCRAM-SHA-256"
    else:
        who, mechanism = "<client id>", "MONGODB-OIDC"
    return f"mongodb+srv://{who}@{host}/?tls=true&authMechanism={mechanism}&retrywrites=false&maxIdleTimeMS=120000"


@identifies("azurerm_mongo_cluster_user")
def user(_: Cloud, values: Values, __: int) -> str:
    """mongo_cluster_user_resource.go: the object id is the resource's name."""
    return f"{values['mongo_cluster_id']}/users/{values['object_id']}"
