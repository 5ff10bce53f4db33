"""Answers with the headers that belong on each kind of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from emulators.entra import errors, pages
from emulators.entra.authorize import Destination
from emulators.entra.errors import EntraError
from emulators.entra.issuer import Issuer

NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
ANYONE = {"Access-Control-Allow-Origin": "*"}


def issuer_of(request: Request) -> Issuer:
    issuer = request.app.state.issuer
    if not isinstance(issuer, Issuer):
        raise TypeError("the application was made without an issuer")
    return issuer


def note(request: Request, text: str) -> None:
    """What the log line of this request says besides method, path and status: a code, never a value."""
    request.state.note = text


def page(html: str, status: int = 200, redirect_uri: str | None = None) -> Response:
    headers = {
        **NO_STORE,
        "Content-Security-Policy": pages.content_security_policy(redirect_uri),
        "X-Frame-Options": "DENY",
        # Not `no-referrer`: with it browsers send `Origin: null` on the form's POST, which is checked.
        "Referrer-Policy": "same-origin",
    }
    return HTMLResponse(html, status, headers)


def error_page(request: Request, error: EntraError) -> Response:
    issuer = issuer_of(request)
    note(request, f"AADSTS{error.code}")
    return page(pages.refusal(issuer.directory, error, _body(request, error)), status=400)


def error_json(request: Request, error: EntraError) -> Response:
    note(request, f"AADSTS{error.code}")
    return JSONResponse(_body(request, error), error.status, {**NO_STORE, **ANYONE})


def to_client(request: Request, destination: Destination, parameters: Mapping[str, str]) -> Response:
    """Sends the browser back to the client, in the response mode it asked for."""
    if destination.response_mode == "form_post":
        issuer = issuer_of(request)
        html = pages.form_post(issuer.directory, destination.redirect_uri, destination.answer(parameters))
        return page(html, redirect_uri=destination.redirect_uri)
    return RedirectResponse(destination.location(parameters), 302, {**NO_STORE, "Referrer-Policy": "no-referrer"})


def error_to_client(request: Request, destination: Destination, error: EntraError) -> Response:
    note(request, f"AADSTS{error.code}")
    body = _body(request, error)
    names = ("error", "error_description", "error_uri")
    return to_client(request, destination, {name: str(body[name]) for name in names})


def _body(request: Request, error: EntraError) -> dict[str, Any]:
    correlation = request.headers.get("client-request-id")
    return errors.body(error, issuer_of(request).clock(), correlation if _is_guid(correlation) else None)


def _is_guid(text: str | None) -> bool:
    return text is not None and len(text) == 36 and set(text.lower()) <= set("0123456789abcdef-")
