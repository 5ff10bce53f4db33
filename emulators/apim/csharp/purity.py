"""Which expressions say the same whenever their one variable is the same."""

from __future__ import annotations

from tree_sitter import Node

from emulators.apim.csharp.scope import named, text_of

#: Members that answer differently each time, and types that do.
_CHANGING = frozenset({"Now", "UtcNow", "Today", "NewGuid", "Random"})


def only_input(root: Node) -> str | None:
    """The name of the only context variable that the expression reads, where it reads nothing else of the request.

    None where it reads more, reads none, or its answer may change without its inputs changing. What it may write
    (an element of an array, an entry of a dictionary) makes it impure too.
    """
    names: set[str] = set()
    queue = [root]
    while queue:
        node = queue.pop()
        if node.type == "identifier" and text_of(node) in _CHANGING:
            return None
        if node.type == "assignment_expression" and (node.children[0].type != "identifier"):
            return None
        if node.type == "identifier" and text_of(node) == "context":
            name = _variable(node)
            if name is None:
                return None
            names.add(name)
        queue.extend(node.named_children)
    return names.pop() if len(names) == 1 else None


def _variable(context: Node) -> str | None:
    """`name` of `context.Variables["name"]`, else None."""
    member = context.parent
    access = member.parent if member is not None else None
    if member is None or access is None or access.type != "element_access_expression":
        return None
    if text_of(member) != "context.Variables" or access.child_by_field_name("expression") != member:
        return None
    subscript = access.child_by_field_name("subscript")
    literals = [one for argument in named(subscript) for one in named(argument)] if subscript is not None else []
    if len(literals) != 1 or literals[0].type != "string_literal":
        return None
    text = text_of(literals[0])[1:-1]
    return None if "\\" in text else text
