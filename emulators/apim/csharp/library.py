"""The documented types and members, each declared in C#'s words. What is not here does not load.

    declare("string", "int IndexOf(string value)", "int IndexOf(char value)")(lambda text, value: text.find(value))

An implementation is a Python function: the receiver (of what is not static) comes first, then all parameters in order,
those with defaults and `params` (as one list) included. An `out` parameter receives a function that stores the value.
A keyword parameter `types` receives the types by the names of type parameters, of the owner and of the call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from emulators.apim import documented
from emulators.apim.csharp.clr_types import OBJECT, T, ancestry, dictionary_of, element_of
from emulators.apim.csharp.signatures import Signature, bound, owner_of, signature

Out = Callable[[Any], None]
Impl = Callable[..., Any]
Types = Mapping[str, T]


@dataclass(frozen=True)
class Member:
    """One property, indexer or constructor, or one overload of a method.

    `takes_null`: null is a receiver like any other, as for extension methods and members of Nullable<T>.
    """

    owner: str
    variables: tuple[str, ...]
    signature: Signature
    impl: Impl
    extension: bool = False
    never_null: bool = False
    takes_null: bool = False
    note: str = ""
    #: The only elements whose sequences have this extension method: `int Sum()` of an IEnumerable<int>.
    elements: str = ""
    write: Impl | None = None
    wants_types: bool = field(default=False)

    @property
    def name(self) -> str:
        return self.signature.name

    @property
    def kind(self) -> str:
        return self.signature.kind

    def types_of(self, receiver: T) -> dict[str, T]:
        """The owner's type parameters, as the receiver has them."""
        if len(self.variables) == len(receiver.args):
            found: tuple[T, ...] = receiver.args
        elif len(self.variables) == 2:
            found = dictionary_of(receiver) or (OBJECT, OBJECT)
        else:
            found = (element_of(receiver) or OBJECT,) * len(self.variables)
        if self.extension and self.variables:
            found = (element_of(receiver) or OBJECT,)
        return {f"!{name}": type_ for name, type_ in zip(self.variables, found, strict=True)}

    def with_types(self, types: Types) -> Impl:
        """The implementation, given the types it asks for."""
        if not self.wants_types:
            return self.impl
        return partial(self.impl, types={name[1:]: type_ for name, type_ in types.items()})

    def result(self, receiver: T) -> T:
        """What a property or indexer yields."""
        return bound(self.signature.returns, self.types_of(receiver))


_MEMBERS: dict[tuple[str, str, str], list[Member]] = {}
_TYPES: set[str] = {"object", "void", "null"}


def declare(
    owner: str,
    *signatures: str,
    extension: bool = False,
    never_null: bool = False,
    takes_null: bool = False,
    note: str = "",
    elements: str = "",
    write: Impl | None = None,
) -> Callable[[Impl], Impl]:
    """Registers an implementation under one or more signatures of a type."""
    name, variables = owner_of(owner)
    _TYPES.add(name)

    def register(impl: Impl) -> Impl:
        wants = "types" in inspect.signature(impl).parameters if callable(impl) and _is_python(impl) else False
        for text in signatures:
            found = signature(owner, text)
            options: dict[str, Any] = {
                "elements": elements,
                "write": write,
                "extension": extension,
                "never_null": never_null,
                "takes_null": takes_null,
                "note": note,
            }
            member = Member(name, variables, found, impl, wants_types=wants, **options)
            _MEMBERS.setdefault((name, found.kind, found.name), []).append(member)
        return impl

    return register


def _is_python(impl: Impl) -> bool:
    """Builtins may have no signature to look at; none of them asks for types."""
    return inspect.isfunction(impl) or inspect.ismethod(impl)


def enum(owner: str, *names: str) -> None:
    """Enum values are their names."""
    for name in names:
        declare(owner, f"static {owner} {name}")(lambda value=name: value)


def is_type(name: str) -> bool:
    return name in _TYPES


#: Types that Microsoft's table implies: lambdas are held in them.
_IMPLIED = frozenset({"Func"})


def is_documented(name: str) -> bool:
    """Whether an expression may write the type's name ("API Management policy expressions", allowed types)."""
    return name in documented.TYPES or name in _IMPLIED


def declare_type(*names: str) -> None:
    _TYPES.update(names)


def find(owner: str, kind: str, name: str) -> Member | None:
    """The property or indexer on the type or on anything it also is."""
    return next((group[0] for group in overloads(owner, kind, name)), None)


def overloads(owner: str, kind: str, name: str) -> list[list[Member]]:
    """The members of that name, nearest type first, each type's together (C# specification, "Member lookup")."""
    found = [_MEMBERS.get((candidate, kind, name), []) for candidate in ancestry(owner)]
    own = [[member for member in group if not member.extension] for group in found]
    return [group for group in own if group]


def methods(receiver: T, name: str) -> list[list[Member]]:
    """A type's own methods of that name, then LINQ's, which every sequence has ("Extension method invocations")."""
    groups = overloads(receiver.name, "method", name)
    element = element_of(receiver)
    if element is not None:
        groups.append([member for member in _MEMBERS.get(("IEnumerable", "method", name), []) if member.extension])
    fitting = [[member for member in group if member.elements in ("", str(element))] for group in groups]
    return [group for group in fitting if group]


def static(owner: str, kind: str, name: str) -> list[Member]:
    return _MEMBERS.get((owner, f"static {kind}", name), [])


def catalogue() -> list[Member]:
    """Every member, for the generated list of what is supported."""
    members = [member for group in _MEMBERS.values() for member in group]
    return sorted(members, key=lambda member: (member.owner, member.kind, member.name))
