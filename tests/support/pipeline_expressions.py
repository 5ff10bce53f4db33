"""The expressions of Azure DevOps (`and(succeeded(), ne(variables['X'], 'y'))`) and of GitHub (`a == 'b' && !c`).

One small parser for what both have in common; what it does not know it refuses by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>==|!=|&&|\|\||[!()\[\],]))")

_INSERTED = re.compile(r"\$\{\{\s*if\s+(.+?)\s*\}\}")

Functions = Mapping[str, Callable[..., Any]]
Lookup = Callable[[str], Any]


class NotUnderstood(Exception):
    """The pipeline uses something that the agent of these tests does not know; the sentence names it."""


def read(path: Path) -> dict[str, Any]:
    """A pipeline's document; every value is text, as `on` and `yes` are meant in it."""
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return document


def only_known(found: Mapping[str, Any], allowed: set[str], where: str) -> None:
    """Refuses keys that are not in `allowed`."""
    if unknown := set(found) - allowed:
        raise NotUnderstood(f"{where}: {', '.join(sorted(map(str, unknown)))} is not understood here")


def listed(value: Any) -> tuple[str, ...]:
    """What is needed: one name, or a list of them."""
    return tuple(value) if isinstance(value, list) else (str(value),)


def evaluate(text: str, functions: Functions, lookup: Lookup) -> Any:
    """The value of one expression; `lookup` resolves `variables.X` (also written `variables['X']`) and the like."""
    reader = _Reader(text, functions, lookup)
    value = reader.alternatives()
    if reader.tokens:
        raise NotUnderstood(f"expression {text!r}: {reader.tokens[0][1]!r} is not understood here")
    return value


def expand(value: Any, functions: Functions, lookup: Lookup) -> Any:
    """`${{ … }}` everywhere in a document; an expression that is the whole text keeps its type.

    A key `${{ if … }}` puts what it holds in its place, where the condition holds (Azure Pipelines, "Conditional
    insertion").
    """
    if isinstance(value, dict):
        made: dict[Any, Any] = {}
        for key, held in value.items():
            if condition := _INSERTED.fullmatch(str(key)):
                made |= expand(held, functions, lookup) if evaluate(condition[1], functions, lookup) else {}
            else:
                made[expand(key, functions, lookup)] = expand(held, functions, lookup)
        return made
    if isinstance(value, list):
        return [expand(item, functions, lookup) for item in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{\{((?:(?!\}\}).)*)\}\}", value)
    if whole:
        return evaluate(whole[1].strip(), functions, lookup)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(evaluate(found[1].strip(), functions, lookup)), value)


class _Reader:
    def __init__(self, text: str, functions: Functions, lookup: Lookup) -> None:
        self.text, self.functions, self.lookup = text, functions, lookup
        self.tokens = self._tokens(text)

    def alternatives(self) -> Any:
        value = self._all()
        while self._took("||"):
            other = self._all()
            value = value or other
        return value

    def _all(self) -> Any:
        value = self._compared()
        while self._took("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._one()
        if self._took("=="):
            return _same(value, self._one())
        if self._took("!="):
            return not _same(value, self._one())
        return value

    def _one(self) -> Any:
        if self._took("!"):
            return not self._one()
        if self._took("("):
            value = self.alternatives()
            self._need(")")
            return value
        kind, token = self.tokens.pop(0) if self.tokens else ("end", "its end")
        if kind == "text":
            return token[1:-1].replace("''", "'")
        if kind != "name":
            raise NotUnderstood(f"expression {self.text!r}: {token!r} is not understood here")
        return self._call(token) if self._took("(") else self._value(token)

    def _value(self, name: str) -> Any:
        if name in ("true", "false"):
            return name == "true"
        while self._took("["):
            name = f"{name}.{self._one()}"
            self._need("]")
        return self.lookup(name)

    def _call(self, name: str) -> Any:
        if name not in self.functions:
            raise NotUnderstood(f"expression {self.text!r}: the function {name} is not understood")
        arguments = []
        while not self._took(")"):
            arguments.append(self.alternatives())
            self._took(",")
        return self.functions[name](*arguments)

    def _took(self, sign: str) -> bool:
        if self.tokens and self.tokens[0] == ("sign", sign):
            self.tokens.pop(0)
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._took(sign):
            raise NotUnderstood(f"expression {self.text!r} lacks a {sign!r}")

    @staticmethod
    def _tokens(text: str) -> list[tuple[str, str]]:
        found, at = [], 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if not match:
                raise NotUnderstood(f"expression {text!r}: {text[at:].strip()!r} is not understood")
            found.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        return found


def _same(one: Any, other: Any) -> bool:
    """Both services compare text without regard to case."""
    return str(one).lower() == str(other).lower()


AZURE_FUNCTIONS: Functions = {
    "and": lambda *values: all(values),
    "or": lambda *values: any(values),
    "not": lambda value: not value,
    "eq": _same,
    "ne": lambda one, other: not _same(one, other),
    "iif": lambda condition, one, other: one if condition else other,
}
