"""Which policy elements exist, and what their builders are given. Loading, checking and README use one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulators.apim.errors import InvalidAttribute, LocatedError, UnknownAttribute, UnknownElement, Where
from emulators.apim.messages import Context, Run
from emulators.apim.values import Value, compile_value
from emulators.base.policy_xml import Node

if TYPE_CHECKING:
    from emulators.apim.builder import Builder

ANYWHERE = frozenset({"inbound", "backend", "outbound", "on-error"})
INBOUND = frozenset({"inbound"})


@dataclass(frozen=True)
class ElementSpec:
    """`title` is the documentation page the element follows; `partial` says how it differs."""

    tag: str
    sections: frozenset[str]
    attributes: frozenset[str]
    build: Callable[[Element], Run]
    title: str
    partial: str = ""


ELEMENTS: dict[str, ElementSpec] = {}


def element(
    tag: str, *, title: str, sections: frozenset[str] = ANYWHERE, attributes: str = "", partial: str = ""
) -> Callable[[Callable[[Element], Run]], Callable[[Element], Run]]:
    """Registers the builder of a policy statement; `attributes` are separated by spaces."""

    def register(build: Callable[[Element], Run]) -> Callable[[Element], Run]:
        ELEMENTS[tag] = ElementSpec(tag, sections, frozenset(attributes.split()), build, title, partial)
        return build

    return register


class Element:
    """An XML element while it is being compiled. Problems are reported, not raised, so one load finds all of them."""

    def __init__(self, node: Node, builder: Builder) -> None:
        self.node = node
        self.builder = builder
        self.tag = node.tag
        self.where = Where(builder.place.label, node.line)

    def report(self, error: LocatedError) -> None:
        self.builder.report(error)

    def invalid(self, message: str, name: str) -> None:
        self.report(InvalidAttribute(message, where=self.where, name=name))

    def allow(self, attributes: frozenset[str] | set[str]) -> None:
        """Reports every attribute but these and `id`, which all policies take."""
        for name in self.node.attributes:
            if name not in attributes and name != "id":
                message = f"<{self.tag}> has no attribute {name!r} in the local gateway"
                self.report(UnknownAttribute(message, where=self.where, name=name))

    def has(self, name: str) -> bool:
        return name in self.node.attributes

    def raw(self, name: str) -> str | None:
        text = self.node.attributes.get(name)
        return None if text is None else self.builder.substitute(text, self.where)

    def compile(self, text: str) -> Value:
        try:
            return compile_value(text, self.where)
        except LocatedError as error:
            self.report(error)
            return Value("")

    def value(self, name: str, default: str | None = None) -> Value:
        """An attribute that takes expressions; without a default it is required."""
        text = self.raw(name)
        if text is None:
            if default is None:
                self.invalid(f"<{self.tag}> needs the attribute {name!r}", name)
            return Value(default or "")
        return self.compile(text)

    def optional(self, name: str) -> Value | None:
        return self.value(name) if self.has(name) else None

    def literal(self, name: str, default: str | None = None, choices: Sequence[str] = ()) -> str:
        """An attribute for which "policy expressions aren't allowed"."""
        text = self.raw(name)
        if text is None:
            if default is None:
                self.invalid(f"<{self.tag}> needs the attribute {name!r}", name)
            return default or ""
        if text.strip().startswith(("@(", "@{")):
            self.invalid(f"{name!r} of <{self.tag}> takes no policy expression", name)
        if choices and text not in choices:
            self.invalid(f"{name!r} of <{self.tag}> must be one of {', '.join(choices)}, not {text!r}", name)
        return text

    def flag(self, name: str, *, default: bool) -> Callable[[Context], bool]:
        found = self.value(name, "true" if default else "false")
        if found.literal is not None:
            if found.literal not in ("true", "false"):
                self.invalid(f"{name!r} of <{self.tag}> must be true or false, not {found.literal!r}", name)
            constant = found.literal == "true"
            return lambda context: constant
        return lambda context: found.text(context).lower() == "true"

    def number(
        self, name: str, default: str | None = None, *, low: float = 0, high: float = 1e9
    ) -> Callable[[Context], float]:
        """A number, checked at load where it is a literal; an expression's bad number is InvalidNumber when it runs."""
        found = self.value(name, default)
        if found.literal is not None:
            constant = _number(found.literal)
            if constant is None or not low <= constant <= high:
                self.invalid(f"{name!r} of <{self.tag}> must be a number from {low:g} to {high:g}", name)
            fixed = constant or 0.0
            return lambda context: fixed
        return lambda context: _number(found.text(context)) or 0.0

    @property
    def text(self) -> Value:
        return self.compile(self.builder.substitute(self.node.text, self.where))

    def trimmed(self) -> Value:
        """Text where the white space around it means nothing."""
        found = self.text
        return Value(found.literal.strip()) if found.literal is not None else found

    def children(self, *tags: str) -> list[Element]:
        """The child elements; any tag but these is reported."""
        found = []
        for node in self.node.children:
            if node.tag in tags:
                found.append(Element(node, self.builder))
            else:
                where = Where(self.builder.place.label, node.line)
                message = f"<{node.tag}> is not allowed in <{self.tag}> by the local gateway"
                self.report(UnknownElement(message, where=where, name=node.tag))
        return found

    def child(self, tag: str) -> Element | None:
        return next((Element(node, self.builder) for node in self.node.children if node.tag == tag), None)

    def no_children(self) -> None:
        self.children()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def text_values(parent: Element | None, tag: str) -> list[Value]:
    """`<parent><tag>text</tag>…</parent>` as values."""
    return [child.trimmed() for child in parent.children(tag)] if parent is not None else []


def all_texts(values: Sequence[Value]) -> Callable[[Context], list[str]]:
    """The texts of all values; fixed where every one is literal."""
    literals = [value.literal for value in values if value.literal is not None]
    if len(literals) == len(values):
        return lambda context: literals
    return lambda context: [value.text(context) for value in values]


__all__ = ["ANYWHERE", "ELEMENTS", "INBOUND", "Element", "ElementSpec", "all_texts", "element", "text_values"]
