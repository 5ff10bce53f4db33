"""The authorization request ("Microsoft identity platform and OAuth 2.0 authorization code flow").

Checked in two steps, because an error may be sent to the redirect URI only once that URI is known to be the client's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from emulators.entra import consent, scopes, strict_json
from emulators.entra.consent import Decision
from emulators.entra.directory import Application, Platform, User
from emulators.entra.errors import EntraError
from emulators.entra.issuer import Code, Issuer
from emulators.entra.redirects import platform_of
from emulators.entra.scopes import Wanted

RESPONSE_MODES = ("query", "fragment", "form_post")
PROMPTS = ("login", "none", "consent", "select_account")
UNSUPPORTED = ("request", "request_uri", "registration", "dpop_jkt", "authorization_details")
_CHALLENGE = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


@dataclass(frozen=True)
class Destination:
    """A client and a redirect URI of its own: where answers may go."""

    client: Application
    platform: Platform
    redirect_uri: str
    response_mode: str
    state: str | None

    def answer(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """What is sent to the redirect URI. There is no `iss`: Entra ID does not send one."""
        return {**parameters, "state": self.state} if self.state is not None else dict(parameters)

    def location(self, parameters: Mapping[str, str]) -> str:
        """The redirect's URL, for the query and fragment modes."""
        text, parts = urlencode(self.answer(parameters)), urlsplit(self.redirect_uri)
        if self.response_mode == "fragment":
            return urlunsplit(parts._replace(fragment=text))
        return urlunsplit(parts._replace(query=f"{parts.query}&{text}" if parts.query else text))


@dataclass(frozen=True)
class Request:
    """A request that may be shown to a person."""

    destination: Destination
    wanted: Wanted
    nonce: str | None
    challenge: str | None
    method: str
    prompt: str | None
    login_hint: str | None


def locate(issuer: Issuer, tenant: str, parameters: Mapping[str, str]) -> Destination:
    """Finds client and redirect URI. An EntraError from here is shown on a page, never sent anywhere."""
    issuer.check_tenant(tenant)
    client = issuer.client(parameters.get("client_id"))
    issuer.check_tenant(tenant, client)
    given = parameters.get("redirect_uri", "")
    platform = platform_of(client, given)
    if platform is None:
        raise EntraError(50011, redirect_uri=given, app=client.client_id)
    mode = parameters.get("response_mode", "query")
    return Destination(client, platform, given, mode if mode in RESPONSE_MODES else "query", parameters.get("state"))


def examine(issuer: Issuer, destination: Destination, parameters: Mapping[str, str]) -> Request:
    """Checks the rest. An EntraError from here goes to the redirect URI."""
    _check_protocol(destination, parameters)
    if not parameters.get("scope"):
        raise EntraError(900144, name="scope")
    wanted = scopes.parse(issuer.directory, destination.client, parameters["scope"])
    scopes.check_resource_parameter(wanted, parameters.get("resource"))
    if parameters.get("prompt") == "none":
        raise EntraError(50058)
    challenge = parameters.get("code_challenge")
    return Request(
        destination,
        wanted,
        nonce=parameters.get("nonce"),
        challenge=challenge,
        method=parameters.get("code_challenge_method", "plain"),
        prompt=parameters.get("prompt"),
        login_hint=parameters.get("login_hint"),
    )


def _check_protocol(destination: Destination, parameters: Mapping[str, str]) -> None:
    for name in UNSUPPORTED:
        if name in parameters:
            raise EntraError(901002, name=name)
    _check_claims(parameters.get("claims"))
    response_type = parameters.get("response_type")
    if not response_type:
        raise EntraError(900144, name="response_type")
    if response_type != "code":
        raise EntraError(700054, response_type=response_type)
    mode, prompt = parameters.get("response_mode", "query"), parameters.get("prompt")
    if mode not in RESPONSE_MODES:
        raise EntraError(90023, name="response_mode", reason=f"{mode} is none of {', '.join(RESPONSE_MODES)}")
    if prompt is not None and prompt not in PROMPTS:
        raise EntraError(90023, name="prompt", reason=f"{prompt} is none of {', '.join(PROMPTS)}")
    _check_challenge(destination, parameters)


def _check_claims(text: str | None) -> None:
    """MSAL announces a client's abilities as `xms_cc`, which changes nothing here; other requests are refused."""
    if text is None:
        return
    try:
        asked = strict_json.loads(text)
    except ValueError:
        raise EntraError(90023, name="claims", reason="it is not JSON") from None
    access = asked.get("access_token") if isinstance(asked, dict) and set(asked) <= {"access_token"} else None
    if asked != {} and not (isinstance(access, dict) and set(access) == {"xms_cc"}):
        raise EntraError(901002, name="claims")


def _check_challenge(destination: Destination, parameters: Mapping[str, str]) -> None:
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise EntraError(900144, name="code_challenge")
        if destination.platform is Platform.SPA:
            raise EntraError(9002325)
        return
    if method not in (None, "plain", "S256"):
        raise EntraError(90023, name="code_challenge_method", reason=f"{method} is neither S256 nor plain")
    if not _CHALLENGE.fullmatch(challenge):
        raise EntraError(501491)


def decide(issuer: Issuer, request: Request, user: User) -> Decision:
    """Whether this user may sign in to this client, and which consent is missing."""
    issuer.require_assignment(user, request.destination.client, request.wanted.resource)
    return consent.decide(issuer.directory, issuer.consents, request.destination.client, user, request.wanted)


def issue_code(issuer: Issuer, request: Request, user: User) -> str:
    destination = request.destination
    return issuer.codes.issue(
        Code(
            destination.client.client_id,
            destination.platform,
            destination.redirect_uri,
            user.object_id,
            request.wanted.text,
            request.nonce,
            request.challenge,
            request.method,
        )
    )
