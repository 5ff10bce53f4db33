"""Liquid templates of `set-body`, by python-liquid, with the names that API Management gives ("Set body", 2023-01-13:
Using Liquid templates; "http-data-source", 2024-03-18, for JSONArrayFor).

API Management runs DotLiquid in C# mode: filters are in Pascal case, and dates have C# formats. `body` is the message's
body, read as JSON where its Content-Type says that it is; `context` holds what the page lists, and Variables.
What a template has beside that does not load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from emulators.apim.csharp.clr import ClrError, EvaluationLimit, JToken, to_text, unwrap
from emulators.apim.csharp.formats import format_value
from emulators.apim.errors import UnsupportedExpression, Where
from emulators.apim.messages import Body, Context, ManyValues, Request, Response, Url

#: As expressions have them: turns of loops, and characters of a result.
MAX_TURNS, MAX_TEXT = 200_000, 8_000_000
#: The page's "Supported Liquid filters", by python-liquid's names; Currency depends on a culture and is refused.
_FILTERS = {
    **{name: name.lower() for name in (
        "Abs", "Append", "Capitalize", "Compact", "Default", "Downcase", "Escape", "First", "Join", "Last", "Lstrip",
        "Map", "Minus", "Modulo", "Plus", "Prepend", "Remove", "Replace", "Round", "Rstrip", "Size", "Slice", "Sort",
        "Split", "Strip", "Times", "Truncate", "Uniq", "Upcase",
    )},
    "AtLeast": "at_least",
    "AtMost": "at_most",
    "DividedBy": "divided_by",
    "H": "escape",
    "NewlineToBr": "newline_to_br",
    "RemoveFirst": "remove_first",
    "ReplaceFirst": "replace_first",
    "StripHtml": "strip_html",
    "StripNewlines": "strip_newlines",
    "TruncateWords": "truncatewords",
    "UrlDecode": "url_decode",
    "UrlEncode": "url_encode",
}  # fmt: skip
_TAGS = ("assign", "break", "capture", "case", "comment", "content", "continue", "cycle", "for", "if", "ifchanged",
         "illegal", "increment", "decrement", "output", "raw", "tablerow", "unless")  # fmt: skip
_ARRAY_FOR = re.compile(r"\{%(-?)\s*JSONArrayFor\b")
_END_ARRAY_FOR = re.compile(r"\{%-?\s*endJSONArrayFor\s*-?%\}")
_JSON_TYPE = re.compile(r"(?:application|text)/json|[^/;]+/[^/;]+\+json", re.IGNORECASE)
_XML_TYPE = re.compile(r"(?:application|text)/xml|[^/;]+/[^/;]+\+xml", re.IGNORECASE)
_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/|\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?")
_FORMAT = "MM/dd/yyyy HH:mm:ss"

_ALLOWED = {*_FILTERS, "Date"}

#: Yields the text, for the body and the context of a request.
Render = Callable[[Context, Body | None, ManyValues], str]


class _Object(dict[str, Any]):
    """A JSON object: its members are read; as a whole it has no text."""

    def __str__(self) -> str:
        raise ClrError("NotSupportedException", "a Liquid template prints a whole object, which is not reproduced")


class _Date(str):
    """A text that is a date, which prints in the invariant culture; the filter Date takes its value."""

    value: datetime

    def __new__(cls, value: datetime) -> _Date:
        made = super().__new__(cls, format_value(value, _FORMAT))
        made.value = value
        return made


class _Float(float):
    def __str__(self) -> str:
        return to_text(float(self))


def compile_template(source: str, where: Where, *, parse_dates: bool) -> Render:
    """UnsupportedExpression with the document's line for what does not parse, and for filters and tags beside those."""
    from liquid.exceptions import LiquidError, ResourceLimitError

    written = _END_ARRAY_FOR.sub(
        "{% unless forloop.last %},{% endunless %}{% endfor %}", _ARRAY_FOR.sub(r"{%\1 for", source)
    )
    try:
        template = _environment().from_string(written)
        used = {spans[0].index: name for name, spans in template.analyze().filters.items() if name not in _ALLOWED}
    except (LiquidError, RecursionError) as error:
        token = getattr(error, "token", None)
        row = written[: token.start_index].count("\n") if token is not None else 0
        message = f"not a Liquid template that API Management takes: {_said(error)}"
        raise UnsupportedExpression(message, where=Where(where.scope, where.line + row), name="liquid") from error

    for start, name in sorted(used.items()):
        at = Where(where.scope, where.line + written[:start].count("\n"))
        raise UnsupportedExpression(_unknown_filter(name), where=at, name=name)

    def render(context: Context, body: Body | None, headers: ManyValues) -> str:
        try:
            return str(template.render(body=_body(body, headers, parse_dates=parse_dates), context=_context(context)))
        except ResourceLimitError as error:
            raise EvaluationLimit("the Liquid template runs too long or builds too much") from error
        except LiquidError as error:
            raise ClrError("RenderException", f"Liquid template: {_said(error)}") from error

    return render


