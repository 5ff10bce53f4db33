"""The documented types and members, each registered beside its implementation. What is not here does not load.

An implementation is a Python function. Its receiver (instance members) or its first argument (static ones) comes first;
parameters with defaults are optional; annotations `str`, `int`, `bool` are checked against the C# argument at load;
an `Out` parameter receives a function that stores the value; a keyword `generics` receives the generic arguments, a
keyword `default` the default value of what the receiver holds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from emulators.apim import documented
from emulators.apim.csharp.clr_types import (
    BOOL,
    INT,
    OBJECT,
    STRING,
    T,
    ancestry,
    default_value,
    dictionary_of,
    element_of,
)

Out = Callable[[Any], None]
Impl = Callable[..., Any]
#: A result type: fixed, or computed from receiver type, argument types and generic arguments.
Returns = T | Callable[[T, list[T], list[T]], T]

_CHECKED = {"str": STRING, "str | None": STRING, "int": INT, "bool": BOOL}


@dataclass(frozen=True)
class Member:
    """One property, method, indexer or constructor."""

    owner: str
    name: str
    kind: str
    impl: Impl
    returns: Returns
    required: int = 0
    most: int = 0
    params: tuple[T | None, ...] = ()
    outs: frozenset[int] = frozenset()
    out_type: Returns = OBJECT
    lambdas: Callable[[T, int, list[T]], list[T]] | None = None
    generic: bool = False
    defaulted: bool = False
    names: tuple[str, ...] = ()
    never_null: bool = False
    #: Null is a receiver like any other: extension methods, and what Nullable<T> has.
    takes_null: bool = False
    note: str = ""

    def bound(self, generics: list[T], receiver: T = OBJECT) -> Impl:
        """The implementation, given what it asks for: generic arguments, the default of the receiver's elements."""
        if self.defaulted:
            if receiver.name == "Nullable":
                return partial(self.impl, default=default_value(receiver.args[0]))
            entry = dictionary_of(receiver)
            return partial(self.impl, default=default_value(entry[1] if entry else element_type(receiver)))
        return partial(self.impl, generics=generics) if self.generic else self.impl

    def result(self, receiver: T, arguments: list[T], generics: list[T]) -> T:
        return self.returns if isinstance(self.returns, T) else self.returns(receiver, arguments, generics)

    def out(self, receiver: T, arguments: list[T], generics: list[T]) -> T:
        return self.out_type if isinstance(self.out_type, T) else self.out_type(receiver, arguments, generics)


_MEMBERS: dict[tuple[str, str, str], Member] = {}
_TYPES: set[str] = {"object", "void", "null"}


def _register(member: Member) -> None:
    _TYPES.add(member.owner)
    _MEMBERS[member.owner, member.kind, member.name] = member


def prop(
    owner: str,
    name: str,
    returns: Returns,
    read: Impl,
    *,
    never_null: bool = False,
    takes_null: bool = False,
    note: str = "",
) -> None:
    _register(Member(owner, name, "property", read, returns, never_null=never_null, takes_null=takes_null, note=note))


def static_prop(owner: str, name: str, returns: T, read: Callable[[], Any], *, note: str = "") -> None:
    _register(Member(owner, name, "static property", read, returns, note=note))


def enum(owner: str, *names: str) -> None:
    """Enum values are their names."""
    for name in names:
        static_prop(owner, name, T(owner), lambda value=name: value)  # type: ignore[misc]


def _signature(impl: Impl, skip: int) -> dict[str, Any]:
    parameters = list(inspect.signature(impl).parameters.values())[skip:]
    many = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    named = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return {
        "required": sum(p.default is p.empty for p in named),
        "most": 99 if many else len(named),
        "params": tuple(_CHECKED.get(str(p.annotation)) for p in named),
        "names": tuple(p.name for p in named),
        "outs": frozenset(i for i, p in enumerate(named) if p.annotation == "Out"),
        "generic": any(p.name == "generics" for p in parameters),
        "defaulted": any(p.name == "default" and p.kind is p.KEYWORD_ONLY for p in parameters),
    }


def method(
    owner: str,
    name: str,
    returns: Returns,
    *,
    out: Returns = OBJECT,
    lambdas: Callable[[T, int, list[T]], list[T]] | None = None,
    takes_null: bool = False,
    note: str = "",
) -> Callable[[Impl], Impl]:
    def register(impl: Impl) -> Impl:
        options: dict[str, Any] = {"out_type": out, "lambdas": lambdas, "takes_null": takes_null, "note": note}
        _register(Member(owner, name, "method", impl, returns, **options, **_signature(impl, 1)))
        return impl

    return register


def static(
    owner: str,
    name: str,
    returns: Returns,
    *,
    out: Returns = OBJECT,
    lambdas: Callable[[T, int, list[T]], list[T]] | None = None,
    note: str = "",
) -> Callable[[Impl], Impl]:
    def register(impl: Impl) -> Impl:
        _register(
            Member(
                owner,
                name,
                "static method",
                impl,
                returns,
                out_type=out,
                lambdas=lambdas,
                note=note,
                **_signature(impl, 0),
            )
        )
        return impl

    return register


def constructor(owner: str, returns: Returns | None = None) -> Callable[[Impl], Impl]:
    def register(impl: Impl) -> Impl:
        _register(Member(owner, "new", "constructor", impl, returns or T(owner), **_signature(impl, 0)))
        return impl

    return register


def indexer(owner: str, returns: Returns, key: T, *, write: Impl | None = None) -> Callable[[Impl], Impl]:
    def register(impl: Impl) -> Impl:
        _register(Member(owner, "this[]", "indexer", impl, returns, 1, 1, (key,)))
        if write is not None:
            _register(Member(owner, "this[]=", "indexer", write, returns, 2, 2, (key,)))
        return impl

    return register


def element_type(receiver: T, *_: object) -> T:
    return element_of(receiver) or OBJECT


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
    """The member on the type or on anything it also is."""
    for candidate in ancestry(owner):
        if (member := _MEMBERS.get((candidate, kind, name))) is not None:
            return member
    return None


def find_static(owner: str, kind: str, name: str) -> Member | None:
    return _MEMBERS.get((owner, f"static {kind}", name))


def catalogue() -> list[Member]:
    """Every member, for the generated list of what is supported."""
    return sorted(_MEMBERS.values(), key=lambda member: (member.owner, member.kind, member.name))
