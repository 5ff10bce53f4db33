"""Requests that a policy sends itself."""

from __future__ import annotations

import asyncio
import logging

from emulators.apim.elements import Element, element
from emulators.apim.failures import Failure, UpstreamError
from emulators.apim.headers import end_to_end
from emulators.apim.messages import Body, Context, ManyValues, Request, Response, Run, Url, parse_url
from emulators.apim.policies.authentication import TokenSource, token_source
from emulators.apim.policies.transformation import EDITS, Edit
from emulators.apim.services import SENDING
from emulators.apim.values import Value

_log = logging.getLogger(__name__)


@element("send-one-way-request", partial="no client certificates, no proxy")
def send_one_way_request(element: Element) -> Run:
    """Evaluated at once, sent without waiting; how it ends changes nothing but the log."""
    mode, timeout = element.choice("mode"), element.number("timeout")
    url, edits, tokens = _children(element)
    if element.value("mode").literal == "new" and (url is None or element.child("set-method") is None):
        element.invalid("<send-one-way-request> needs <set-url> and <set-method> unless mode is copy", "set-url")

    async def send(context: Context, request: Request, target: Url | None, wait: float) -> None:
        SENDING.set(element.tag)
        try:
            for token in tokens:
                request.headers.set("Authorization", [f"Bearer {await token.fetch(context)}"])
            await _send(context, request, target, wait)
        except Failure as failure:
            _log.warning("<send-one-way-request> failed: %s", failure.message)

    def run(context: Context) -> None:
        request = _copied(context) if mode(context) == "copy" else _blank(context)
        for edit in edits:
            edit(context, request)
        target = parse_url(url.text(context)) if url is not None else request.url
        task = asyncio.ensure_future(send(context, request, target, timeout(context)))
        context.services.unawaited.add(task)
        task.add_done_callback(context.services.unawaited.discard)

    return run


@element("send-request", partial="no client certificates, no proxy")
def send_request(element: Element) -> Run:
    """Stores the response, read to its end, in a variable. With `ignore-error` a failed call stores null."""
    mode, variable = element.choice("mode"), element.value("response-variable-name")
    timeout, ignore = element.number("timeout"), element.flag("ignore-error")
    url, edits, tokens = _children(element)
    if url is None and element.value("mode").literal == "new":
        element.invalid("<send-request> needs <set-url> unless mode is copy", "set-url")

    async def run(context: Context) -> None:
        request = _copied(context) if mode(context) == "copy" else _blank(context)
        for edit in edits:
            edit(context, request)
        try:
            for token in tokens:
                request.headers.set("Authorization", [f"Bearer {await token.fetch(context)}"])
            target = parse_url(url.text(context)) if url is not None else request.url
            response = await _send(context, request, target, timeout(context))
        except Failure:
            if not ignore(context):
                raise
            response = None
        context.variables[variable.text(context)] = response

    return run


def _children(element: Element) -> tuple[Value | None, list[Edit], list[TokenSource]]:
    url, edits, tokens = None, [], []
    for child in element.children():
        if child.tag == "set-url":
            url = child.trimmed()
        elif child.tag == "authentication-managed-identity":
            tokens.append(token_source(child))
        else:
            edits.append(EDITS[child.tag](child))
    return url, edits, tokens


def _blank(context: Context) -> Request:
    original = context.request.original
    return Request("GET", original, "/", "", ManyValues(), None, context.request.ip)


def _copied(context: Context) -> Request:
    """In outbound the copy has no body."""
    request = context.request
    body = Body(request.body.data) if request.body is not None else None
    headers = ManyValues(end_to_end(request))
    return Request(
        request.method,
        request.original,
        request.path,
        request.query,
        headers,
        body,
        request.ip,
        request.parameters,
        request.base,
        host=request.host,
    )


async def _send(context: Context, request: Request, url: Url | None, wait: float) -> Response:
    if url is None:
        raise Failure(500, "UrlInvalid", "The URL of the request is not an absolute http or https URL.")
    body = request.body.data if request.body is not None else None
    try:
        response: Response = await context.services.upstream.send(request.method, url, end_to_end(request), body, wait)
        await response.materialise()
    except UpstreamError as error:
        raise Failure(500, error.reason, str(error)) from error
    return response
