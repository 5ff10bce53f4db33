from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulators.apim.csharp.types import BOOL, OBJECT
from emulators.apim.elements import Element, element
from emulators.apim.messages import Context, Run


@element("choose", title="Control flow")
def choose(element: Element) -> Run:
    """The first `when` whose condition is true, else `otherwise`."""
    branches: list[tuple[Callable[[Context], Any], Callable[[Context], Any]]] = []
    otherwise: Callable[[Context], Any] | None = None
    for position, child in enumerate(element.children("when", "otherwise"), start=1):
        path = f"{element.builder.place.path}/{child.tag}[{position}]"
        child.allow({"condition"} if child.tag == "when" else set())
        with element.builder.at(path=path):
            block = element.builder.block(child.node.children)
            if child.tag == "when":
                branches.append((condition_of(child), block))
            else:
                otherwise = block
    if not branches:
        element.invalid("<choose> needs at least one <when>", "when")

    def run(context: Context) -> Any:
        for condition, block in branches:
            if condition(context):
                return block(context)
        return otherwise(context) if otherwise is not None else None

    return run


def condition_of(element: Element) -> Callable[[Context], Any]:
    """A Boolean expression or literal; one that is not Boolean is refused at load where its type is known."""
    value, tracer = element.value("condition"), element.builder.references.tracer
    if value.expression is None:
        found: Callable[[Context], Any] = element.flag("condition", default=False)
    else:
        found = value.run
        if value.expression.type not in (BOOL, OBJECT):
            element.invalid(f"the condition of <{element.tag}> is {value.expression.type}, not bool", "condition")
    return tracer.condition(element, found) if tracer is not None else found
