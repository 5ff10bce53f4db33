"""What `invoke verify` asks of Azure itself. Locally it asks nothing: the twin would only agree with itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ops.azure import az
from ops.checks.probes import NotRun, Target, require
from ops.config.servers import COSMOS, DOCUMENTDB, USERS_JOB, has_database, slots, uses_database
from ops.errors import AzError

ZONE = "mcp.internal"


def groups(target: Target) -> str:
    shown = _groups(target)
    states = {name: (group.get("instanceView") or {}).get("state") for name, group in shown.items()}
    ill = [f"{name} is {state}" for name, state in states.items() if state != "Running"]
    require(not ill, "; ".join(ill))
    return f"{len(states)} run"


def addresses(target: Target) -> str:
    """Compare addresses, which may change when Azure restarts a group; `invoke heal` brings the records up to date."""
    _azure(target)
    zones = (target.environment.variables.get("network") or {}).get("existing_private_dns_zone_ids") or {}
    if "servers" in zones:
        raise NotRun("the DNS zone belongs to the landing zone, in a resource group of its own")
    group = target.environment.need("RESOURCE_GROUP")
    listed = az.run("network", "private-dns", "record-set", "a", "list", "--resource-group", group, "--zone-name", ZONE)
    return compare(_groups(target), listed)


def compare(shown: dict[str, Any], listed: list[Any]) -> str:
    """Compare the groups' addresses with the zone's records; SmokeError names each that differs."""
    records = {one["name"]: [entry["ipv4Address"] for entry in one.get("aRecords") or ()] for one in listed}
    wrong = []
    for name, group in shown.items():
        address = (group.get("ipAddress") or {}).get("ip")
        recorded = records.get(name.removeprefix("aci-"), [])
        if recorded != [address]:
            wrong.append(f"{name} has {address}, its record {', '.join(recorded) or 'nothing'}")
    require(not wrong, f"{'; '.join(wrong)}; run `invoke heal`")
    return f"{len(shown)} records"


def gateway_address(target: Target) -> str:
    """Compare an internal gateway's address with its record, which Terraform made of what API Management said."""
    _azure(target)
    variables = target.environment.variables
    if variables.get("gateway_exposure") != "internal":
        raise NotRun("the gateway is public: Azure keeps its record")
    if "gateway" in ((variables.get("network") or {}).get("existing_private_dns_zone_ids") or {}):
        raise NotRun("the DNS zone belongs to the landing zone, in a resource group of its own")
    group = target.environment.need("RESOURCE_GROUP")
    host = str(urlsplit(target.platform.gateway).hostname)
    listed = az.run("network", "private-dns", "record-set", "a", "list", "--resource-group", group, "--zone-name", host)
    return same_address(_of_gateway(target, "")["properties"].get("privateIPAddresses") or [], listed)


def same_address(said: Sequence[str], listed: Sequence[Any]) -> str:
    """SmokeError where API Management says no address, or the zone's record another one."""
    require(bool(said), "API Management says no private address, so nobody finds it by its name")
    records = [entry["ipv4Address"] for one in listed if one["name"] == "@" for entry in one.get("aRecords") or ()]
    found = ", ".join(records) or "nothing"
    require(records == list(said), f"the gateway has {', '.join(said)}, its record {found}; run `invoke deploy`")
    return ", ".join(said)


def database(target: Target) -> str:
    _azure(target)
    shown = {}
    if has_database(target.environment, COSMOS):
        name = str(target.environment.variables.get("cosmos_account_name"))
        group = target.environment.need("RESOURCE_GROUP")
        shown[name] = az.run("cosmosdb", "show", "--name", name, "--resource-group", group)
    if has_database(target.environment, DOCUMENTDB):
        name, shown_cluster = _cluster(target)
        shown[name] = shown_cluster
    if not shown:
        raise NotRun("no server has a database")
    return closed(shown)


def closed(databases: Mapping[str, Mapping[str, Any]]) -> str:
    """SmokeError names each database that the public network reaches."""
    access = {name: shown.get("publicNetworkAccess") for name, shown in databases.items()}
    open_ = [f"publicNetworkAccess of {name} is {said}" for name, said in access.items() if said != "Disabled"]
    require(not open_, f"{'; '.join(open_)}, where Disabled is right")
    return f"public access of {', '.join(access)} is disabled"


def keyless(target: Target) -> str:
    """A cluster that was made without native authentication has none, and knows the one administrator."""
    _azure(target)
    if not has_database(target.environment, DOCUMENTDB):
        raise NotRun("no server has the database documentdb")
    return without_keys(*_cluster(target))


def without_keys(name: str, cluster: Mapping[str, Any]) -> str:
    """SmokeError where the cluster takes anything but tokens."""
    modes = (cluster.get("authConfig") or {}).get("allowedModes") or []
    require(
        modes == ["MicrosoftEntraID"],
        f"{name} takes {', '.join(modes) or 'no word of its sign-in'}, where MicrosoftEntraID alone is right",
    )
    return f"{name} takes tokens of Entra ID only"


