"""Type names as they are written in C# to canonical types."""

from __future__ import annotations

from tree_sitter import Node

from emulators.apim.csharp import library
from emulators.apim.csharp.clr_types import OBJECT, T, array, nullable
from emulators.apim.csharp.scope import fail, named, text_of

_ALIASES = {
    "String": "string",
    "Boolean": "bool",
    "Int32": "int",
    "Int64": "long",
    "Double": "double",
    "Decimal": "decimal",
    "Char": "char",
    "Byte": "byte",
    "Object": "object",
    "ISet": "HashSet",
}
_NAMESPACES = (
    "System.Collections.Generic.",
    "System.Text.RegularExpressions.",
    "System.Security.Cryptography.",
    "System.Text.",
    "System.Net.",
    "System.Linq.",
    "System.IO.",
    "System.",
    "Newtonsoft.Json.Linq.",
    "Newtonsoft.Json.",
)


def type_name(written: str) -> str:
    """`System.Net.WebUtility` and `String` to the names the library knows; unknown names unchanged."""
    plain = written.replace("global::", "").strip()
    for namespace in _NAMESPACES:
        if plain.startswith(namespace):
            plain = plain[len(namespace) :]
            break
    return _ALIASES.get(plain, plain)


def type_of(node: Node) -> T:
    """The type a type node names; anything undocumented does not load."""
    if node.type == "array_type":
        return array(type_of(node.child_by_field_name("type") or named(node)[0]))
    if node.type == "nullable_type":
        return nullable(type_of(named(node)[0]))
    if node.type == "qualified_name" and named(node)[-1].type == "generic_name":
        return type_of(named(node)[-1])
    if node.type == "generic_name":
        return _generic(node)
    return T(_known(node, type_name(text_of(node))))


def _known(node: Node, name: str) -> str:
    if not library.is_type(name):
        raise fail(node, f"the type {name!r} is not in the supported list", name)
    if not library.is_documented(name):
        raise fail(node, f"the type {name!r} is not in Microsoft's list of types for policy expressions", name)
    return name


def _generic(node: Node) -> T:
    name = type_name(text_of(named(node)[0]))
    arguments = tuple(type_of(child) for child in named(named(node)[1]))
    if name == "Nullable":
        return nullable(arguments[0])
    return T(_known(node, name), arguments)


def declared(node: Node, inferred: T) -> T:
    """The type of a declaration: `var` takes what its initialiser has."""
    if node.type != "implicit_type":
        return type_of(node)
    if inferred.name in ("null", "void"):
        raise fail(node, f"`var` cannot take {inferred} (CS0815)", "var")
    return inferred if inferred.name else OBJECT
