from __future__ import annotations

from emulators.apim.elements import Element, element
from emulators.apim.errors import MalformedPolicy, MissingReference
from emulators.apim.messages import Context, Run


@element("include-fragment", title="Include fragment", attributes="fragment-id")
def include_fragment(element: Element) -> Run:
    """The fragment's statements stand where it is included, with the section's rules.

    A fragment includes none ("Reuse policy configurations", 2026-02-10: a fragment cannot nest another one).
    """
    element.no_children()
    name = element.literal("fragment-id")
    builder = element.builder
    if builder.place.fragments:
        message = f"a fragment cannot include another one ({name!r}): write its elements where they are wanted"
        element.report(MalformedPolicy(message, where=element.where, name=name))
        return _nothing
    root = builder.references.fragments.get(name)
    if root is None:
        message = f"there is no fragment {name!r}: add an azurerm_api_management_policy_fragment"
        element.report(MissingReference(message, where=element.where, name=name))
        return _nothing
    with builder.at(label=f"fragment {name!r}", fragments=(*builder.place.fragments, name)):
        return builder.block(root.children)


def _nothing(context: Context) -> None:
    return None
