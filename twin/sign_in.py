"""Signs one of the twin's people in without a browser: authorization code with PKCE, through the real pages."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from twin.errors import TwinError

TIMEOUT = 15
"""Seconds per request."""


class SignInError(TwinError):
    """The issuer refused, or did not answer as an issuer does."""


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    text: str


Send = Callable[[str, str, Mapping[str, str] | None], Answer]
"""Method, URL and form fields to an answer; redirects are not followed."""


def sign_in(
    authority: str,
    client_id: str,
    scope: str,
    user: str,
    *,
    redirect_uri: str = "http://localhost/callback",
    send: Send | None = None,
) -> str:
    """An access token for `scope`. `authority` is the v2.0 issuer's URL; `user` is a short name of the directory.

    Raises SignInError in one sentence, with the AADSTS code where the issuer gave one.
    """
    ask = send or _send
    endpoints = _json(
        ask("GET", f"{authority.rstrip('/')}/.well-known/openid-configuration", None), "the discovery document"
    )
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    query = {
        "client_id": client_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
        "prompt": "select_account",
    }
    start = f"{endpoints['authorization_endpoint']}?{urlencode(query)}"
    landed = _walk(ask, start, user, redirect_uri)
    if not secrets.compare_digest(landed.get("state", ""), state):
        raise SignInError(
            f"the issuer at {authority} returned another state than it was sent; check what is in between"
        )
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": landed["code"],
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    token = _json(ask("POST", endpoints["token_endpoint"], form), "the token response").get("access_token")
    if not isinstance(token, str):
        raise SignInError(f"the token endpoint of {authority} answered without an access token")
    return token


def _walk(ask: Send, url: str, user: str, redirect_uri: str) -> dict[str, str]:
    """From the authorize URL to the parameters at the redirect URI: pick the account, accept what is asked."""
    answer = ask("GET", url, None)
    for _ in range(3):
        if answer.location:
            url = urljoin(url, answer.location)
            if url.startswith(redirect_uri):
                return _landed(url)
            answer = ask("GET", url, None)
            continue
        page = _Page.read(answer)
        url = urljoin(url, page.action)
        answer = ask("POST", url, {**page.hidden, **page.button(user)})
    if answer.location.startswith(redirect_uri):
        return _landed(answer.location)
    raise SignInError(f"the sign-in at {url} did not return to {redirect_uri}; its last answer was {answer.status}")


def _landed(url: str) -> dict[str, str]:
    found = dict(parse_qsl(urlsplit(url).query))
    if "code" not in found:
        reason = found.get("error_description") or found.get("error") or "no code"
        raise SignInError(f"the issuer refused the sign-in: {_one_sentence(reason)}")
    return found


class _Page(HTMLParser):
    """The one form of an issuer's page, or its error."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self._buttons: list[tuple[str, str]] = []
        self._error = ""
        self._in_error = False

    @classmethod
    def read(cls, answer: Answer) -> _Page:
        page = cls()
        page.feed(answer.text)
        if page._error:
            raise SignInError(f"the issuer refused the sign-in: {_one_sentence(page._error)}")
        if not page.action:
            raise SignInError(f"the issuer answered {answer.status} with a page that has no form")
        return page

    def button(self, user: str) -> dict[str, str]:
        """Accept where consent is asked for, else the user's own button."""
        if ("accept", "1") in self._buttons:
            return {"accept": "1"}
        people = [value for name, value in self._buttons if name == "user"]
        if user not in people:
            raise SignInError(f"the sign-in page has no user {user!r}; it offers {', '.join(people) or 'nobody'}")
        return {"user": user}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values.get("action", "")
        elif tag == "input" and values.get("type") == "hidden":
            self.hidden[values.get("name", "")] = values.get("value", "")
        elif tag == "button" and "name" in values:
            self._buttons.append((values["name"], values.get("value", "")))
        self._in_error = values.get("id") == "error"

    def handle_data(self, data: str) -> None:
        if self._in_error:
            self._error += data

    def handle_endtag(self, tag: str) -> None:
        self._in_error = False


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _json(answer: Answer, what: str) -> dict[str, Any]:
    try:
        found = json.loads(answer.text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SignInError(f"{what} is not JSON (status {answer.status}); check `invoke status`")
    if answer.status != 200:
        reason = found.get("error_description") or found.get("error") or f"status {answer.status}"
        raise SignInError(f"the issuer refused {what}: {_one_sentence(str(reason))}")
    return found


def _one_sentence(text: str) -> str:
    """Entra's text without trace and correlation ids, which nobody can look up here."""
    return " ".join(text.partition(" Trace ID:")[0].split())


def _send(method: str, url: str, form: Mapping[str, str] | None) -> Answer:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, urlencode(form) if form is not None else None, headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        return Answer(response.status, response.headers.get("Location", ""), text)
    except (OSError, http.client.HTTPException) as error:
        raise SignInError(
            f"the issuer at {parts.netloc} does not answer ({error}); start it with `invoke deploy`"
        ) from error
    finally:
        connection.close()
