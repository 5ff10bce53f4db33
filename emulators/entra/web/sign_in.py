"""The browser's way: authorize, pick an account, consent, back to the client. Also the page of the device flow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from emulators.entra import authorize as rules
from emulators.entra import consent, pages, scopes
from emulators.entra.authorize import Request as SignInRequest
from emulators.entra.consent import Decision
from emulators.entra.devices import Device
from emulators.entra.directory import Application, Scope, User
from emulators.entra.errors import EntraError
from emulators.entra.issuer import Issuer
from emulators.entra.scopes import Wanted
from emulators.entra.stores import LapsedTokenError, SpentTokenError, UnknownTokenError
from emulators.entra.web import forms
from emulators.entra.web.responses import error_page, error_to_client, issuer_of, page, to_client

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Step:
    """What a page's transaction stands for. `user` is set once a person was picked, `asked` is what they see."""

    goal: SignInRequest | Device
    user: User | None = None
    asked: tuple[Scope, ...] = ()


def on_a_page(endpoint: Endpoint) -> Endpoint:
    """Shows what the endpoint refuses on an error page."""

    async def shown(request: Request) -> Response:
        try:
            return await endpoint(request)
        except EntraError as error:
            return error_page(request, error)

    return shown


@on_a_page
async def authorize(request: Request) -> Response:
    issuer = issuer_of(request)
    parameters = await forms.form(request) if request.method == "POST" else forms.query(request)
    destination = rules.locate(issuer, request.path_params["tenant"], parameters)
    try:
        wanted = rules.examine(issuer, destination, parameters)
    except EntraError as error:
        return error_to_client(request, destination, error)
    return _pick_an_account(issuer, wanted)


@on_a_page
async def login(request: Request) -> Response:
    """The account page's form."""
    issuer = issuer_of(request)
    fields = await _own_form(request)
    step = _take(issuer, fields)
    if step.user is not None:
        raise EntraError(9002313, reason="This page was left; start again from the application.")
    if "cancel" in fields:
        return _declined(request, step)
    user = issuer.directory.user(fields.get("user", ""))
    if user is None:
        raise EntraError(50034, user=repr(fields.get("user")), tenant=issuer.directory.tenant_id)
    client, decision = _decide(issuer, step.goal, user)
    asked = decision.missing
    if isinstance(step.goal, SignInRequest) and step.goal.prompt == "consent":
        asked = _named(step.goal.wanted, decision)
    if not asked:
        return _finish(request, Step(step.goal, user))
    transaction = issuer.pages.issue(Step(step.goal, user, asked))
    html = pages.consent(issuer.directory, _action(issuer, "consent"), transaction, client.name, user, asked)
    return page(html, redirect_uri=_redirect_uri(step.goal))


@on_a_page
async def consented(request: Request) -> Response:
    """The consent page's form."""
    issuer = issuer_of(request)
    fields = await _own_form(request)
    step = _take(issuer, fields)
    if step.user is None:
        raise EntraError(9002313, reason="This page was left; start again from the application.")
    if "accept" not in fields:
        return _declined(request, step)
    client, wanted = _client_and_wanted(issuer, step.goal)
    issuer.consents.remember(step.user, client, wanted.resource, step.asked)
    return _finish(request, step)


@on_a_page
async def device_login(request: Request) -> Response:
    """The person types the code that the device shows, then picks an account."""
    issuer = issuer_of(request)
    action = "/devicelogin"
    if request.method == "GET":
        return page(pages.device_login(issuer.directory, action))
    device = issuer.devices.by_user_code((await _own_form(request)).get("user_code", ""))
    if device is None:
        message = "That code didn't work. Check the code and try again."
        return page(pages.device_login(issuer.directory, action, message), status=400)
    transaction = issuer.pages.issue(Step(device))
    name = issuer.client(device.client_id).name
    return page(pages.sign_in(issuer.directory, _action(issuer, "login"), transaction, name, device=True))


def _pick_an_account(issuer: Issuer, wanted: SignInRequest) -> Response:
    transaction = issuer.pages.issue(Step(wanted))
    name = wanted.destination.client.name
    html = pages.sign_in(issuer.directory, _action(issuer, "login"), transaction, name, wanted.login_hint)
    return page(html, redirect_uri=wanted.destination.redirect_uri)


async def _own_form(request: Request) -> dict[str, str]:
    """The form of one of our pages: a browser must say that it came from here."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign or site not in (None, "same-origin", "none"):
        raise EntraError(9002313, reason="The form was sent from another site.")
    return await forms.form(request)


def _take(issuer: Issuer, fields: dict[str, str]) -> Step:
    try:
        step = issuer.pages.redeem(fields.get("transaction", ""))
    except (UnknownTokenError, SpentTokenError, LapsedTokenError):
        raise EntraError(
            9002313, reason="This page was used or has expired; start again from the application."
        ) from None
    if not isinstance(step, Step):
        raise TypeError("a page transaction holds no step")
    return step


def _decide(issuer: Issuer, goal: SignInRequest | Device, user: User) -> tuple[Application, Decision]:
    client, wanted = _client_and_wanted(issuer, goal)
    issuer.require_assignment(user, client, wanted.resource)
    return client, consent.decide(issuer.directory, issuer.consents, client, user, wanted)


def _client_and_wanted(issuer: Issuer, goal: SignInRequest | Device) -> tuple[Application, Wanted]:
    if isinstance(goal, SignInRequest):
        return goal.destination.client, goal.wanted
    client = issuer.client(goal.client_id)
    return client, scopes.parse(issuer.directory, client, goal.scope)


def _named(wanted: Wanted, decision: Decision) -> tuple[Scope, ...]:
    found = (wanted.resource.scope(value) for value in decision.granted)
    return tuple(scope for scope in found if scope is not None)


def _finish(request: Request, step: Step) -> Response:
    issuer = issuer_of(request)
    if step.user is None:
        raise TypeError("a sign-in cannot finish without a user")
    if isinstance(step.goal, Device):
        step.goal.user_id = step.user.object_id
        return page(pages.done(issuer.directory, "You have signed in", "You may now close this window and go back."))
    code = rules.issue_code(issuer, step.goal, step.user)
    return to_client(request, step.goal.destination, {"code": code})


def _declined(request: Request, step: Step) -> Response:
    issuer = issuer_of(request)
    if isinstance(step.goal, Device):
        step.goal.declined = True
        return page(pages.done(issuer.directory, "Cancelled", "The other device was not signed in."))
    return error_to_client(request, step.goal.destination, EntraError(65004))


def _redirect_uri(goal: SignInRequest | Device) -> str | None:
    return goal.destination.redirect_uri if isinstance(goal, SignInRequest) else None


def _action(issuer: Issuer, name: str) -> str:
    return f"/{issuer.directory.tenant_id}/{name}"
