"""Routing: where requests go, and what comes back."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from emulators.apim.elements import Element, element
from emulators.apim.errors import MissingReference, missing
from emulators.apim.failures import Failure, UpstreamError
from emulators.apim.headers import forwardable
from emulators.apim.messages import Context, Request, Response, Run, Url, parse_base, parse_url


@element(
    "set-backend-service",
    partial="no Service Fabric attributes, no Dapr; a base-url after an inherited backend-id counts",
)
def set_backend_service(element: Element) -> Run:
    if element.has("base-url") == element.has("backend-id"):
        element.invalid("<set-backend-service> needs either base-url or backend-id", "backend-id")
        return lambda context: None
    return _by_id(element) if element.has("backend-id") else _by_url(element)


def _by_id(element: Element) -> Run:
    value = element.value("backend-id")
    known = element.builder.references.backends
    if value.literal is not None and value.literal not in known:
        message = missing("backend", repr(value.literal), element.builder.references.given_by)
        element.report(MissingReference(message, where=element.where, name=value.literal))

    def run(context: Context) -> None:
        backend: Any = context.services.backends.get(value.text(context))
        if backend is None:
            raise Failure(500, "BackendNotFound", f"Backend with id '{value.text(context)}' could not be found.")
        context.request.base, context.request.backend_id = backend.url, backend.id

    return run


def _by_url(element: Element) -> Run:
    value = element.value("base-url")
    fixed = None
    if value.literal is not None:
        fixed = parse_base(value.literal)
        if fixed is None:
            element.invalid(f"'base-url' must be an absolute http or https URL, not {value.literal!r}", "base-url")

    def run(context: Context) -> None:
        base = fixed or parse_base(value.text(context))
        if base is None:
            raise Failure(500, "BackendUrlInvalid", f"'{value.text(context)}' is not an absolute URL.")
        context.request.base, context.request.backend_id = base, None

    return run


MAX_REDIRECTS = 10


@element(
    "forward-request", partial="HTTP/1.1 only; request bodies are always buffered, so a retry can always repeat them"
)
def forward_request(element: Element) -> Run:
    """`timeout` is the wait for the response's headers. With `buffer-response` chunks are gathered to 8 KB first."""
    seconds, millis = element.number("timeout"), element.number("timeout-ms")
    buffered, redirects = element.flag("buffer-response"), element.flag("follow-redirects")
    strict = element.flag("fail-on-error-status-code")
    if element.literal("http-version") == "2":
        element.invalid(
            "the local gateway speaks HTTP/1.1 to backends: 'http-version' must be 1 or 2or1", "http-version"
        )

    async def run(context: Context) -> None:
        timeout = millis(context) / 1000 or seconds(context)
        response = await (_send(context, timeout) if redirects(context) else _direct(context, timeout))
        response.buffered = buffered(context)
        context.response.discard()
        context.response = response
        if strict(context) and response.status >= 400:
            raise Failure(response.status, "BackendErrorStatusCode", f"The backend answered {response.status}.")

    return run


def _direct(context: Context, wait: float) -> Awaitable[Response]:
    request = context.request
    body = request.body.data if request.body is not None else None
    return _once(context, request.method, _url(request), forwardable(request, context), body, wait)


def _url(request: Request) -> Url:
    if request.base is None:
        raise Failure(500, "BackendNotSet", "The API has no service URL and no policy set a backend.")
    return request.url


async def _send(context: Context, wait: float) -> Response:
    """As `_direct`, and on to where redirects lead."""
    request = context.request
    url, method = _url(request), request.method
    body = request.body.data if request.body is not None else None
    headers = forwardable(request, context)
    for _ in range(MAX_REDIRECTS):
        response = await _once(context, method, url, headers, body, wait)
        target = _redirect(response, url)
        if target is None:
            return response
        if response.status == 303:
            method, body = "GET", None
        response.discard()
        url = target
    raise Failure(500, "BackendConnectionFailure", "The backend redirected too often.")


async def _once(
    context: Context, method: str, url: Url, headers: list[tuple[str, str]], body: bytes | None, wait: float
) -> Response:
    breaker = context.services.breakers.get(context.request.backend_id)
    if breaker is not None and not breaker.closed():
        raise Failure(
            503, "BackendUnavailable", "The backend's circuit breaker is open.", headers=breaker.retry_after()
        )
    try:
        response: Response = await context.services.upstream.send(method, url, headers, body, wait)
    except UpstreamError as error:
        if breaker is not None:
            breaker.failed(error.reason)
        raise Failure(500, error.reason, str(error)) from error
    if response.status == 401:
        context.services.identity.refused(context.request.headers.joined("authorization", ""))
    if breaker is not None:
        breaker.answered(response.status, response.headers.joined("retry-after"))
    return response


def _redirect(response: Response, url: Url) -> Url | None:
    """Where a redirect leads, absolute or from the root; anything else goes to the caller."""
    location = response.headers.joined("Location")
    if response.status not in (301, 302, 303, 307, 308) or not location:
        return None
    return parse_url(location) if "://" in location else parse_url(f"{url.scheme}://{url.authority}{location}")
