"""What Entra ID refuses when objects are written; checked over the whole directory, because it is read whole."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from emulators.base.rules import Edit, Rule
from emulators.entra.directory import (
    DEFAULT_ACCESS,
    Application,
    Assignment,
    Directory,
    FederatedCredential,
    Platform,
    ServicePrincipal,
)
from emulators.entra.errors import DirectoryError

URIS = "“Redirect URI (reply URL) best practices and limitations”, 2026"
OBO = "“Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow”, 2026"
RULES: tuple[Rule, ...] = (
    Rule(
        "redirect-uris-are-few-and-short",
        "An application has 256 redirect URIs at most, each of 256 characters at most and without ! $ ' ( ) , ;",
        URIS,
        "documented",
        "validation of `mcp_clients`; emulators/entra/rules.py",
        "emulators/entra/tests/test_directory.py::test_a_mistake_is_one_sentence",
        edits=(
            Edit(
                "emulators/entra/rules.py",
                "MAX_REDIRECT_URIS = 256\n",
                "MAX_REDIRECT_URIS = 25600\n",
            ),
        ),
    ),
    Rule(
        "two-names-of-this-machine",
        "`localhost` and `127.0.0.1` are two hosts, `[::1]` is none; the port of an http loopback URI is free.",
        URIS,
        "documented",
        "both names are registered by stage2/sign-in.tf; emulators/entra/redirects.py",
        "emulators/entra/tests/test_authorize.py::test_any_other_redirect_uri_belongs_to_no_platform",
        edits=(
            Edit(
                "emulators/entra/redirects.py",
                "return parts.scheme, parts.hostname, parts.path",
                'return parts.scheme, parts.hostname and parts.hostname.replace("127.0.0.1", "localhost"), parts.path',
            ),
        ),
    ),
    Rule(
        "sign-in-scopes-have-their-own-consent",
        "openid, profile and offline_access are Graph's: pre-authorization of the API's scope does not cover them.",
        "“Scopes and permissions in the Microsoft identity platform”, 2026; “Configure how users consent”",
        "documented",
        "`grant_sign_in_consent`; emulators/entra/consent.py",
        "emulators/entra/tests/test_pages.py::test_where_users_may_not_consent_an_administrator_has_to",
        off=("emulators.entra.consent._refuse_without_grant",),
    ),
    Rule(
        "on-behalf-of-takes-tokens-for-itself",
        "On behalf of: what is exchanged is a person's token for the application that shows it, and no other API's.",
        OBO,
        "documented",
        "`fragment-mcp-on-behalf`; emulators/entra/grants/on_behalf_of.py",
        "emulators/entra/tests/test_on_behalf_of.py::test_a_token_for_another_application_is_no_assertion",
        off=("emulators.entra.grants.on_behalf_of._require_audience",),
    ),
    Rule(
        "on-behalf-of-cannot-ask-the-person",
        "Where conditional access wants the person, an exchange is refused with `claims` for their client to ask for.",
        "“Claims challenges, claims requests and client capabilities”, 2026",
        "documented",
        "`fragment-mcp-on-behalf`; emulators/entra/grants/on_behalf_of.py",
        "emulators/entra/tests/test_on_behalf_of.py::test_conditional_access_asks_for_claims",
        off=("emulators.entra.grants.on_behalf_of._require_session",),
    ),
    Rule(
        "a-policy-s-token-is-a-credential",
        "What API Management's policy gets for api://AzureADTokenExchange with its identity is taken as "
        "`client_assertion`.",
        "“Configure an application to trust a managed identity”, 2026, asks for it from code; “Authenticate with "
        "managed identity” (API Management), read in 2026, takes any application as `resource`",
        "open",
        "`fragment-mcp-on-behalf`; emulators/entra takes it to be so",
        "tests/plan/test_served_on_behalf.py::test_the_exchange_is_proved_by_the_gateway_s_identity",
        live="exchange",
        edits=(
            Edit(
                "terraform/modules/apim/policies/fragment-mcp-on-behalf.xml.tftpl",
                'resource="api://AzureADTokenExchange"',
                'resource="https://graph.microsoft.com"',
            ),
        ),
    ),
    Rule(
        "a-token-in-a-variable-may-be-in-the-header-too",
        "Whether a managed identity's token goes into Authorization where the policy names a variable for it is not "
        "said: the caller's is read before.",
        "“Authenticate with managed identity” (API Management), read in 2026, says both without saying when",
        "open",
        "`fragment-mcp-on-behalf`; emulators/apim writes the variable alone",
        "tests/plan/test_served_on_behalf.py::test_the_caller_s_token_is_read_before_the_proof_is_asked_for",
        live="exchange",
        edits=(
            Edit(
                "terraform/modules/apim/policies/fragment-mcp-on-behalf.xml.tftpl",
                'Uri.EscapeDataString((string)context.Variables["presented-token"])',
                'Uri.EscapeDataString(context.Request.Headers.GetValueOrDefault("Authorization", "").Substring(7))',
            ),
        ),
    ),
    Rule(
        "federated-credentials-take-minutes",
        "A federated credential that was just made is refused for minutes, by some nodes longer than by others.",
        "“Important considerations and restrictions for federated identity credentials”, read in 2026",
        "documented",
        "`invoke deploy`, whose smoke test on Azure tries five minutes; emulators/entra takes one at once",
        "tests/unit/ops/checks/test_azure_smoke.py::test_a_new_role_may_take_minutes",
        live="exchange",
        edits=(Edit("ops/checks/azure_smoke.py", "_PATIENCE = 300.0", "_PATIENCE = 0.0"),),
    ),
    Rule(
        "a-managed-identity-stands-in-for-a-secret",
        "A federated credential names a managed identity by the tenant's issuer and its object id, compared exactly.",
        "“Configure an application to trust a managed identity”, 2026",
        "documented",
        "stage2/sign-in.tf; emulators/entra/assertions.py",
        "emulators/entra/tests/test_on_behalf_of.py::test_another_identity_s_token_is_no_credential",
        edits=(
            Edit(
                "emulators/entra/assertions.py",
                "by_subject = [c for c in by_issuer if c.subject == subject]",
                "by_subject = by_issuer",
            ),
        ),
    ),
)

MAX_REDIRECT_URIS = 256
"""Redirect URIs of an application for one organisation, and characters of each of them. With `NOT_IN_A_URI`:
"Redirect URI (reply URL) best practices and limitations", 2026."""
NOT_IN_A_URI = frozenset("!$'(),;")

MAX_FEDERATED = 20
"""Federated identity credentials per application or identity ("Important considerations for federated credentials")."""


def check(directory: Directory, applications: Sequence[Application]) -> None:
    """Raises DirectoryError for the first thing that Entra ID would not accept."""
    _unique((app.client_id for app in applications), "client id", "two applications")
    _unique(
        (uri.casefold() for app in applications for uri in app.identifier_uris), "identifier URI", "two applications"
    )
    _unique((user.object_id for user in directory.users), "object id", "two users")
    _unique((user.key for user in directory.users), "short name", "two users")
    for app in applications:
        _check_application(app)
    for identity in directory.identities.values():
        _check_federated(identity.name, identity.federated)
    principals = {sp.object_id: sp for sp in directory.service_principals.values()}
    for principal in principals.values():
        if principal.client_id not in directory.applications:
            raise DirectoryError(
                f"service principal {principal.object_id} is for client id {principal.client_id!r}, which is neither "
                "applied nor one of the built-in applications"
            )
    _check_groups(directory, principals)
    for assignment in directory.assignments:
        _check_assignment(directory, principals, assignment)
    for grant in directory.grants:
        for object_id in (grant.client_id, grant.resource_id):
            if object_id not in principals:
                raise DirectoryError(
                    f"a delegated permission grant names service principal {object_id!r}, which does not exist; give "
                    "it azuread_service_principal.<name>.object_id"
                )


def _unique(values: Iterable[str], what: str, where: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise DirectoryError(f"{what} {value!r} is used by {where}; Entra ID wants it unique in the tenant")
        seen.add(value)


def _check_application(app: Application) -> None:
    for uri in app.identifier_uris:
        _check_identifier_uri(app, uri)
    _check_redirect_uris(app)
    _check_federated(app.name, app.federated)
    _unique((s.value for s in app.scopes if s.value), "scope value", f"two scopes of {app.name}")
    _unique((r.value for r in app.roles if r.value), "app role value", f"two app roles of {app.name}")
    identifiers = [*(scope.id for scope in app.scopes), *(role.id for role in app.roles)]
    _unique(identifiers, "permission id", f"two scopes or app roles of {app.name}")
    known = {scope.id for scope in app.scopes}
    for client, ids in app.preauthorized.items():
        for missing in sorted(ids - known):
            raise DirectoryError(
                f"{app.name} pre-authorises client {client} for permission id {missing}, which is none of its "
                "scopes; use azuread_application.<name>.oauth2_permission_scope_ids"
            )


def _check_identifier_uri(app: Application, uri: str) -> None:
    parts = urlsplit(uri)
    if not parts.scheme or not (parts.netloc or parts.path):
        raise DirectoryError(f"identifier URI {uri!r} of {app.name} has no scheme; Entra ID accepts api://<client id>")
    if parts.scheme in ("http", "https") and _is_unverifiable(parts.hostname or ""):
        raise DirectoryError(
            f"identifier URI {uri!r} of {app.name} needs a verified domain of the tenant; use api://{app.client_id}"
        )


def _is_unverifiable(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(".azure-api.net")
    return True


def _check_redirect_uris(app: Application) -> None:
    everywhere = [uri for uris in app.redirect_uris.values() for uri in uris]
    _unique(everywhere, "redirect URI", f"two platforms of {app.name}")
    if not app.first_party and len(everywhere) > MAX_REDIRECT_URIS:
        raise DirectoryError(f"{app.name} has {len(everywhere)} redirect URIs; Entra ID accepts {MAX_REDIRECT_URIS}")
    for platform, uris in app.redirect_uris.items():
        for uri in uris:
            _check_redirect_uri(app, platform, uri)


def _check_redirect_uri(app: Application, platform: Platform, uri: str) -> None:
    parts = urlsplit(uri)
    what = f"redirect URI {uri!r} of {app.name} ({platform.value})"
    if not parts.scheme or "#" in uri or "*" in uri:
        raise DirectoryError(f"{what} must be absolute, without fragment and wildcard")
    if len(uri) > MAX_REDIRECT_URIS or NOT_IN_A_URI.intersection(uri):
        raise DirectoryError(f"{what} must have {MAX_REDIRECT_URIS} characters at most, and none of ! $ ' ( ) , ;")
    if parts.hostname == "::1":
        raise DirectoryError(f"{what} names the IPv6 loopback address, which Entra ID does not support; use 127.0.0.1")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise DirectoryError(f"{what} may use http only for localhost or 127.0.0.1; use https")
    if platform is not Platform.PUBLIC and parts.scheme not in ("http", "https"):
        raise DirectoryError(f"{what} has a custom scheme, which only the public client platform accepts")


def is_loopback(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def _check_federated(owner: str, credentials: Sequence[FederatedCredential]) -> None:
    _unique(
        (f"{c.issuer} | {c.subject}" for c in credentials),
        "issuer and subject",
        f"two federated credentials of {owner}",
    )
    if len(credentials) > MAX_FEDERATED:
        raise DirectoryError(f"{owner} has {len(credentials)} federated credentials; Entra ID accepts {MAX_FEDERATED}")


def _check_groups(directory: Directory, principals: dict[str, ServicePrincipal]) -> None:
    known = {*principals, *(u.object_id for u in directory.users), *(g.object_id for g in directory.groups)}
    known |= {identity.principal_id for identity in directory.identities.values()}
    for group in directory.groups:
        for member in sorted(group.members - known):
            raise DirectoryError(
                f"group {group.name!r} has member {member!r}, which is no user, group or service principal of this "
                f"directory{_client_id_hint(directory, member)}"
            )


def _check_assignment(directory: Directory, principals: dict[str, ServicePrincipal], assignment: Assignment) -> None:
    resource = principals.get(assignment.resource_id)
    if resource is None:
        raise DirectoryError(
            f"an app role is assigned on resource {assignment.resource_id!r}, which is no service principal"
            f"{_client_id_hint(directory, assignment.resource_id)}; use azuread_service_principal.<name>.object_id"
        )
    app = directory.applications[resource.client_id]
    member_type = _member_type(directory, principals, assignment, app)
    role = next((role for role in app.roles if role.id == assignment.role_id), None)
    if role is None and assignment.role_id != DEFAULT_ACCESS:
        raise DirectoryError(
            f"app role {assignment.role_id} is assigned on {app.name}, which has no such role; use app_role_ids"
        )
    if role is not None and member_type not in role.member_types:
        raise DirectoryError(
            f"app role {role.value!r} of {app.name} is assigned to a {member_type.lower()}, and its "
            f"allowed_member_types are {', '.join(sorted(role.member_types))}"
        )


def _member_type(
    directory: Directory, principals: dict[str, ServicePrincipal], assignment: Assignment, app: Application
) -> str:
    holder = assignment.principal_id
    if holder in principals or any(i.principal_id == holder for i in directory.identities.values()):
        return "Application"
    if any(user.object_id == holder for user in directory.users):
        return "User"
    group = next((group for group in directory.groups if group.object_id == holder), None)
    if group is None:
        raise DirectoryError(
            f"an app role of {app.name} is assigned to {holder!r}, which is no user, group or service principal"
            f"{_client_id_hint(directory, holder)}"
        )
    if not group.security_enabled:
        raise DirectoryError(f"group {group.name!r} is assigned to {app.name} and must have security_enabled = true")
    return "User"


def _client_id_hint(directory: Directory, given: str) -> str:
    if given in directory.applications or given in directory.identities:
        return " (it is a client id; give the principal's object id)"
    return ""
