"""What Terraform's providers ask of Resource Manager and Microsoft Graph for one resource, and who may.

Actions are those of "Azure permissions by service" (Azure resource provider operations, 2026-06), the requests those of
azurerm 5.2.0 and azuread 3.9.0, as their source makes them; permissions are those of each azuread resource's page ("API
Permissions"). Who deploys is refused here what Azure would refuse, in Azure's words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from emulators.arm import network, permissions
from emulators.arm.call import Caller
from emulators.arm.cloud import Cloud
from emulators.arm.errors import AzureError, bad_request
from emulators.arm.permissions import Need
from emulators.base.well_known import ROLES

Verb = Literal["read", "create", "update", "delete"]
VERBS: tuple[str, ...] = get_args(Verb)
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Arm:
    """`type`: create and update are its `write`. `also` are further actions at every change, `seen` at every read."""

    type: str
    also: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    def actions(self, verb: str) -> Iterator[str]:
        yield f"{self.type}/{verb if verb in ('read', 'delete') else 'write'}"
        yield from self.seen
        if verb in ("create", "update"):
            yield from self.also


_APIM = "Microsoft.ApiManagement/service"
_MONGO = "Microsoft.DocumentDB/databaseAccounts"
_CLUSTER = "Microsoft.DocumentDB/mongoClusters"
_NETWORK = "Microsoft.Network"
_JOIN_SUBNET = f"{_NETWORK}/virtualNetworks/subnets/join/action"
_JOIN_ADDRESS = f"{_NETWORK}/publicIPAddresses/join/action"
_ASSIGN_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
_WORKSPACE_KEYS = "Microsoft.OperationalInsights/workspaces/sharedKeys/action"

ARM = {
    "azurerm_api_management": Arm(_APIM, (_JOIN_SUBNET, _JOIN_ADDRESS, _ASSIGN_IDENTITY)),
    "azurerm_api_management_api": Arm(f"{_APIM}/apis"),
    "azurerm_api_management_api_diagnostic": Arm(f"{_APIM}/apis/diagnostics"),
    "azurerm_api_management_api_operation": Arm(f"{_APIM}/apis/operations"),
    "azurerm_api_management_api_operation_policy": Arm(f"{_APIM}/apis/operations/policies"),
    "azurerm_api_management_api_policy": Arm(f"{_APIM}/apis/policies"),
    "azurerm_api_management_backend": Arm(f"{_APIM}/backends"),
    "azurerm_api_management_custom_domain": Arm(_APIM),
    "azurerm_api_management_diagnostic": Arm(f"{_APIM}/diagnostics"),
    "azurerm_api_management_logger": Arm(f"{_APIM}/loggers"),
    "azurerm_api_management_named_value": Arm(f"{_APIM}/namedValues"),
    "azurerm_api_management_policy": Arm(f"{_APIM}/policies"),
    "azurerm_api_management_policy_fragment": Arm(f"{_APIM}/policyFragments"),
    "azurerm_application_insights": Arm("Microsoft.Insights/components"),
    "azurerm_application_insights_workbook": Arm("Microsoft.Insights/workbooks"),
    "azurerm_container_app": Arm(
        "Microsoft.App/containerApps",
        (_ASSIGN_IDENTITY, "Microsoft.App/managedEnvironments/join/action"),
        ("Microsoft.App/containerApps/listSecrets/action",),
    ),
    "azurerm_container_app_environment": Arm("Microsoft.App/managedEnvironments", (_JOIN_SUBNET,)),
    "azurerm_container_group": Arm("Microsoft.ContainerInstance/containerGroups", (_JOIN_SUBNET, _ASSIGN_IDENTITY)),
    "azurerm_container_registry": Arm("Microsoft.ContainerRegistry/registries", (_ASSIGN_IDENTITY,)),
    "azurerm_cosmosdb_account": Arm(
        _MONGO, (_ASSIGN_IDENTITY,), (f"{_MONGO}/listKeys/action", f"{_MONGO}/listConnectionStrings/action")
    ),
    "azurerm_cosmosdb_mongo_collection": Arm(f"{_MONGO}/mongodbDatabases/collections"),
    "azurerm_cosmosdb_mongo_database": Arm(f"{_MONGO}/mongodbDatabases"),
    "azurerm_key_vault": Arm("Microsoft.KeyVault/vaults"),
    "azurerm_log_analytics_workspace": Arm("Microsoft.OperationalInsights/workspaces", seen=(_WORKSPACE_KEYS,)),
    "azurerm_managed_devops_pool": Arm("Microsoft.DevOpsInfrastructure/pools", (_JOIN_SUBNET, _ASSIGN_IDENTITY)),
    "azurerm_dev_center": Arm("Microsoft.DevCenter/devcenters"),
    "azurerm_dev_center_project": Arm("Microsoft.DevCenter/projects"),
    "azurerm_management_lock": Arm("Microsoft.Authorization/locks"),
    "azurerm_monitor_action_group": Arm("Microsoft.Insights/actionGroups"),
    "azurerm_monitor_activity_log_alert": Arm("Microsoft.Insights/activityLogAlerts"),
    "azurerm_monitor_diagnostic_setting": Arm("Microsoft.Insights/diagnosticSettings", (_WORKSPACE_KEYS,)),
    "azurerm_monitor_metric_alert": Arm("Microsoft.Insights/metricAlerts"),
    "azurerm_monitor_scheduled_query_rules_alert_v2": Arm("Microsoft.Insights/scheduledQueryRules"),
    "azurerm_mongo_cluster": Arm(_CLUSTER, (_ASSIGN_IDENTITY,), (f"{_CLUSTER}/listConnectionStrings/action",)),
    "azurerm_mongo_cluster_user": Arm(f"{_CLUSTER}/users"),
    "azurerm_nat_gateway": Arm(f"{_NETWORK}/natGateways"),
    "azurerm_nat_gateway_public_ip_association": Arm(f"{_NETWORK}/natGateways", (_JOIN_ADDRESS,)),
    "azurerm_network_security_group": Arm(f"{_NETWORK}/networkSecurityGroups"),
    "azurerm_network_security_rule": Arm(f"{_NETWORK}/networkSecurityGroups/securityRules"),
    "azurerm_private_dns_a_record": Arm(f"{_NETWORK}/privateDnsZones/A"),
    "azurerm_private_dns_zone": Arm(f"{_NETWORK}/privateDnsZones"),
    "azurerm_private_dns_zone_virtual_network_link": Arm(
        f"{_NETWORK}/privateDnsZones/virtualNetworkLinks", (f"{_NETWORK}/virtualNetworks/join/action",)
    ),
    "azurerm_private_endpoint": Arm(
        f"{_NETWORK}/privateEndpoints", (_JOIN_SUBNET, f"{_NETWORK}/privateDnsZones/join/action")
    ),
    "azurerm_public_ip": Arm(f"{_NETWORK}/publicIPAddresses"),
    "azurerm_resources": Arm("Microsoft.Resources/subscriptions/resources"),
    "azurerm_resource_group": Arm("Microsoft.Resources/subscriptions/resourceGroups"),
    "azurerm_subnet": Arm(f"{_NETWORK}/virtualNetworks/subnets"),
    "azurerm_subnet_nat_gateway_association": Arm(
        f"{_NETWORK}/virtualNetworks/subnets", (f"{_NETWORK}/natGateways/join/action",)
    ),
    "azurerm_subnet_network_security_group_association": Arm(
        f"{_NETWORK}/virtualNetworks/subnets", (f"{_NETWORK}/networkSecurityGroups/join/action",)
    ),
    "azurerm_user_assigned_identity": Arm("Microsoft.ManagedIdentity/userAssignedIdentities"),
    "azurerm_virtual_network": Arm(f"{_NETWORK}/virtualNetworks"),
}
"""Resource types whose requests go to Resource Manager; data sources of the same name read the same object."""

_ASSOCIATIONS = frozenset(name for name in ARM if name.endswith("_association") or name.endswith("_custom_domain"))
"""Objects that are a property of another one: taking them away writes that one."""

_SECRETS = "Microsoft.KeyVault/vaults/secrets"
_OPERATIONS = {
    "read": ("getSecret",),
    "create": ("setSecret", "getSecret"),
    "update": ("setSecret", "getSecret"),
    "delete": ("delete", "readMetadata"),
    "list": ("readMetadata",),
}
"""Of `azurerm_key_vault_secret`, which is the vault's data: data actions. Names without values are `list`."""
NAMES_OF_SECRETS = "azurerm_key_vault_secrets"

ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
NOTHING = frozenset({"azurerm_client_config"})
"""What is read from the sign-in alone."""

