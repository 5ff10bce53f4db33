from __future__ import annotations

import re
from urllib.parse import quote, unquote_plus

from emulators.apim.elements import INBOUND, Element, element
from emulators.apim.messages import Context, Run

_PARAMETER = re.compile(r"\{(\w+)\}")


@element("rewrite-uri", title="Rewrite URL", sections=INBOUND, attributes="template copy-unmatched-params")
def rewrite_uri(element: Element) -> Run:
    """`copy-unmatched-params` (default true) keeps the query of the incoming request beside the template's own."""
    template, copy = element.value("template"), element.flag("copy-unmatched-params", default=True)
    if template.literal is not None and not template.literal.startswith("/"):
        element.invalid("'template' of <rewrite-uri> must begin with a slash", "template")

    def run(context: Context) -> None:
        path, _, query = _filled(template.text(context), context).partition("?")
        if copy(context):
            given = {unquote_plus(part.partition("=")[0]).lower() for part in query.split("&") if part}
            parts = [part for part in context.request.query.split("&") if part]
            kept = [part for part in parts if unquote_plus(part.partition("=")[0]).lower() not in given]
            query = "&".join([part for part in [query, *kept] if part])
        context.request.path = path if path.startswith("/") else "/" + path
        context.request.query = query

    return run


def _filled(template: str, context: Context) -> str:
    def replace(match: re.Match[str]) -> str:
        value = context.request.parameters.get(match.group(1))
        return match.group(0) if value is None else quote(value, safe="")

    return _PARAMETER.sub(replace, template)
