"""Data sources: what was applied, in this root module or in another one that shares the store.

A data source answers with the stored object of the resource type of the same name whose attributes equal the arguments
that are set. Where the answer does not come from an applied object there is an entry in READERS, and where a name
differs between the two, in RENAMED.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emulators.azurerm.catalog import Values, catalog_of
from emulators.azurerm.cloud import Cloud, guid
from emulators.azurerm.derive.roles import PATH as ROLE_PATH
from emulators.azurerm.directory import MICROSOFT_S, application, well_known_principal
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.lifecycle import WRITE_ONLY
from emulators.azurerm.values import block_type, shaped
from emulators.base.well_known import APPLICATIONS, PEOPLE, ROLES

Reader = Callable[[Cloud, Values], Values | None]

OPTIONS = {"include_transitive_members", "timeouts", "prevent_duplicate_names", "include_unverified", "ignore_missing"}


def read_data(cloud: Cloud, type_: str, config: Values) -> Values:
    """The data source's object; raises ProviderError where nothing fits its arguments."""
    block = catalog_of(type_).data_source(type_)["block"]
    wanted = {n: v for n, v in config.items() if v not in (None, []) and n not in OPTIONS}
    found = READERS[type_](cloud, wanted) if type_ in READERS else _stored(cloud, type_, wanted)
    if found is None:
        raise ProviderError(_not_found(type_, wanted))
    answer: Values = shaped(block_type(block), _renamed(type_, block, {**found, **wanted, "id": found["id"]}))
    answer["id"] = str(found["id"])
    return {**answer, "timeouts": config.get("timeouts")} if "timeouts" in config else answer


def _not_found(type_: str, wanted: Values) -> str:
    said = ", ".join(f"{name} = {value!r}" for name, value in sorted(wanted.items())) or "no argument"
    noun = type_.partition("_")[2].replace("_", " ")
    return f"{noun} ({said}) was not found: {type_} answers with what was applied or seeded in this stand-in cloud"


def _stored(cloud: Cloud, type_: str, wanted: Values) -> Values | None:
    try:
        catalog_of(type_).resource(type_)
    except ProviderError:
        raise ProviderError(
            f"data source {type_} is not supported by the stand-in provider: no resource of that name can be applied"
        ) from None
    matches = [o for o in cloud.store.of_type(type_) if all(_same(o.get(n), v) for n, v in wanted.items() if n in o)]
    return matches[0] if matches else None


def _same(stored: Any, wanted: Any) -> bool:
    if isinstance(stored, str) and isinstance(wanted, str):
        return stored.lower() == wanted.lower()  # Resource Manager's names are case-insensitive
    return bool(stored == wanted)


def _renamed(type_: str, block: Mapping[str, Any], found: Values) -> Values:
    """The stored object under the data source's names, with a fitting "nothing" for what it does not have."""
    out = dict(found)
    for name in RENAMED.get(type_, {}):
        out[name] = RENAMED[type_][name](found)
    for name, attribute in block["attributes"].items():
        if out.get(name) is None and attribute.get("computed"):
            out[name] = _null(attribute["type"])
    return out


def _null(type_: Any) -> Any:
    if isinstance(type_, str):
        return {"string": "", "number": 0, "bool": False}[type_]
    return {} if type_[0] == "map" else []


def _api_management(cloud: Cloud, wanted: Values) -> Values | None:
    """A domain of its own is a resource in Terraform and a host name of the service in Azure."""
    found = _stored(cloud, "azurerm_api_management", wanted)
    if found is None:
        return None
    own = cloud.find("azurerm_api_management_custom_domain", api_management_id=found["id"]) or {}
    built_in = {"host_name": f"{found['name']}.azure-api.net", "key_vault_certificate_id": ""}
    proxy = [{**built_in, "default_ssl_binding": not own}, *(own.get("gateway") or [])]
    others = {name: own.get(name) or [] for name in ("developer_portal", "management", "portal", "scm")}
    return {**found, "hostname_configuration": [{**others, "proxy": proxy}]}


