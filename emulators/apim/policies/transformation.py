"""Statements that edit a message: the request or response at hand, or what `return-response`, `send-request` make."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote_plus

from emulators.apim.csharp.clr import ClrError, to_text, utf8
from emulators.apim.elements import Element, element, text_values
from emulators.apim.errors import UnsupportedExpression
from emulators.apim.failures import Failure, UpstreamError
from emulators.apim.liquid_templates import compile_template
from emulators.apim.messages import Body, Context, Request, Response, Run
from emulators.apim.values import Value

Message = Request | Response
#: Changes the message, reading the context.
Edit = Callable[[Context, Any], None]
EDITS: dict[str, Callable[[Element], Edit]] = {}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def edits(tag: str) -> Callable[[Callable[[Element], Edit]], Callable[[Element], Edit]]:
    """Registers the edit that a nested `<tag>` makes."""

    def register(build: Callable[[Element], Edit]) -> Callable[[Element], Edit]:
        EDITS[tag] = build
        return build

    return register


def on_current_message(element: Element, edit: Edit) -> Run:
    """The edit as a statement of its own: inbound and backend change the request, the other sections the response."""
    if element.builder.place.section in ("inbound", "backend", ""):
        return lambda context: edit(context, context.request)
    return lambda context: edit(context, context.response)


def nested_edits(element: Element) -> list[Edit]:
    """The edits among an element's children, in order."""
    return [EDITS[child.tag](child) for child in element.children() if child.tag in EDITS]


@edits("set-header")
def header_edit(element: Element) -> Edit:
    """Several values become one line. Without a value, `override` leaves the header away: only listed values stay."""
    name, chosen = element.value("name"), element.choice("exists-action")
    values = text_values(element, "value")
    fixed = name.literal if name.literal is not None and _TOKEN.fullmatch(name.literal) else None

    def edit(context: Context, message: Message) -> None:
        header, action = fixed or _header_name(name.text(context)), chosen(context)
        lower = header.lower()
        if lower in _UNCHANGED or (action == "delete" and lower == "host"):
            context.note(f"the header {header} stays as it is")
            return
        if action == "delete":
            message.headers.remove(header)
            return
        if action == "skip" and header in message.headers:
            return
        texts = [_one_line(value.text(context)) for value in values]
        if action == "append" and header in message.headers:
            texts = [*message.headers[header], *texts]
        if not texts:
            message.headers.remove(header)
        elif lower in _LISTED_APART:
            message.headers.set(header, texts)
        else:
            message.headers.set(header, [",".join(texts)])
        if lower == "host" and isinstance(message, Request):
            message.host = message.headers.joined(header)

    return edit


#: What cannot be modified or deleted ("Set header", usage notes, 2024-03-18).
_UNCHANGED = frozenset(["connection", "content-length", "keep-alive", "transfer-encoding"])


#: Headers whose values are not joined, because they hold commas or dates ("Set header", usage notes, 2024-03-18).
_LISTED_APART = frozenset(
    [
        "user-agent",
        "www-authenticate",
        "proxy-authenticate",
        "cookie",
        "set-cookie",
        "warning",
        "date",
        "expires",
        "if-modified-since",
        "if-unmodified-since",
        "last-modified",
        "retry-after",
    ]
)


def _header_name(text: str) -> str:
    """A token (RFC 9110, section 5.1): .NET's header collection refuses anything else."""
    if not _TOKEN.fullmatch(text):
        raise ClrError("ArgumentException", f"{text!r} is not the name of a header")
    return text


def _one_line(text: str) -> str:
    """A header cannot hold line breaks: what an expression built must not split the response."""
    return text.replace("\r", " ").replace("\n", " ")


@element("set-header", partial="Server is removed, which its page calls not supported")
def set_header(element: Element) -> Run:
    return on_current_message(element, header_edit(element))


@edits("set-body")
def body_edit(element: Element) -> Edit:
    """The text, an expression's value, or what a Liquid template yields."""
    make = _template(element) if element.is_template else element.text.run

    def edit(context: Context, message: Any) -> None:
        found = make(context)
        data = found if isinstance(found, bytes) else utf8(to_text(found))
        if isinstance(message, Response):
            message.discard()
        message.body = Body(data)

    return edit


def _template(element: Element) -> Callable[[Context], str]:
    """Its input is the body of the pipeline's own message, and nothing in return-response ("Set body")."""
    place = element.builder.place
    of_request = place.section in ("inbound", "backend", "")
    answers = place.path.rpartition("/")[2].startswith("return-response")
    dates = element.value("parse-date").literal != "false"
    try:
        render = compile_template(element.text.literal or "", element.where_of(""), parse_dates=dates)
    except UnsupportedExpression as error:
        element.report(error)
        return lambda context: ""
    element.builder.reads_response_body |= not of_request

    def run(context: Context) -> str:
        message: Message = context.request if of_request else context.response
        return render(context, None if answers else message.body, message.headers)

    return run


