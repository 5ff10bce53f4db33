"""`$filter` and `$select` of Microsoft Graph, as far as they are read: anything else is refused, not ignored."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from emulators.arm.call import Answer, Call, Document
from emulators.arm.errors import bad_request

_KNOWN = {"$filter", "$select", "$top", "$count", "$expand"}
_EQUAL = re.compile(r"(\w+) eq '([^']*)'")
_STARTS = re.compile(r"startswith\((\w+),\s*'([^']*)'\)", re.IGNORECASE)
_ANY = re.compile(r"(\w+)/any\(\w+:\w+ eq '([^']*)'\)")
Test = Callable[[Document], bool]


def page(call: Call, rows: Sequence[Document]) -> Answer:
    """One page; there is never a second one."""
    unknown = set(call.query) - _KNOWN
    if unknown or call.query.get("$expand"):
        raise bad_request(
            "Request_UnsupportedQuery", f"The local Graph cannot evaluate {sorted(unknown) or '$expand'}."
        )
    kept = [row for row in rows if all(test(row) for test in _tests(call.query.get("$filter", "")))]
    names = [name for name in call.query.get("$select", "").split(",") if name]
    shown = [{n: row.get(n) for n in names} if names else row for row in kept]
    return Answer({"@odata.context": f"https://graph.microsoft.com{call.path}", "value": shown})


def _tests(text: str) -> list[Test]:
    return [_test(part.strip()) for part in re.split(r"\s+and\s+", text)] if text else []


def _test(text: str) -> Test:
    if found := _ANY.fullmatch(text):
        name, wanted = found[1], found[2].lower()
        return lambda row: wanted in [str(value).lower() for value in row.get(name) or ()]
    if found := _EQUAL.fullmatch(text):
        name, wanted = found[1], found[2].lower()
        return lambda row: str(row.get(name, "")).lower() == wanted
    if found := _STARTS.fullmatch(text):
        name, wanted = found[1], found[2].lower()
        return lambda row: str(row.get(name, "")).lower().startswith(wanted)
    raise bad_request("Request_UnsupportedQuery", f"The local Graph cannot evaluate the filter {text!r}.")
