from __future__ import annotations

from twin.gateway.builder import MAX_DEPTH
from twin.gateway.elements import Element, element
from twin.gateway.errors import MalformedPolicy, MissingReference
from twin.gateway.messages import Context, Run


@element("include-fragment", title="Include fragment", attributes="fragment-id")
def include_fragment(element: Element) -> Run:
    """The fragment's statements stand where it is included, with the section's rules."""
    element.no_children()
    name = element.literal("fragment-id")
    builder = element.builder
    root = builder.references.fragments.get(name)
    if root is None:
        message = f"there is no fragment {name!r}: add an azurerm_api_management_policy_fragment"
        element.report(MissingReference(message, where=element.where, name=name))
        return _nothing
    if name in builder.place.fragments or len(builder.place.fragments) >= MAX_DEPTH:
        element.report(MalformedPolicy(f"the fragment {name!r} includes itself", where=element.where, name=name))
        return _nothing
    with builder.at(label=f"fragment {name!r}", fragments=(*builder.place.fragments, name)):
        return builder.block(root.children)


def _nothing(context: Context) -> None:
    return None
