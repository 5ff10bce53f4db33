"""Policy traces: what each element of a request did, in order, as API Management's own trace tells it.

Compiled in: a gateway that traces has other closures in its steps, one that does not is as it was. A step that contains
steps (`choose`, `retry`, `include-fragment`) tells only its branch; what changed is told by the steps inside.
"""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from secrets import token_hex
from time import perf_counter
from typing import Any

from emulators.apim.elements import Element
from emulators.apim.failures import Answer, Failure
from emulators.apim.messages import Context, Request, Run, Url
from emulators.apim.tracing_mask import Mask

#: Elements kept of one request; those of a long `retry` end there, and the trace says so.
MAX_ENTRIES = 300
_UNSET = object()
#: Elements that set a header they do not name.
_HEADERS = {"authentication-managed-identity": "Authorization"}
#: W3C "Trace Context", level 1: version, trace id, parent span, flags.
_TRACE_ID, _VERSION_LENGTH = slice(3, 35), 55


@dataclass(frozen=True)
class Site:
    """Where an element stands. `shown` is what a trace says of it, its attributes as written: named values stay
    `{{names}}`."""

    element: str
    section: str
    otherwise: bool
    shown: dict[str, Any]


@dataclass(slots=True)
class Entry:
    """One element at work. `started` and `took` in seconds; `changes` are (what, before, after)."""

    site: Site
    depth: int
    started: float
    took: float = 0.0
    container: bool = False
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    conditions: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""


class Trace:
    """One request while it runs."""

    __slots__ = ("context", "depth", "dropped", "entries", "mask", "open", "started", "traceparent")

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.started = perf_counter()
        self.entries: list[Entry] = []
        self.open: list[Entry] = []
        self.depth = 0
        self.dropped = 0
        self.context: Context | None = None
        self.traceparent = ""

    def begin(self, site: Site) -> Entry:
        entry = Entry(site, self.depth, perf_counter())
        if self.open:
            self.open[-1].container = True
        if len(self.entries) < MAX_ENTRIES:
            self.entries.append(entry)
        else:
            self.dropped += 1
        self.open.append(entry)
        self.depth += 1
        return entry

    def end(self, entry: Entry) -> None:
        entry.took = perf_counter() - entry.started
        self.open.pop()
        self.depth -= 1


CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


@dataclass(frozen=True, slots=True)
class _Before:
    variables: dict[str, Any]
    backend: tuple[str | None, Url | None]
    status: int
    header: str
    notes: int


