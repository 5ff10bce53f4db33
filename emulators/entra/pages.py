"""The pages people see. Plain forms without script; every value is escaped; the style is allowed by its hash.

A program drives them as a person would: find the form, send its hidden `transaction` and the button that was chosen
(`user`, `accept`, or `cancel`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from emulators.entra.directory import Directory, Scope, User
from emulators.entra.errors import EntraError

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
SUBMIT = "document.forms[0].submit()"
_LOGO = (
    '<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.5" aria-hidden="true">'
    '<circle cx="12" cy="16" r="8.5"/><circle cx="20" cy="16" r="8.5"/></svg>'
)


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
    cards = "".join(f"<li>{_person(directory, user, user is suggested)}</li>" for user in people)
    question = "Are you trying to sign in to" if device else "to continue to"
    lead = f'<p class="lead">{question} <strong>{escape(application)}</strong>{"?" if device else ""}</p>'
    buttons = '<div class="actions"><button class="secondary" name="cancel" value="1">Cancel</button></div>'
    form = f'<ul aria-label="Accounts">{cards}</ul>{buttons}'
    return _page("Pick an account", f"<h1>Pick an account</h1>{lead}{_form(action, transaction, form)}", directory)


def consent(
    directory: Directory, action: str, transaction: str, application: str, user: User, scopes: Iterable[Scope]
) -> str:
    items = "".join(f"<li>{escape(scope.consent_text)}<code>{escape(scope.value)}</code></li>" for scope in scopes)
    who, whom = escape(application), escape(user.mail)
    lead = f'<p class="lead"><strong>{who}</strong> asks to act for <strong>{whom}</strong> with:</p>'
    buttons = (
        '<div class="actions"><button class="secondary" name="cancel" value="1">Cancel</button>'
        '<button class="primary" name="accept" value="1">Accept</button></div>'
    )
    form = _form(action, transaction, f'<ul class="scopes" aria-label="Permissions">{items}</ul>{buttons}')
    return _page("Permissions requested", f"<h1>Permissions requested</h1>{lead}{form}", directory)


def device_login(directory: Directory, action: str, message: str | None = None) -> str:
    warning = f'<p class="error" role="alert">{escape(message)}</p>' if message else ""
    form = (
        f'<form method="post" action="{escape(action)}">{warning}<label for="user_code">Code</label>'
        '<input id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" required autofocus>'
        '<div class="actions"><button class="primary" type="submit">Next</button></div></form>'
    )
    lead = '<p class="lead">Enter the code that your app or device shows.</p>'
    return _page("Enter code", f"<h1>Enter code</h1>{lead}{form}", directory)


def done(directory: Directory, heading: str, text: str) -> str:
    return _page(heading, f'<h1>{escape(heading)}</h1><p class="lead">{escape(text)}</p>', directory)


def form_post(directory: Directory, action: str, values: Mapping[str, str]) -> str:
    """`response_mode=form_post`: submits itself, or by its button where scripts are off."""
    fields = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in values.items())
    form = (
        f'<form method="post" action="{escape(action)}">{fields}'
        f'<div class="actions"><button class="primary">Continue</button></div></form><script>{SUBMIT}</script>'
    )
    return _page("Signing in", f'<h1>Signing in</h1><p class="lead">Returning to the application.</p>{form}', directory)


def refusal(directory: Directory, error: EntraError, body: Mapping[str, object]) -> str:
    """An error that may not be sent to the application, because its redirect URI is not trusted or cannot help."""
    details = "".join(
        f"<dt>{label}</dt><dd>{escape(str(body[key]))}</dd>"
        for label, key in (("Correlation ID", "correlation_id"), ("Trace ID", "trace_id"), ("Timestamp", "timestamp"))
    )
    return _page(
        "Sign in failed",
        "<h1>Sorry, but we’re having trouble signing you in.</h1>"
        f'<p class="error" role="alert" id="error">{escape(error.message)}</p><dl>{details}</dl>',
        directory,
    )


def _person(directory: Directory, user: User, suggested: bool) -> str:
    names = [group.name for group in directory.groups_of(user.object_id)]
    chips = "".join(f'<span class="chip">{escape(name)}</span>' for name in names or ["no groups"])
    initials = "".join(word[:1] for word in user.name.split()[:2]).upper()
    current = ' aria-current="true" autofocus' if suggested else ""
    return (
        f'<button class="person" name="user" value="{escape(user.key)}"{current}>'
        f'<span class="avatar" aria-hidden="true">{escape(initials)}</span><span class="who">'
        f'<span class="name">{escape(user.name)}</span><span class="mail">{escape(user.mail)}</span>'
        f'<span class="chips">{chips}</span></span></button>'
    )


def _form(action: str, transaction: str, inner: str) -> str:
    hidden = f'<input type="hidden" name="transaction" value="{escape(transaction)}">'
    return f'<form method="post" action="{escape(action)}">{hidden}{inner}</form>'


def _page(title: str, content: str, directory: Directory) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><style>{STYLE}</style></head><body><main>'
        f'<p class="brand">{_LOGO}<span>Local stand-in for Microsoft Entra ID</span></p>{content}'
        f"<footer><p>No passwords here: these people exist on this machine only.</p><p>Tenant "
        f"{escape(directory.tenant_id)}</p></footer></main></body></html>"
    )