def _secret(cloud: Cloud, wanted: Values) -> Values | None:
    found = _stored(cloud, "azurerm_key_vault_secret", wanted)
    if found is None:
        return None
    return {**found, "value": found.get("value") or found.get(WRITE_ONLY, {}).get("value_wo")}


def _secret_names(cloud: Cloud, wanted: Values) -> Values:
    """Names without values; one that was seeded is of no vault yet, so that it is in each."""
    vault = wanted["key_vault_id"]
    held = [one for one in cloud.every("azurerm_key_vault_secret") if _same(one.get("key_vault_id", vault), vault)]
    listed = [{"id": str(one["id"]), "name": one["name"], "enabled": True, "tags": {}} for one in held]
    return {"id": vault, "names": [one["name"] for one in listed], "secrets": listed}


def _client_config(cloud: Cloud, _: Values) -> Values:
    who = f"clientId={cloud.client_id};objectId={cloud.object_id}"
    return {
        "id": f"{who};subscriptionId={cloud.subscription_id};tenantId={cloud.tenant_id}",
        "client_id": cloud.client_id,
        "object_id": cloud.object_id,
        "subscription_id": cloud.subscription_id,
        "tenant_id": cloud.tenant_id,
    }


def _directory_config(cloud: Cloud, _: Values) -> Values:
    return {**_client_config(cloud, {}), "id": f"{cloud.tenant_id}-{cloud.client_id}-{cloud.object_id}"}


def _subscription(cloud: Cloud, wanted: Values) -> Values:
    number = wanted.get("subscription_id") or cloud.subscription_id
    return {
        "id": f"/subscriptions/{number}",
        "subscription_id": number,
        "tenant_id": cloud.tenant_id,
        "display_name": "Twin",
        "state": "Enabled",
        "location_placement_id": "Public_2014-09-01",
        "quota_id": "PayAsYouGo_2014-09-01",
        "spending_limit": "Off",
    }


def _location(cloud: Cloud, wanted: Values) -> Values:
    name = wanted["location"].replace(" ", "").lower()
    zones = [{"logical_zone": str(n), "physical_zone": f"{name}-az{n}"} for n in (1, 2, 3)]
    return {
        "id": f"/subscriptions/{cloud.subscription_id}/locations/{name}",
        "display_name": wanted["location"],
        "zone_mappings": zones,
    }


def _role_definition(cloud: Cloud, wanted: Values) -> Values | None:
    by_number = {number: name for name, number in ROLES.items()}
    name = wanted.get("name") or by_number.get(wanted.get("role_definition_id", ""))
    scope = wanted.get("scope", "").rstrip("/")
    if name in ROLES:
        number = ROLES[name]
        return {
            "id": f"{scope}{ROLE_PATH}{number}",
            "name": name,
            "role_definition_id": number,
            "type": "BuiltInRole",
            "assignable_scopes": ["/"],
        }
    return _stored(cloud, "azurerm_role_definition", wanted)


def _published_apps(_: Cloud, __: Values) -> Values:
    return {"id": "appIds", "result": APPLICATIONS}


def _service_principal(cloud: Cloud, wanted: Values) -> Values | None:
    found = _stored(cloud, "azuread_service_principal", wanted)
    if found is None:
        known = [p for client_id in MICROSOFT_S if (p := well_known_principal(client_id))]
        return next((p for p in known if all(_same(p.get(n), v) for n, v in wanted.items())), None)
    return {**found, **_declared(application(cloud, found["client_id"]) or {})}


def _application(cloud: Cloud, wanted: Values) -> Values | None:
    uri = wanted.pop("identifier_uri", None)
    for found in cloud.every("azuread_application", **wanted):
        if uri is None or uri in (found.get("identifier_uris") or []):
            return {**found, **_declared(found)}
    return None


