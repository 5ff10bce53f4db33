from __future__ import annotations

from emulators.apim.elements import Element, element, text_values
from emulators.apim.messages import Context, Run
from emulators.apim.policies.edits import Edit, Message, edits, on_current_message

_ACTIONS = ("override", "skip", "append", "delete")


@edits("set-header")
def header_edit(element: Element) -> Edit:
    """Repeated values become repeated headers; `delete` needs no value."""
    name = element.value("name")
    action = element.literal("exists-action", "override", _ACTIONS)
    values = text_values(element, "value")
    if action != "delete" and not values:
        element.invalid("<set-header> needs a <value> unless exists-action is delete", "value")

    def edit(context: Context, message: Message) -> None:
        header = name.text(context)
        if action == "delete":
            message.headers.remove(header)
            return
        if action == "skip" and header in message.headers:
            return
        texts = [_one_line(value.text(context)) for value in values]
        if action == "append" and header in message.headers:
            texts = [*message.headers[header], *texts]
        message.headers.set(header, texts)

    return edit


def _one_line(text: str) -> str:
    """A header cannot hold line breaks: what an expression built must not split the response."""
    return text.replace("\r", " ").replace("\n", " ")


@element("set-header", title="Set header", attributes="name exists-action")
def set_header(element: Element) -> Run:
    return on_current_message(element, header_edit(element))