def users_job(target: Target) -> str:
    """What the job that makes users of DocumentDB ended with: it reached the cluster, on the ports that are open."""
    _azure(target)
    if not uses_database(target.environment, DOCUMENTDB):
        raise NotRun("no server has the database documentdb")
    group = target.environment.need("RESOURCE_GROUP")
    state = (az.run("container", "show", "--resource-group", group, "--name", USERS_JOB).get("instanceView") or {}).get(
        "state"
    )
    require(state == "Succeeded", f"{USERS_JOB} is {state}; read `invoke logs --part database-users`")
    return "the tiers' identities are users"


def _cluster(target: Target) -> tuple[str, Mapping[str, Any]]:
    name = str((target.environment.variables.get("documentdb") or {}).get("name"))
    group = target.environment.need("RESOURCE_GROUP")
    kind = "Microsoft.DocumentDB/mongoClusters"
    shown = az.run("resource", "show", "--resource-group", group, "--name", name, "--resource-type", kind)
    return name, shown.get("properties") or {}


def vault(target: Target) -> str:
    _azure(target)
    shown = az.run("keyvault", "show", "--name", target.environment.need("KEY_VAULT_NAME"))["properties"]
    closed = shown.get("publicNetworkAccess") == "Disabled"
    default = (shown.get("networkAcls") or {}).get("defaultAction")
    if target.environment.variables.get("deployer_access") == "public":
        raise NotRun('deployer_access = "public" opens the vault on purpose')
    require(closed or default == "Deny", f"the vault's network rules default to {default}, where Deny is right")
    return "public access is disabled" if closed else "denied unless listed"


def gateway_role(target: Target) -> str:
    """Look up what shows through the gateway as an answered call; not everybody may."""
    _azure(target)
    try:
        listed = az.run("ad", "sp", "list", "--display-name", f"id-{_name(target)}-gateway", "--query", "[].id")
        assigned = [
            one
            for id_ in listed or ()
            for one in az.run("rest", "--method", "GET", "--uri", _assignments(id_))["value"]
        ]
    except AzError as error:
        if error.kind in ("directory-role", "consent"):
            raise NotRun("the signed-in account may not read the directory") from error
        raise
    if not listed:
        raise NotRun(
            "the directory shows no such identity to the signed-in account; the check `reader` proves the same"
        )
    require(bool(assigned), "the gateway's identity has no app role, so every call behind it fails")
    return f"{len(assigned)} app role(s)"


#: What every sign-in asks for beside this API's own scope; they are Microsoft Graph's.
_SIGN_IN = {"openid", "profile", "offline_access"}


def consent(target: Target) -> str:
    """Where users may not consent themselves, nobody signs in without an administrator's grant for each client."""
    _azure(target)
    if not target.environment.variables.get("grant_sign_in_consent"):
        raise NotRun("grant_sign_in_consent is false: people consent themselves, or an administrator did by hand")
    granted = {}
    try:
        for name, number in target.platform.client_ids.items():
            of_client = az.run("rest", "--method", "GET", "--uri", _grants(number))["value"]
            granted[name] = scopes_for_everybody(of_client)
    except AzError as error:
        if error.kind in ("directory-role", "consent"):
            raise NotRun("the signed-in account may not read the directory") from error
        raise
    lacking = {name: sorted(_SIGN_IN - scopes) for name, scopes in granted.items() if not scopes >= _SIGN_IN}
    missing = [f"{name} lacks {' '.join(scopes)}" for name, scopes in lacking.items()]
    require(not missing, f"{'; '.join(missing)}: run `invoke deploy`, or grant it in the portal")
    return f"{len(granted)} clients"