APPLICATIONS = frozenset(
    {
        "azuread_application",
        "azuread_application_federated_identity_credential",
        "azuread_application_identifier_uri",
        "azuread_application_pre_authorized",
        "azuread_service_principal",
    }
)
OTHERS = frozenset({"azurerm_key_vault_secret", NAMES_OF_SECRETS, "azurerm_role_assignment"})
CONSENT = "azuread_service_principal_delegated_permission_grant"
GRAPH = APPLICATIONS | {"azuread_group", "azuread_group_member", "azuread_app_role_assignment", CONSENT}
KNOWN = frozenset(ARM) | OTHERS | GRAPH | NOTHING


def authorize(cloud: Cloud, principal_id: str, verb: str, type_: str, values: Values, address: str = "") -> None:
    """Return where that principal may do it; AzureError as Resource Manager, Key Vault or Graph refuses.

    `values` are the resource's, as far as they are known: a name in place of an id that does not exist yet. `address`:
    the caller's, where network rules count too.
    """
    if verb not in VERBS or type_ not in KNOWN:
        raise bad_request(
            "InvalidRequestContent", f"nothing is known of {verb!r} of {type_!r} (emulators/arm/operations)"
        )
    if type_ in NOTHING:
        return
    caller = caller_of(cloud, principal_id)
    if type_ in GRAPH:
        _authorize_graph(cloud, caller, verb, type_, values)
    elif type_ in ("azurerm_key_vault_secret", NAMES_OF_SECRETS):
        vault = cloud.named("Microsoft.KeyVault/vaults", str(values.get("key_vault_id")).rpartition("/")[2])
        if address and vault:
            network.refuse_vault(cloud, vault, address)
        _authorize_secret(cloud, caller, "list" if type_ == NAMES_OF_SECRETS else verb, values)
    elif type_ == "azurerm_role_assignment":
        _authorize_assignment(cloud, caller, verb, values)
    else:
        effective = "update" if verb == "delete" and type_ in _ASSOCIATIONS else verb
        for action in ARM[type_].actions(effective):
            cloud.require(caller, action, _scope(cloud, values))


