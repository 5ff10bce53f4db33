"""Users, groups, roles and applications of the local tenant, as the applied state has them."""

from __future__ import annotations

from emulators.base.markup import Child, Html, h
from emulators.entra.directory import Application, Directory
from twin.console.pages.layout import alert, badge, page, table


def directory_page(root: str, directory: Directory | None, problem: str) -> str:
    if directory is None:
        return page(root, "directory", "Directory", alert(problem))
    ours = [app for app in directory.applications.values() if not app.first_party]
    return page(
        root,
        "directory",
        "Directory",
        h("p", "Tenant ", h("code", directory.tenant_id), class_="quiet"),
        _users(directory, ours),
        _groups(directory),
        _roles(directory, ours),
        _applications(ours),
        _identities(directory, ours),
    )


def _users(directory: Directory, ours: list[Application]) -> Html:
    rows: list[tuple[Child, ...]] = []
    for user in directory.users:
        groups = [badge(group.name) for group in directory.groups_of(user.object_id)]
        roles = [badge(role, "good") for app in ours for role in directory.roles(app, user.object_id)]
        rows.append((h("strong", user.name), user.mail, groups or "–", roles or "–", h("code", user.object_id)))
    columns = ("Name", "Signs in as", "Groups", "Roles", "Object id")
    return _section("Users", columns, rows)


def _groups(directory: Directory) -> Html:
    names = {user.object_id: user.name for user in directory.users}
    rows: list[tuple[Child, ...]] = [
        (
            h("strong", group.name),
            ", ".join(names.get(m, m) for m in sorted(group.members)) or "–",
            h("code", group.object_id),
        )
        for group in directory.groups
    ]
    return _section("Groups", ("Name", "Members", "Object id"), rows)


def _roles(directory: Directory, ours: list[Application]) -> Html:
    holders = {group.object_id: group.name for group in directory.groups}
    holders |= {user.object_id: user.name for user in directory.users}
    holders |= {identity.principal_id: identity.name for identity in directory.identities.values()}
    rows: list[tuple[Child, ...]] = []
    for app in ours:
        principal = directory.service_principals.get(app.client_id)
        for role in app.roles:
            held = [
                holders.get(a.principal_id, a.principal_id)
                for a in directory.assignments
                if principal is not None and a.resource_id == principal.object_id and a.role_id == role.id
            ]
            given = [badge(name) for name in sorted(held)]
            rows.append((h("strong", role.value), app.name, ", ".join(sorted(role.member_types)), given or "–"))
    return _section("Roles", ("Role", "Of application", "For", "Given to"), rows)


def _applications(ours: list[Application]) -> Html:
    rows: list[tuple[Child, ...]] = []
    for app in ours:
        uris = [h("div", h("code", uri)) for uris in app.redirect_uris.values() for uri in uris]
        scopes = [badge(scope.value) for scope in app.scopes]
        detail = (
            h("details", h("summary", f"{len(uris)} redirect URI{'s' if len(uris) > 1 else ''}"), uris) if uris else "–"
        )
        rows.append((h("strong", app.name), scopes or "–", detail, h("code", app.client_id)))
    return _section("Applications", ("Name", "Scopes", "Redirects to", "Client id"), rows)


def _identities(directory: Directory, ours: list[Application]) -> Html:
    rows: list[tuple[Child, ...]] = []
    for identity in directory.identities.values():
        roles = [badge(role, "good") for app in ours for role in directory.roles(app, identity.principal_id)]
        rows.append((h("strong", identity.name), roles or "–", h("code", identity.client_id)))
    return _section("Managed identities", ("Name", "Roles", "Client id"), rows)


def _section(title: str, columns: tuple[str, ...], rows: list[tuple[Child, ...]]) -> Html:
    return h("section", h("h2", title), table(title, columns, rows, "None."))
