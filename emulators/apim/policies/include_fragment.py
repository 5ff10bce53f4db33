from __future__ import annotations

from emulators.apim.builder import MAX_DEPTH
from emulators.apim.elements import Element, element
from emulators.apim.errors import MalformedPolicy, MissingReference
from emulators.apim.messages import Context, Run


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