def caller_of(cloud: Cloud, principal_id: str) -> Caller:
    """Return the principal with the Graph permissions that it was granted, as its token would say them."""
    names = {identifier: name for name, identifier in permissions.PERMISSIONS.items()}
    graph = cloud.tenant.graph_id
    held = (a for a in cloud.tenant.app_roles.values() if a["principalId"] == principal_id and a["resourceId"] == graph)
    is_app = principal_id not in cloud.tenant.users
    granted = frozenset(names[a["appRoleId"]] for a in held if a["appRoleId"] in names)
    return Caller(principal_id, cloud.tenant.name_of(principal_id), "", is_app, "", granted)


def _scope(cloud: Cloud, values: Values) -> str:
    """The object's own id; before there is one, what it will lie in."""
    subscription = f"/subscriptions/{cloud.subscription_id}"
    for name in ("scope", "target_resource_id", "id"):
        given = values.get(name)
        if isinstance(given, str) and given.startswith("/subscriptions/"):
            return given.partition("|")[0]
    group = values.get("resource_group_name")
    return f"{subscription}/resourceGroups/{group}" if isinstance(group, str) and group else subscription


def _authorize_secret(cloud: Cloud, caller: Caller, verb: str, values: Values) -> None:
    """By roles on the vault's data: Owner and Contributor have none ("Azure RBAC for Key Vault", 2026-01-30)."""
    vault = str(values.get("key_vault_id") or _scope(cloud, values))
    for operation in _OPERATIONS[verb]:
        action = f"{_SECRETS}/{operation}{'' if operation == 'delete' else '/action'}"
        if not cloud.allowed(caller, action, vault, data=True):
            raise AzureError(
                403,
                "Forbidden",
                f"Caller is not authorized to perform action on resource. Action: '{action}' Resource: '{vault}' "
                "(ForbiddenByRbac)",
            )


