"""The pages people see. Plain forms without script; `h` escapes every value; the style is allowed by its hash.

A program drives them as a person would: find the form, send its hidden `transaction` and the button that was chosen
(`user`, `accept`, or `cancel`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from emulators.base.markup import Child, Html, h
from emulators.entra.directory import Directory, Scope, User
from emulators.entra.errors import EntraError

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
SUBMIT = "document.forms[0].submit()"
_LOGO = h(
    "svg",
    [h("circle", cx=cx, cy="16", r="8.5") for cx in ("12", "20")],
    viewBox="0 0 32 32",
    fill="none",
    stroke="currentColor",
    stroke_width="2.5",
    aria_hidden="true",
)
_CANCEL = h("button", "Cancel", class_="secondary", name="cancel", value="1")


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def content_security_policy(redirect_uri: str | None = None) -> str:
    """Browsers apply `form-action` to redirects too, so the page that ends at a redirect URI must allow its origin."""
    targets = "'self'"
    if redirect_uri is not None:
        parts = urlsplit(redirect_uri)
        targets += f" {parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f" {parts.scheme}:"
    return (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SUBMIT)}; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def sign_in(
    directory: Directory, action: str, transaction: str, application: str, hint: str | None = None, device: bool = False
) -> str:
    """Pick an account. The user named by `hint` comes first and has the focus."""
    suggested = directory.user(hint) if hint else None
    people = sorted(directory.users, key=lambda user: user is not suggested)
    cards = h("ul", [h("li", _person(directory, user, user is suggested)) for user in people], aria_label="Accounts")
    question = "Are you trying to sign in to" if device else "to continue to"
    return _page(
        directory,
        "Pick an account",
        h("p", f"{question} ", h("strong", application), "?" if device else "", class_="lead"),
        _form(action, transaction, cards, h("div", _CANCEL, class_="actions")),
    )


def consent(
    directory: Directory, action: str, transaction: str, application: str, user: User, scopes: Iterable[Scope]
) -> str:
    items = [h("li", scope.consent_text, h("code", scope.value)) for scope in scopes]
    accept = h("button", "Accept", class_="primary", name="accept", value="1")
    return _page(
        directory,
        "Permissions requested",
        h("p", h("strong", application), " asks to act for ", h("strong", user.mail), " with:", class_="lead"),
        _form(
            action,
            transaction,
            h("ul", items, class_="scopes", aria_label="Permissions"),
            h("div", _CANCEL, accept, class_="actions"),
        ),
    )


def device_login(directory: Directory, action: str, message: str | None = None) -> str:
    code = h(
        "input",
        id="user_code",
        name="user_code",
        autocomplete="off",
        autocapitalize="characters",
        required=True,
        autofocus=True,
    )
    return _page(
        directory,
        "Enter code",
        h("p", "Enter the code that your app or device shows.", class_="lead"),
        h(
            "form",
            h("p", message, class_="error", role="alert") if message else None,
            h("label", "Code", for_="user_code"),
            code,
            h("div", h("button", "Next", class_="primary", type="submit"), class_="actions"),
            method="post",
            action=action,
        ),
    )


def done(directory: Directory, heading: str, text: str) -> str:
    return _page(directory, heading, h("p", text, class_="lead"))


def form_post(directory: Directory, action: str, values: Mapping[str, str]) -> str:
    """`response_mode=form_post`: submits itself, or by its button where scripts are off."""
    fields = [h("input", type="hidden", name=name, value=value) for name, value in values.items()]
    button = h("div", h("button", "Continue", class_="primary"), class_="actions")
    return _page(
        directory,
        "Signing in",
        h("p", "Returning to the application.", class_="lead"),
        h("form", fields, button, method="post", action=action),
        h("script", Html(SUBMIT)),
    )


def refusal(directory: Directory, error: EntraError, body: Mapping[str, object]) -> str:
    """An error that may not be sent to the application, because its redirect URI is not trusted or cannot help."""
    names = {"Correlation ID": "correlation_id", "Trace ID": "trace_id", "Timestamp": "timestamp"}
    return _page(
        directory,
        "Sign in failed",
        h("p", error.message, class_="error", role="alert", id="error"),
        h("dl", [(h("dt", label), h("dd", str(body[key]))) for label, key in names.items()]),
        heading="Sorry, but we’re having trouble signing you in.",
    )


def _person(directory: Directory, user: User, suggested: bool) -> Html:
    names = [group.name for group in directory.groups_of(user.object_id)]
    initials = "".join(word[:1] for word in user.name.split()[:2]).upper()
    return h(
        "button",
        h("span", initials, class_="avatar", aria_hidden="true"),
        h(
            "span",
            h("span", user.name, class_="name"),
            h("span", user.mail, class_="mail"),
            h("span", [h("span", name, class_="chip") for name in names or ["no groups"]], class_="chips"),
            class_="who",
        ),
        class_="person",
        name="user",
        value=user.key,
        aria_current="true" if suggested else None,
        autofocus=suggested,
    )


def _form(action: str, transaction: str, *content: Child) -> Html:
    hidden = h("input", type="hidden", name="transaction", value=transaction)
    return h("form", hidden, content, method="post", action=action)


def _page(directory: Directory, title: str, *content: Child, heading: str = "") -> str:
    """`heading`: where it says more than the title."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("title", title),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="robots", content="noindex"),
        h("style", Html(STYLE)),
    )
    main = h(
        "main",
        h("p", _LOGO, h("span", "Local stand-in for Microsoft Entra ID"), class_="brand"),
        h("h1", heading or title),
        content,
        h(
            "footer",
            h("p", "No passwords here: these people exist on this machine only."),
            h("p", f"Tenant {directory.tenant_id}"),
        ),
    )
    return f"<!doctype html>{h('html', head, h('body', main), lang='en')}"