def _declared(app: Values) -> Values:
    """An application's roles and scopes under the plural names that data sources use."""
    api = [{**a, "oauth2_permission_scopes": a.get("oauth2_permission_scope")} for a in app.get("api") or []]
    scopes = [scope for a in api for scope in a["oauth2_permission_scopes"] or []]
    return {"app_roles": app.get("app_role") or [], "api": api, "oauth2_permission_scopes": scopes}


def _used_by(cloud: Cloud) -> Iterator[Values]:
    for object_id, (name, display_name) in PEOPLE.items():
        yield {
            "id": f"/users/{object_id}",
            "object_id": object_id,
            "user_principal_name": name,
            "mail": name,
            "mail_nickname": name.partition("@")[0],
            "display_name": display_name,
            "account_enabled": True,
            "user_type": "Member",
        }
    yield from cloud.every("azuread_user")


def _user(cloud: Cloud, wanted: Values) -> Values | None:
    return next((u for u in _used_by(cloud) if all(_same(u.get(n), v) for n, v in wanted.items())), None)


def _user_list(cloud: Cloud, wanted: Values) -> Values:
    by = {"user_principal_names": "user_principal_name", "object_ids": "object_id", "mail_nicknames": "mail_nickname"}
    found = [u for u in _used_by(cloud) if all(u[by[n]] in v for n, v in wanted.items() if n in by)]
    lists = {plural: [u[singular] for u in found] for plural, singular in by.items()}
    return {"id": "users#" + guid(*lists["object_ids"]), "users": found, **lists}


def _domains(_: Cloud, __: Values) -> Values:
    domain = {"domain_name": "twin.example", "default": True, "initial": True, "root": True, "verified": True}
    kind = {"admin_managed": True, "authentication_type": "Managed", "supported_services": []}
    return {"id": "domains", "domains": [{**domain, **kind}]}


def _resources(cloud: Cloud, wanted: Values) -> Values:
    """resources_data_source.go: the objects that lie in a group themselves; none is no error."""
    tags = wanted.get("required_tags") or {}
    found = [
        {"type": type_, **{name: held.get(name) for name in ("id", "name", "resource_group_name", "location", "tags")}}
        for held, type_ in _top_level(cloud)
        if all(_same(held.get(n), wanted[n]) for n in ("name", "resource_group_name") if n in wanted)
        and ("type" not in wanted or _same(type_, wanted["type"]))
        and tags.items() <= (held.get("tags") or {}).items()
    ]
    return {"id": "resource-" + guid(*(str(value) for value in wanted.values())), "resources": found}


def _top_level(cloud: Cloud) -> Iterator[tuple[Values, str]]:
    """Each such object with its Resource Manager type: `…/providers/<namespace>/<type>/<name>`, and nothing more."""
    for kind in cloud.store.types():
        for held in cloud.store.of_type(kind) if kind.startswith("azurerm_") else ():
            _, _, path = str(held["id"]).partition("/providers/")
            if len(parts := path.split("/")) == 3:
                yield held, "/".join(parts[:2])


READERS: dict[str, Reader] = {
    "azurerm_client_config": _client_config,
    "azuread_client_config": _directory_config,
    "azurerm_subscription": _subscription,
    "azurerm_location": _location,
    "azurerm_resources": _resources,
    "azurerm_role_definition": _role_definition,
    "azurerm_api_management": _api_management,
    "azurerm_key_vault_secret": _secret,
    "azurerm_key_vault_secrets": _secret_names,
    "azuread_application": _application,
    "azuread_application_published_app_ids": _published_apps,
    "azuread_service_principal": _service_principal,
    "azuread_user": _user,
    "azuread_users": _user_list,
    "azuread_domains": _domains,
}

RENAMED: dict[str, dict[str, Callable[[Values], Any]]] = {
    "azurerm_subnet": {"address_prefix": lambda values: (values.get("address_prefixes") or [""])[0]},
    "azurerm_virtual_network": {"subnets": lambda values: [s["name"] for s in values.get("subnet") or []]},
    "azuread_application": {"identifier_uri": lambda values: (values.get("identifier_uris") or [""])[0]},
}
