from __future__ import annotations

from emulators.apim.csharp.clr import ClrError
from emulators.apim.elements import Element, element
from emulators.apim.messages import Context, Response, Run
from emulators.apim.policies.edits import Edit, edits

_SECTIONS = frozenset({"inbound", "backend", "outbound", "on-error"})


@edits("set-status")
def status_edit(element: Element) -> Edit:
    element.no_children()
    code, reason = element.value("code"), element.value("reason", "")
    if code.literal is not None and not (code.literal.isdecimal() and 200 <= int(code.literal) <= 599):
        element.invalid(f"'code' of <set-status> must be from 200 to 599, not {code.literal!r}", "code")

    def edit(context: Context, message: Response) -> None:
        text = code.text(context)
        if not text.isdecimal() or not 200 <= int(text) <= 599:
            raise ClrError("FormatException", f"{text!r} is not a status code from 200 to 599")
        message.status, message.reason = int(text), reason.text(context)

    return edit


@element("set-status", title="Set status code", sections=_SECTIONS, attributes="code reason")
def set_status(element: Element) -> Run:
    edit = status_edit(element)
    return lambda context: edit(context, context.response)
