"""C# signatures, read from text: `int IndexOf(string value)`, `IEnumerable<R> Select<R>(Func<T, R> selector)`.

The library declares its members so, in C#'s own words; what is not declared cannot be called. Type parameters are types
whose names begin with `!`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from emulators.apim.csharp.clr_types import BOOL, VOID, T, array, nullable

_WORD = re.compile(r"\s*([A-Za-z_]\w*|\"[^\"]*\"|-?\d+|.)")
_DEFAULTS: dict[str, Any] = {"null": None, "true": True, "false": False}


@dataclass(frozen=True)
class Parameter:
    """`optional`: the call may leave it out, and `default` is passed; `many`: `params`, the last one, an array."""

    type: T
    name: str
    optional: bool = False
    default: Any = None
    out: bool = False
    many: bool = False


@dataclass(frozen=True)
class Signature:
    """`kind`: "method", "property", "indexer", "constructor", and "static method" or "static property"."""

    kind: str
    name: str
    returns: T
    parameters: tuple[Parameter, ...] = ()
    generics: tuple[str, ...] = ()
    text: str = ""

    @property
    def required(self) -> int:
        return sum(not (parameter.optional or parameter.many) for parameter in self.parameters)

    @property
    def most(self) -> int:
        return 99 if any(parameter.many for parameter in self.parameters) else len(self.parameters)


class _Reader:
    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        self.words = _WORD.findall(text.strip())
        self.variables = variables
        self.at = 0

    @property
    def word(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self) -> str:
        self.at += 1
        return str(self.words[self.at - 1])

    def skip(self, word: str) -> bool:
        found = self.word == word
        self.at += found
        return found

    def type(self) -> T:
        name, args = self.take(), list[T]()
        if self.skip("<"):
            args.append(self.type())
            while self.skip(","):
                args.append(self.type())
            if not self.skip(">"):
                raise ValueError(f"`{self.word}` where `>` should be")
        found = T(f"!{name}") if name in self.variables else _delegate(name, tuple(args))
        while self.word in ("?", "["):
            if self.take() == "?":
                found = nullable(found) if not found.name.startswith("!") else T("Nullable", (found,))
            elif self.skip("]"):
                found = array(found)
        return found

    def parameters(self, close: str) -> tuple[Parameter, ...]:
        found = []
        while not self.skip(close):
            out, many = self.skip("out"), self.skip("params")
            type_, name = self.type(), self.take()
            if self.skip("="):
                word = self.take()
                default = _DEFAULTS[word] if word in _DEFAULTS else word[1:-1] if word[0] == '"' else int(word)
                found.append(Parameter(type_, name, optional=True, default=default))
            else:
                found.append(Parameter(type_, name, out=out, many=many))
            self.skip(",")
        return tuple(found)


def _delegate(name: str, args: tuple[T, ...]) -> T:
    if name == "Predicate":
        return T("Func", (*args, BOOL))
    if name == "Action":
        return T("Func", (*args, VOID))
    return T(name, args)


@cache
def owner_of(text: str) -> tuple[str, tuple[str, ...]]:
    """`IDictionary<K, V>` as its name and its type parameters."""
    name, _, rest = text.partition("<")
    return name, tuple(part.strip() for part in rest.rstrip(">").split(",")) if rest else ()


def signature(owner: str, text: str) -> Signature:
    """Raises ValueError or IndexError for what is no signature: a fault of the library, seen when it is imported."""
    name, variables = owner_of(owner)
    generics = re.search(r"\w<(\w+(?:, \w+)*)>\(", text)
    own = tuple(part.strip() for part in generics[1].split(",")) if generics else ()
    reader = _Reader(text, (*variables, *own))
    static = "static " if reader.skip("static") else ""
    if reader.word == name and len(reader.words) > reader.at + 1 and reader.words[reader.at + 1] == "(":
        reader.at += 2
        returns = T(name, tuple(T(f"!{variable}") for variable in variables))
        return Signature("constructor", "new", returns, reader.parameters(")"), (), text)
    returns, member = reader.type(), reader.take()
    if reader.skip("["):
        return Signature("indexer", "this[]", returns, reader.parameters("]"), (), text)
    if reader.skip("<"):
        while not reader.skip(">"):
            reader.take()
    if reader.skip("("):
        return Signature(f"{static}method", member, returns, reader.parameters(")"), own, text)
    return Signature(f"{static}property", member, returns, (), (), text)


def bound(type_: T, types: Mapping[str, T]) -> T:
    """The type with its type parameters put in; those that are not known stay."""
    if type_.name.startswith("!"):
        return types.get(type_.name, type_)
    if not type_.args:
        return type_
    args = tuple(bound(arg, types) for arg in type_.args)
    if type_.name == "Nullable":
        return nullable(args[0])
    return T(type_.name, args)


def is_open(type_: T) -> bool:
    """Whether a type parameter is left in it."""
    return type_.name.startswith("!") or any(is_open(arg) for arg in type_.args)