def _said(error: BaseException) -> str:
    """The library's first line."""
    return (str(error).splitlines() or ["it nests too deeply"])[0]


def _unknown_filter(name: str) -> str:
    meant = "Date" if name == "date" else next((known for known, own in _FILTERS.items() if own == name), "")
    if meant:
        return f"the Liquid filter {name!r} is written {meant}: API Management's filters are in Pascal case"
    if name == "Currency":
        return "the Liquid filter 'Currency' is not supported by the local gateway: it depends on a culture"
    return f"{name!r} is no Liquid filter of API Management's"


@lru_cache(maxsize=1)
def _environment() -> Any:
    from liquid import Environment

    class Limited(Environment):
        loop_iteration_limit = MAX_TURNS
        output_stream_limit = MAX_TEXT
        local_namespace_limit = MAX_TEXT
        context_depth_limit = 30

    made = Limited()
    filters = {name: made.filters[own] for name, own in _FILTERS.items()}
    made.filters.clear()
    made.filters.update({**filters, "Date": _date})
    for name in set(made.tags) - set(_TAGS):
        del made.tags[name]
    return made


def _date(value: Any, layout: Any = None, *_: Any) -> str:
    """A date in a C# format; what is none stays as it is, as DotLiquid leaves it."""
    if isinstance(value, str) and value.lower() in ("now", "today"):
        found: datetime | None = datetime.now(UTC)
    else:
        found = value.value if isinstance(value, _Date) else _parsed(value) if isinstance(value, str) else None
    return format_value(found, str(layout)) if found is not None and layout else str(value)


def _parsed(text: str) -> datetime | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        if match[1] is not None:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1]))
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _body(body: Body | None, headers: ManyValues, *, parse_dates: bool) -> Any:
    """Nothing where there is no JSON; an XML body is refused, because how its elements are bound is not documented."""
    type_ = (headers.joined("Content-Type", "") or "").partition(";")[0].strip()
    if body is None or not body.data:
        return None
    if _XML_TYPE.fullmatch(type_):
        raise ClrError("NotSupportedException", "Liquid templates read JSON bodies here, not XML")
    if not _JSON_TYPE.fullmatch(type_):
        return None
    try:
        return _bound(json.loads(body.data.decode("utf-8-sig", "replace")), parse_dates=parse_dates)
    except (ValueError, RecursionError) as error:
        raise ClrError("JsonReaderException", "the body of a Liquid template is not JSON that can be read") from error


def _bound(value: Any, *, parse_dates: bool) -> Any:
    if isinstance(value, dict):
        return _Object((name, _bound(inner, parse_dates=parse_dates)) for name, inner in value.items())
    if isinstance(value, list):
        return [_bound(inner, parse_dates=parse_dates) for inner in value]
    if isinstance(value, str) and parse_dates and (found := _parsed(value)) is not None:
        return _Date(found)
    return _Float(value) if isinstance(value, float) else value


def _context(context: Context) -> _Object:
    request, response = context.request, context.response
    return _Object(
        Request=_Object(
            Url=_url(request.url),
            Method=request.method,
            OriginalUrl=_url(request.original),
            IpAddress=request.ip,
            MatchedParameters=_Object(request.parameters),
            HasBody=request.body is not None,
            Headers=_headers(request),
        ),
        Response=_Object(StatusCode=response.status, Headers=_headers(response)),
        Variables=_Object((name, _variable(value)) for name, value in context.variables.items()),
    )


def _variable(value: Any) -> Any:
    if isinstance(value, JToken):
        return _bound(unwrap(value), parse_dates=False)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Response):
        return _Object(StatusCode=value.status, Headers=_headers(value))
    return to_text(value)


def _headers(message: Request | Response) -> _Object:
    return _Object((name, ",".join(values)) for name, values in message.headers.items())


def _url(url: Url) -> _Object:
    return _Object(
        Scheme=url.scheme,
        Host=url.host,
        Port=url.port,
        Path=url.path,
        Query=_Object((name, ",".join(values)) for name, values in url.parameters.items()),
        QueryString=f"?{url.query}" if url.query else "",
        ToUri=str(url),
        ToString=str(url),
    )
