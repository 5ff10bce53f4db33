from __future__ import annotations

from emulators.apim.elements import Element, element
from emulators.apim.messages import Context, Request, Run
from emulators.apim.policies.edits import Edit, edits


@edits("set-method")
def method_edit(element: Element) -> Edit:
    method = element.trimmed()

    def edit(context: Context, message: Request) -> None:
        message.method = method.text(context).strip().upper()

    return edit


@element("set-method", title="Set request method", sections=frozenset({"inbound", "on-error"}))
def set_method(element: Element) -> Run:
    edit = method_edit(element)
    return lambda context: edit(context, context.request)
