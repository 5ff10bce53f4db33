"""What `invoke verify` tries through the front door, as anybody could."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from emulators.base.errors import EmulatorError
from ops.checks import smoke
from ops.clients import access_token, outputs, people, rate_limit
from ops.clients.outputs import Platform
from ops.config.environment import Environment
from ops.config.roles import ALIASES, OUTSIDER
from ops.config.servers import acts_as_caller, is_of_others
from ops.errors import OpsError, SmokeError

_TIMEOUT = 15.0
_MCP = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


class NotRun(Exception):
    """Why a check cannot tell; not a failure."""


@dataclass(frozen=True)
class Target:
    """What is checked: an environment, and the platform as its outputs describe it."""

    environment: Environment
    platform: Platform

    @property
    def server(self) -> str:
        """The first entry of mcp_servers, which stands for the others too."""
        return next(iter(outputs.in_order(self.environment, self.platform)))

    @property
    def endpoint(self) -> str:
        return self.platform.endpoints[self.server]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    def json(self, url: str) -> dict[str, Any]:
        require(self.status == 200, f"{url} answers {self.status}, where 200 is right")
        try:
            found = json.loads(self.text)
        except ValueError:
            found = None
        require(isinstance(found, dict), f"{url} answers no JSON object")
        return dict(found)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def ask(
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    method: str | None = None,
    waits: bool = True,
) -> Answer:
    """Send one request, following no redirect; SmokeError where nothing answers. `waits`: a limit is waited out."""
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310 - the platform's own URLs
    try:
        answer = urllib.request.build_opener(_NoRedirect(), *smoke.proxies(url)).open(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        answer = error
    except (OSError, http.client.HTTPException) as error:
        raise SmokeError(f"{url} does not answer ({error})") from error
    with answer:
        lower = {name.lower(): value for name, value in answer.headers.items()}
        if waits and rate_limit.waited(int(answer.status), lower):
            return ask(url, body, headers, method=method, waits=False)
        return Answer(int(answer.status), lower, answer.read().decode("utf-8", "replace"))


def require(holds: bool, broken: str) -> None:
    """Raise SmokeError with that sentence unless it holds."""
    if not holds:
        raise SmokeError(broken)


def challenge(target: Target) -> str:
    answer = _listed(target, None)
    require(answer.status == 401, f"{target.endpoint} answers {answer.status}, where 401 is right")
    given = answer.headers.get("www-authenticate", "")
    url = _metadata_url(target)
    require(f'resource_metadata="{url}"' in given, f"the challenge is {given!r}, without resource_metadata={url}")
    require(target.platform.scope in given, f"the challenge is {given!r}, without the scope {target.platform.scope}")
    return given


def preflight(target: Target) -> str:
    """The `cors` policy that answers it stands in a fragment."""
    origins = target.environment.variables.get("allowed_origins") or []
    if not origins:
        raise NotRun("allowed_origins is empty, so no browser calls this platform")
    asked = {"Origin": str(origins[0]), "Access-Control-Request-Method": "POST"}
    answer = ask(target.endpoint, None, asked, method="OPTIONS")
    allowed = answer.headers.get("access-control-allow-origin")
    require(allowed == origins[0], f"a pre-flight from {origins[0]} is answered {answer.status} with {allowed!r}")
    return str(allowed)


def metadata(target: Target) -> str:
    found = ask(_metadata_url(target)).json(_metadata_url(target))
    require(found.get("resource") == target.endpoint, f"resource is {found.get('resource')!r}, not {target.endpoint!r}")
    return target.endpoint


def issuer(target: Target) -> str:
    advertised = _advertised(target)
    found = _server(advertised)
    require(found.get("issuer") == advertised, f"issuer is {found.get('issuer')!r}, not {advertised!r}")
    return advertised


def pkce(target: Target) -> str:
    methods = _server(_facade(target)).get("code_challenge_methods_supported")
    require(methods == ["S256"], f"code_challenge_methods_supported is {methods!r}, not ['S256']")
    return "S256"


def unknown_resource(target: Target) -> str:
    url = str(_server(_facade(target))["authorization_endpoint"])
    asked = {
        "client_id": target.platform.client_id,
        "response_type": "code",
        "redirect_uri": "http://127.0.0.1/",
        "scope": target.platform.scope,
        "state": "verify",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636, appendix B
        "code_challenge_method": "S256",
        "resource": "https://elsewhere.example/mcp",
    }
    answer = ask(f"{url}?{urlencode(asked)}")
    where = answer.headers.get("location", "")
    sent_on = answer.status in (301, 302, 303, 307) and "invalid_target" not in where
    require(not sent_on, f"{url} sends a request for another resource on to {where}")
    require("invalid_target" in answer.text + where, f"{url} answers {answer.status} without invalid_target")
    return "invalid_target"


def unknown_redirect(target: Target) -> str:
    url = str(_server(_facade(target))["registration_endpoint"])
    body = json.dumps({"redirect_uris": ["https://elsewhere.example/callback"]}).encode()
    answer = ask(url, body, {"Content-Type": "application/json"})
    require(
        answer.status == 400 and "invalid_redirect_uri" in answer.text, f"{url} answers {answer.status} {answer.text}"
    )
    return "invalid_redirect_uri"


def authority(target: Target) -> str:
    url = f"{target.platform.authority}/.well-known/openid-configuration"
    found = ask(url).json(url)
    require(found.get("issuer") == target.platform.authority, f"issuer is {found.get('issuer')!r} at {url}")
    return target.platform.authority


def garbage(target: Target) -> str:
    answer = _listed(target, "e30.e30.e30")
    require(answer.status == 401, f"{target.endpoint} answers {answer.status} to an unsigned token, where 401 is right")
    return "401"


def admin(target: Target) -> str:
    seen = _seen(target, "admin")
    tiers = (target.environment.servers.get(target.server) or {}).get("tiers") or {}
    if not any(tier.get("connection") == "read-write" for tier in tiers.values()):
        raise NotRun(f"{target.server} does not write")
    require(bool(seen.writes), f"the administrator sees no tool that writes: {', '.join(sorted(seen.tools))}")
    return f"{len(seen.writes)} tools that write"


def reader(target: Target) -> str:
    seen = _seen(target, "reader")
    require(not seen.writes, f"the reader sees tools that write: {', '.join(sorted(seen.writes))}")
    return smoke.answered(seen)


def stranger(target: Target) -> str:
    answer = _listed(target, _token(target, OUTSIDER))
    require(answer.status == 403, f"{target.endpoint} answers {answer.status} to somebody without a role")
    return "403"


def exchange(target: Target) -> str:
    """Each server that acts as its caller, asked as a person: 502 is an exchange that Entra ID did not make."""
    servers = [name for name in target.platform.endpoints if acts_as_caller(target.environment.servers.get(name))]
    if not servers:
        raise NotRun("no server acts as its caller")
    for server in servers:
        answer = _listed(target, _person(target, server), target.platform.endpoints[server])
        sentence = f"{server} answers {answer.status} {_message(answer)}".rstrip(" .")
        if answer.status == 401 and "insufficient_claims" in answer.headers.get("www-authenticate", ""):
            raise NotRun(f"{sentence} (conditional access); sign in with what it asks for and run this again")
        if answer.status == 403 and "holds no role" in answer.text:
            raise NotRun(f"{sentence}; sign in as somebody who may call it")
        remedy = (
            "; a federated credential counts minutes after it was made, then `az ad app federated-credential list` and "
            "the sign-in logs of Entra ID say why"
        )
        require(answer.status == 200, f"{sentence}{remedy if answer.status == 502 else ''}")
    return f"{', '.join(servers)}: called as a person"


def _person(target: Target, server: str) -> str:
    """Return a token of a person who may call a server; on Azure of whoever is signed in."""
    if target.environment.is_local:
        return _token(target, people.signs_in_as(target.environment, target.platform).get(server, ALIASES[0]))
    try:
        token = access_token.signed_in(target.platform)
    except OpsError as error:
        raise NotRun(f"needs a person: {error}") from error
    if not access_token.claims(token).get("scp"):
        raise NotRun("needs a person, and an application is signed in, which has nobody to act for")
    return token


def _message(answer: Answer) -> str:
    """The sentence of a JSON-RPC error; nothing where there is none."""
    try:
        return str(json.loads(answer.text)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return ""


def registry(target: Target) -> str:
    """Every server is listed, and found by its name with an encoded slash in it.

    Whether API Management decodes %2F before it matches an operation is not documented.
    """
    if not target.platform.registry:
        raise NotRun('mcp_registry.access is "off"')
    closed = (target.environment.variables.get("mcp_registry") or {}).get("access") == "signed-in"
    headers = {"Authorization": f"Bearer {_token(target, 'reader')}"} if closed else {}
    url = f"{target.platform.registry}/v0.1/servers"
    listed: dict[str, str] = {}
    cursor = ""
    while True:
        found = ask(f"{url}?{urlencode({'limit': 100, 'cursor': cursor})}", None, headers).json(url)
        for entry in found.get("servers") or ():
            listed[str(entry["server"]["name"])] = str(entry["server"]["remotes"][0]["url"])
        cursor = str((found.get("metadata") or {}).get("nextCursor") or "")
        if not cursor:
            break
    unknown = set(listed.values()) - set(target.platform.endpoints.values())
    require(bool(listed) and not unknown, f"{url} lists {', '.join(sorted(unknown)) or 'nothing'}")
    missing = set(target.platform.endpoints.values()) - set(listed.values())
    require(closed or not missing, f"{url} does not list {', '.join(sorted(missing))}")
    for name in listed:
        one = f"{url}/{quote(name, safe='')}/versions/latest"
        require(ask(one, None, headers).json(one)["server"]["name"] == name, f"{one} is about another server")
    return f"{len(listed)} servers"


def software(target: Target) -> str:
    """An answer of a server says neither `Server` nor `X-Powered-By`: the global policy deletes both.

    "Set header", usage notes (2024-03-18), says that removal of `Server` is not supported, and not what happens then.
    Policies of outbound see what a backend answers, so it takes a call that reaches one.
    """
    answer = _listed(target, _token(target, "reader"))
    require(answer.status == 200, f"{target.endpoint} answers {answer.status}, where 200 is right")
    said = [f"{name}: {answer.headers[name]}" for name in ("server", "x-powered-by") if name in answer.headers]
    require(not said, f"{target.endpoint} answers with {', '.join(said)}")
    return "neither Server nor X-Powered-By"


def document_redirect(target: Target) -> str:
    """API Management follows no redirect when it fetches a client's metadata document; that is not documented.

    Ask it for an address of a trusted host that redirects, where there is one: it must say that it saw the redirect.
    """
    for url in _trusted(target, "index.html", "login", "oauth", "docs"):
        try:
            moved = ask(url).status in (301, 302, 303, 307, 308)
        except SmokeError:
            continue
        if moved:
            said = _started_by(target, url)
            require("with status 3" in said, f"asked for {url}, which redirects, the façade says: {said}")
            return f"{url} is not followed"
    raise NotRun("no host in metadata_hosts of mcp_clients has an address that redirects")


def document_certificate(target: Target) -> str:
    """API Management checks certificates when it fetches a client's metadata document; that is not documented.

    Only a trusted host whose certificate is bad can show it, so a platform in order cannot run this.
    """
    for url in _trusted(target, "client.json"):
        try:
            ask(url)
        except SmokeError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                continue
            said = _started_by(target, url)
            require("cannot be fetched" in said, f"{url} has a bad certificate, and the façade says: {said}")
            return f"{url} is not taken"
    raise NotRun(
        "every trusted host has a good certificate; in a test environment add expired.badssl.com to metadata_hosts of "
        "an entry in mcp_clients, deploy, and run this again"
    )


def _trusted(target: Target, *paths: str) -> list[str]:
    """Return addresses on hosts all of whose documents the façade fetches."""
    if target.environment.is_local:
        raise NotRun("only Azure can prove it: the twin would agree with itself")
    found = _server(_facade(target))
    if not found.get("client_id_metadata_document_supported"):
        raise NotRun("client_registration.metadata_documents is false")
    clients = (target.environment.variables.get("mcp_clients") or {}).values()
    hosts = sorted({str(host) for client in clients for host in client.get("metadata_hosts") or ()})
    return [f"https://{host}/{path}" for host in hosts for path in paths]


def _started_by(target: Target, client: str) -> str:
    """Return what the façade says to a sign-in that this client starts."""
    url = str(_server(_facade(target))["authorization_endpoint"])
    asked = {"client_id": client, "response_type": "code", "redirect_uri": "http://127.0.0.1/", "state": "verify"}
    return ask(f"{url}?{urlencode(asked)}").text


def _seen(target: Target, user: str) -> smoke.Seen:
    seen = asyncio.run(smoke.see(target.endpoint, _token(target, user), user))
    of_others = is_of_others(target.environment.servers.get(target.server))
    smoke.require_reading_call(target.endpoint, user, seen, of_others=of_others)
    return seen


def _token(target: Target, user: str) -> str:
    try:
        return access_token.mint(target.environment, target.platform, user)
    except (OpsError, EmulatorError) as error:
        raise NotRun(f"needs a test identity: {error}") from error


def _listed(target: Target, bearer: str | None, endpoint: str = "") -> Answer:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    return ask(endpoint or target.endpoint, body, {**_MCP, **({"Authorization": f"Bearer {bearer}"} if bearer else {})})


def _metadata_url(target: Target) -> str:
    """Return the URL of RFC 9728, 3.1: the well-known part goes between host and path."""
    parts = urlsplit(target.endpoint)
    return f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource{parts.path}"


def _advertised(target: Target) -> str:
    servers = ask(_metadata_url(target)).json(_metadata_url(target)).get("authorization_servers") or []
    require(len(servers) == 1, f"authorization_servers is {servers!r}, where one is right")
    return str(servers[0])


def _facade(target: Target) -> str:
    advertised = _advertised(target)
    if advertised == target.platform.authority:
        raise NotRun("the façade is off (oauth_facade_enabled = false): clients sign in at Entra itself")
    return advertised


def _server(advertised: str) -> dict[str, Any]:
    """Ask for metadata as RFC 8414 has it, else OpenID Connect Discovery, which is all that Entra has."""
    if re.search(r"/v2\.0$", advertised):
        url = f"{advertised}/.well-known/openid-configuration"
    else:
        url = f"{advertised.rstrip('/')}/.well-known/oauth-authorization-server"
    return ask(url).json(url)