class Tracer:
    """What the builder asks to wrap each compiled step and condition."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask

    def step(self, element: Element, run: Run) -> Run:
        """The same step, which writes an entry where the request is traced."""
        site = _site(element, self.mask)
        forwards, sets_header = element.tag == "forward-request", element.tag == "set-header"
        header = _HEADERS.get(element.tag) or (element.node.attributes.get("name", "") if sets_header else "")

        def traced(context: Context) -> Awaitable[None] | None:
            trace = CURRENT.get()
            if trace is None:
                return run(context)
            trace.context = context
            entry, before = trace.begin(site), _before(context, site, header)
            if forwards:
                _correlate(trace, context, entry)
            try:
                waiting = run(context)
            except BaseException as error:
                _finish(trace, entry, context, before, header, error)
                raise
            if waiting is not None:
                return _wait(waiting, trace, entry, context, before, header)
            _finish(trace, entry, context, before, header)
            return None

        return traced

    def condition(self, element: Element, evaluate: Callable[[Context], Any]) -> Callable[[Context], Any]:
        """The same condition, which notes its text and value with the element that asks."""
        text = self.mask.text(textwrap.dedent(element.node.attributes.get("condition", "")).strip())
        path = element.builder.place.path.rsplit("/", 1)[-1]

        def traced(context: Context) -> Any:
            trace = CURRENT.get()
            if trace is None or not trace.open:
                return evaluate(context)
            conditions = trace.open[-1].conditions
            try:
                found = evaluate(context)
            except Exception as error:
                conditions.append((path, text, f"failed: {error}"))
                raise
            conditions.append((path, text, "true" if found else "false"))
            return found

        return traced


def _site(element: Element, mask: Mask) -> Site:
    place, given = element.builder.place, element.node.attributes
    shown = {
        "element": element.tag,
        "scope": place.scope,
        "document": place.label,
        "fragment": place.fragments[-1] if place.fragments else "",
        "section": place.section,
        "path": place.path,
        "line": element.node.line,
        "attributes": {n: mask.value(n, text) for n, text in given.items() if n not in ("condition", "value")},
    }
    otherwise = element.tag == "choose" and any(child.tag == "otherwise" for child in element.node.children)
    return Site(element.tag, place.section, otherwise, shown)


async def _wait(
    waiting: Awaitable[None], trace: Trace, entry: Entry, context: Context, before: _Before, header: str
) -> None:
    try:
        await waiting
    except BaseException as error:
        _finish(trace, entry, context, before, header, error)
        raise
    _finish(trace, entry, context, before, header)


def _before(context: Context, site: Site, header: str) -> _Before:
    request = context.request
    backend = (request.backend_id, request.base)
    return _Before(
        dict(context.variables), backend, context.response.status, _header(context, site, header), len(context.traces)
    )


def _named(backend: tuple[str | None, Url | None]) -> str:
    return backend[0] or (str(backend[1]) if backend[1] is not None else "")


def _header(context: Context, site: Site, header: str) -> str:
    if not header:
        return ""
    message: Any = context.request if site.section in ("inbound", "backend") else context.response
    return message.headers.joined(header, "") or ""


def _finish(
    trace: Trace, entry: Entry, context: Context, before: _Before, header: str, error: BaseException | None = None
) -> None:
    trace.end(entry)
    if error is not None and not entry.container:  # else the step inside, from which it came, says it
        entry.error = _described(trace, error)
    if entry.site.element == "choose":
        entry.notes.append(f"branch: {_branch(entry)}")
    if entry.container:
        return
    after = _before(context, entry.site, header)
    entry.notes += [trace.mask.text(note) for note in context.traces[before.notes :]]
    show, changes = trace.mask.value, entry.changes
    for name, value in after.variables.items():
        earlier = before.variables.get(name, _UNSET)
        if earlier is not value and earlier != value:
            changes.append((name, "" if earlier is _UNSET else show(name, earlier), show(name, value) or '""'))
    for name, value in before.variables.items():
        if name not in after.variables:
            changes.append((name, show(name, value), ""))
    if before.backend != after.backend:
        changes.append(("backend", _named(before.backend), _named(after.backend)))
    if before.header != after.header:
        changes.append((f"header {header}", show(header, before.header), show(header, after.header)))
    forwards = entry.site.element == "forward-request"
    if before.status != after.status or forwards:
        changes.append(("response status", "" if forwards else str(before.status), str(after.status)))


def _branch(entry: Entry) -> str:
    taken = next((path for path, _, value in entry.conditions if value == "true"), "")
    if taken:
        return taken
    undecided = any(value.startswith("failed") for _, _, value in entry.conditions)
    return "otherwise" if entry.site.otherwise and not undecided else "none"


def _described(trace: Trace, error: BaseException) -> str:
    if isinstance(error, Answer):
        return f"answered {error.response.status}: no other policy runs"
    if isinstance(error, Failure):
        return trace.mask.text(f"{error.reason or 'Error'}: {error.message} ({error.status})")
    if isinstance(error, Exception):
        return trace.mask.text(f"expression failed: {error}")
    return "the caller left"


def _correlate(trace: Trace, context: Context, entry: Entry) -> None:
    """The `traceparent` that API Management sends with `httpCorrelationProtocol: W3C`: the caller's trace or a new one,
    and a span of its own ("Application Insights: correlation", "Trace Context", section 3.2)."""
    request: Request = context.request
    given = request.headers.joined("traceparent") or trace.traceparent
    known = len(given) == _VERSION_LENGTH and given[:3] == "00-" and _is_hex(given[_TRACE_ID])
    trace_id = given[_TRACE_ID] if known else token_hex(16)
    trace.traceparent = f"00-{trace_id}-{token_hex(8)}-01"
    request.headers.set("traceparent", [trace.traceparent])
    target = request.backend_id or "the API's service URL"
    entry.notes.append(
        trace.mask.text(f"to {target}: {request.method} {request.url if request.base else request.path}")
    )


def _is_hex(text: str) -> bool:
    return all(char in "0123456789abcdef" for char in text) and text.strip("0") != ""