def scopes_for_everybody(grants: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the scopes that these delegated permission grants give for all people of the tenant."""
    return {
        scope
        for grant in grants
        if grant.get("consentType") == "AllPrincipals"
        for scope in str(grant.get("scope") or "").split()
    }


def _grants(client_id: str) -> str:
    """Microsoft Graph v1.0, "List oAuth2PermissionGrants of a servicePrincipal"."""
    return f"https://graph.microsoft.com/v1.0/servicePrincipals(appId='{client_id}')/oauth2PermissionGrants"


def _assignments(id_: str) -> str:
    return f"https://graph.microsoft.com/v1.0/servicePrincipals/{id_}/appRoleAssignments"


def _name(target: Target) -> str:
    return str(target.environment.variables.get("name"))


def policies(target: Target) -> str:
    """What API Management gives back is spelt as the stand-in provider says, or every plan would show a change."""
    listed = _of_gateway(target, "policyFragments")["value"]
    texts = {f"fragment {one['name']}": str(one["properties"]["value"]) for one in listed}
    for server in target.environment.variables.get("mcp_servers") or {}:
        policy = _of_gateway(target, f"apis/mcp-{server}/policies/policy", "format=xml&")
        texts[f"policy of {server}"] = str(policy["properties"]["value"])
    return spelling(texts)


def retries(target: Target) -> str:
    """Calls of the last month whose connection failed were answered by another slot: `retry` saw context.LastError.

    Read in the gateway's log, because to bring it about a slot would have to be stopped under its callers.
    """
    _azure(target)
    found = {(slot.server, slot.slot) for slot in slots(target.environment).values()}
    several = {f"mcp-{server}" for server, number in Counter(server for server, _ in found).items() if number > 1}
    if not several:
        raise NotRun("no server has a second slot, so no call is repeated elsewhere")
    served = ", ".join(f'"{api}"' for api in sorted(several))
    query = (
        f"ApiManagementGatewayLogs | where TimeGenerated > ago(30d) and ApiId in ({served}) "
        '| where tostring(Errors) has "BackendConnectionFailure" or LastErrorReason == "BackendConnectionFailure" '
        "| summarize Met = count(), Answered = countif(ResponseCode < 500)"
    )
    return repeated(_logged(target, query))


def repeated(rows: list[Any]) -> str:
    """What the counts of calls that met a failed connection say; SmokeError where none was answered all the same."""
    met, answered = (int(rows[0][name]) if rows else 0 for name in ("Met", "Answered"))
    if met == 0:
        raise NotRun(
            "no call of the last 30 days met a connection that failed, and nothing is stopped to find out: stop one "
            "slot of a test environment (`az container stop`), call its server, start the slot, and ask again in some "
            "minutes"
        )
    require(
        answered > 0,
        f"{met} calls met a failed connection, and no other slot answered one: `retry` does not see context.LastError, "
        "or the column Errors leaves out what a repeated attempt got over (docs/monitoring.md)",
    )
    return f"{answered} of {met} calls that met a failed connection"


def breakers(target: Target) -> str:
    """The service keeps each slot's circuit breaker as it was given.

    That it *counts* a failed connection is seen in no log without doubt: the row of a repeated call names the slot that
    answered, and the reason of a refused call is not documented. To see it open, a slot would have to be stopped under
    its callers, so this is left to the first environment that nobody uses (twin/FIDELITY.md, "Only Azure can prove").
    """
    listed = {one["name"]: one["properties"] for one in _of_gateway(target, "backends")["value"]}
    return breakers_kept({name: listed.get(name) or {} for name in slots(target.environment)})


def breakers_kept(backends: Mapping[str, Any]) -> str:
    """SmokeError names each backend whose breaker does not count failed connections."""
    odd = []
    for name, properties in backends.items():
        rules = (properties.get("circuitBreaker") or {}).get("rules") or [{}]
        reasons = (rules[0].get("failureCondition") or {}).get("errorReasons") or []
        odd += [] if "BackendConnectionFailure" in reasons and rules[0].get("tripDuration") == "PT10S" else [name]
    require(not odd, f"{', '.join(odd)}: the circuit breaker is not the one that Terraform declares")
    return f"{len(backends)} backends"


def _of_gateway(target: Target, path: str, query: str = "") -> Any:
    _azure(target)
    subscription, group = (target.environment.need(name) for name in ("SUBSCRIPTION_ID", "RESOURCE_GROUP"))
    where = f"https://management.azure.com/subscriptions/{subscription}/resourceGroups/{group}"
    service = f"{where}/providers/Microsoft.ApiManagement/service/apim-{_name(target)}"
    of_it = f"{service}/{path}".rstrip("/")
    return az.run("rest", "--method", "GET", "--uri", f"{of_it}?{query}api-version=2024-05-01")


def spelling(texts: Mapping[str, str]) -> str:
    """How line breaks in attributes come back; SmokeError names the documents that are spelt in a way unknown here."""
    from emulators.azurerm.policy_text import store

    odd = [name for name, text in texts.items() if store(text) != text]
    require(
        not odd,
        f"{', '.join(odd)}: spelt otherwise than emulators/azurerm/policy_text.py says, so the next plan may differ",
    )
    kept = any("&#xA;" in text for text in texts.values())
    return f"{len(texts)} documents; line breaks in attributes {'are kept' if kept else 'became spaces'}"


def container_logs(target: Target) -> str:
    """Lines of the servers arrive in the table that the workbook reads, under the columns that it reads."""
    _azure(target)
    query = "ContainerInstanceLog | where TimeGenerated > ago(1d) | summarize Lines = count() by ContainerGroup"
    rows = _logged(target, query)
    require(bool(rows), "ContainerInstanceLog has no line of the last day: call a server, wait some minutes, ask again")
    return f"lines of {len(rows)} container groups"


def _logged(target: Target, query: str) -> list[Any]:
    group, name = target.environment.need("RESOURCE_GROUP"), f"log-{_name(target)}"
    shown = az.run("monitor", "log-analytics", "workspace", "show", "--resource-group", group, "--workspace-name", name)
    found = az.run("monitor", "log-analytics", "query", "--workspace", shown["customerId"], "--analytics-query", query)
    return list(found or ())


def _groups(target: Target) -> dict[str, Any]:
    _azure(target)
    group = target.environment.need("RESOURCE_GROUP")
    names = [slot.group for slot in slots(target.environment).values()]
    return {name: az.run("container", "show", "--resource-group", group, "--name", name) for name in names}


def _azure(target: Target) -> None:
    if target.environment.is_local:
        raise NotRun("only Azure can prove it: the twin would agree with itself")