def _authorize_assignment(cloud: Cloud, caller: Caller, verb: str, values: Values) -> None:
    action = f"{ROLE_ASSIGNMENT}/{verb if verb in ('read', 'delete') else 'write'}"
    role = str(values.get("role_definition_id") or "").rpartition("/")[2]
    subject = {
        "role_id": role or ROLES.get(str(values.get("role_definition_name")), ""),
        "principal_type": str(values.get("principal_type") or "Unknown"),
    }
    cloud.require(caller, action, _scope(cloud, values), subject=None if verb == "read" else subject)


def _authorize_graph(cloud: Cloud, caller: Caller, verb: str, type_: str, values: Values) -> None:
    for need in _graph_needs(cloud, caller, verb, type_, values):
        need.check(caller, cloud.directory_roles_of(caller.object_id), cloud.tenant.members_create)


def _graph_needs(cloud: Cloud, caller: Caller, verb: str, type_: str, values: Values) -> Iterator[Need]:
    owners = {str(owner).lower() for owner in values.get("owners") or ()}
    owned = caller.object_id in owners or (verb == "create" and not owners)
    if type_ == "azuread_app_role_assignment":
        yield permissions.READ_DIRECTORY if verb == "read" else permissions.GRANT_APP_ROLES
        return
    if type_ == CONSENT:
        yield permissions.READ_DIRECTORY if verb == "read" else permissions.GRANT_CONSENT
        return
    if type_ in APPLICATIONS:
        yield _application_need(cloud, caller, verb, type_, values, owned)
        if values.get("prevent_duplicate_names") and verb == "create":
            yield permissions.READ_DIRECTORY
    elif type_ == "azuread_group_member":
        if not _owns_group(cloud, caller, values):
            yield permissions.READ_GROUPS if verb == "read" else permissions.CHANGE_GROUPS
    else:
        yield from _group_needs(verb, values, owned)
    if verb in ("create", "update") and any(owner in cloud.tenant.users for owner in owners):
        yield permissions.READ_USERS  # azuread looks each owner up, the caller excepted


def _application_need(cloud: Cloud, caller: Caller, verb: str, type_: str, values: Values, owned: bool) -> Need:
    """What `Application.ReadWrite.OwnedBy` allows ends where the caller is no owner."""
    if type_.startswith("azuread_application_"):
        owned = _owns_application(cloud, caller, str(values.get("application_id") or ""))
    if verb == "read":
        return permissions.READ_DIRECTORY
    if verb == "create" and owned and type_ in ("azuread_application", "azuread_service_principal"):
        return permissions.CREATE_APPLICATIONS
    return permissions.CHANGE_OWN_APPLICATIONS if owned else permissions.CHANGE_APPLICATIONS


def _group_needs(verb: str, values: Values, owned: bool) -> Iterator[Need]:
    if verb == "create":
        yield permissions.CREATE_GROUPS
        if values.get("prevent_duplicate_names"):
            yield permissions.READ_GROUPS  # it lists the groups of that name
    elif not owned:
        yield permissions.READ_GROUPS if verb == "read" else permissions.CHANGE_GROUPS


def _owns_group(cloud: Cloud, caller: Caller, values: Values) -> bool:
    rows = cloud.applied.of_type("azuread_group") if cloud.applied else ()
    wanted = str(values.get("group_object_id") or "").rpartition("/")[2]
    return any(r.get("object_id") == wanted and caller.object_id in (r.get("owners") or ()) for r in rows)


def _owns_application(cloud: Cloud, caller: Caller, identifier: str) -> bool:
    rows = cloud.applied.of_type("azuread_application") if cloud.applied else ()
    return any(r["id"] == identifier and caller.object_id in (r.get("owners") or ()) for r in rows)