@element("set-body", partial="Liquid templates read JSON bodies only, and print no whole objects")
def set_body(element: Element) -> Run:
    """A response is read to its end first: always where this stands directly in outbound, else when reached."""
    run = on_current_message(element, body_edit(element))
    if element.builder.place.section != "outbound":
        return run
    if "/" not in element.builder.place.path:
        element.builder.reads_response_body = True
        return run

    async def read_first(context: Context) -> None:
        try:
            await context.response.materialise()
        except UpstreamError as error:
            raise Failure(500, error.reason, str(error), source="transfer-response") from error
        run(context)

    return read_first


@edits("set-method")
def method_edit(element: Element) -> Edit:
    method = element.trimmed()

    def edit(context: Context, message: Request) -> None:
        message.method = method.text(context).strip().upper()

    return edit


@element("set-method")
def set_method(element: Element) -> Run:
    edit = method_edit(element)
    return lambda context: edit(context, context.request)


@edits("set-status")
def status_edit(element: Element) -> Edit:
    code, reason = element.value("code"), element.value("reason")

    def edit(context: Context, message: Response) -> None:
        text = code.text(context)
        if not text.isdecimal() or not 200 <= int(text) <= 599:
            raise ClrError("FormatException", f"{text!r} is not a status code from 200 to 599")
        message.status, message.reason = int(text), reason.text(context)

    return edit


@element("set-status")
def set_status(element: Element) -> Run:
    edit = status_edit(element)
    return lambda context: edit(context, context.response)


@element("set-query-parameter")
def set_query_parameter(element: Element) -> Run:
    name, chosen = element.value("name"), element.choice("exists-action")
    values = text_values(element, "value")
    if not values and element.value("exists-action").literal in ("override", "skip", "append"):
        element.invalid("<set-query-parameter> needs a <value> unless exists-action is delete", "value")

    def run(context: Context) -> None:
        parameter, action = name.text(context), chosen(context)
        parts = [part for part in context.request.query.split("&") if part]
        others = [part for part in parts if unquote_plus(part.partition("=")[0]).lower() != parameter.lower()]
        exists = len(others) < len(parts)
        if action == "skip" and exists:
            return
        kept = parts if action == "append" else others
        added = [] if action == "delete" else [_pair(parameter, value.text(context)) for value in values]
        context.request.query = "&".join([*kept, *added])

    return run


def _pair(name: str, value: str) -> str:
    return f"{quote(utf8(name), safe='')}={quote(utf8(value), safe='')}"


_PARAMETER = re.compile(r"\{(\w+)\}")


@element("rewrite-uri")
def rewrite_uri(element: Element) -> Run:
    """`copy-unmatched-params` (default true) keeps the query of the incoming request beside the template's own. A
    parameter that the operation's URL template lacks is an error: none can be added ("Rewrite URL", usage notes)."""
    template, copy = element.value("template"), element.flag("copy-unmatched-params")
    if template.literal is not None and not template.literal.startswith("/"):
        element.invalid("'template' of <rewrite-uri> must begin with a slash", "template")

    def run(context: Context) -> None:
        path, _, query = _filled(template, context).partition("?")
        if copy(context):
            given = {unquote_plus(part.partition("=")[0]).lower() for part in query.split("&") if part}
            parts = [part for part in context.request.query.split("&") if part]
            kept = [part for part in parts if unquote_plus(part.partition("=")[0]).lower() not in given]
            query = "&".join([part for part in [query, *kept] if part])
        context.request.path = path if path.startswith("/") else "/" + path
        context.request.query = query

    return run


def _filled(template: Value, context: Context) -> str:
    """What an expression made may hold braces that are no parameters: they stay."""

    def replace(match: re.Match[str]) -> str:
        value = context.request.parameters.get(match.group(1))
        if value is None and template.literal is not None:
            raise ClrError("ArgumentException", f"The URL template has no parameter {match.group(0)}.")
        return match.group(0) if value is None else quote(utf8(value), safe="")

    return _PARAMETER.sub(replace, template.text(context))


@element("find-and-replace")
def find_and_replace(element: Element) -> Run:
    old, new = element.value("from"), element.value("to")
    on_request = element.builder.place.section in ("inbound", "backend")
    if not on_request:
        element.builder.reads_response_body = True

    def run(context: Context) -> None:
        message = context.request if on_request else context.response
        wanted = old.text(context)
        if message.body is not None and wanted:
            text = message.body.data.decode("utf-8", "surrogateescape")
            message.body = Body(
                text.replace(wanted, utf8(new.text(context)).decode()).encode("utf-8", "surrogateescape")
            )

    return run
