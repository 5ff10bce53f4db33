from __future__ import annotations

from emulators.apim.elements import Element, element
from emulators.apim.messages import Context, Run


@element("set-variable", title="Set variable", attributes="name value")
def set_variable(element: Element) -> Run:
    """An expression's value keeps its type; text is a string."""
    element.no_children()
    name, value = element.literal("name"), element.value("value")

    def run(context: Context) -> None:
        context.variables[name] = value.run(context)

    return run
