"""The shape of policy elements as data: sections, scopes, attributes, children with their order and count, text.

`reference.py` holds the rows. The loader, `check`, FIDELITY.md and the tests read them; nothing outside them loads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "name", "flag", "number", "url"]
"""`name`: text that is not empty; `flag`: true or false; `url`: absolute, http or https."""

SECTIONS = ("inbound", "backend", "outbound", "on-error")
SCOPES = ("global", "workspace", "product", "api", "operation")


@dataclass(frozen=True)
class Attribute:
    """`expression`: whether the page allows policy expressions; `refused`: documented, but not reproduced, and why."""

    name: str
    kind: Kind = "text"
    required: bool = False
    expression: bool = True
    default: str = ""
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 1e12
    #: A number outside `low` to `high` that is allowed too, with a meaning of its own.
    besides: float | None = None
    refused: str = ""


@dataclass(frozen=True)
class Child:
    """How often a part or policy may stand in its parent; `most` None: any number."""

    shape: Shape | str
    least: int = 0
    most: int | None = 1

    @property
    def tag(self) -> str:
        return self.shape if isinstance(self.shape, str) else self.shape.tag


@dataclass(frozen=True)
class Shape:
    """An element with its attributes, its text and its children.

    `text`: whether it has text, and whether that may be an expression. `ordered`: children stand in the order given.
    `statements`: it holds policy statements instead of children. `refused`: documented, but not reproduced, and why.
    """

    tag: str
    attributes: tuple[Attribute, ...] = ()
    children: tuple[Child, ...] = ()
    text: Literal["none", "literal", "expression"] = "none"
    ordered: bool = False
    statements: bool = False
    refused: str = ""

    def attribute(self, name: str) -> Attribute | None:
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


@dataclass(frozen=True)
class Policy(Shape):
    """A policy statement, with the page of Microsoft's policy reference that says so and the page's date.

    `also_in`: sections that the page does not list, and that Microsoft's policy toolkit compiles. `once`: how far one
    of them reaches.
    """

    title: str = ""
    date: str = ""
    sections: tuple[str, ...] = SECTIONS
    also_in: tuple[str, ...] = ()
    scopes: tuple[str, ...] = SCOPES
    once: Literal["", "section", "document"] = ""

    @property
    def allowed_in(self) -> frozenset[str]:
        return frozenset((*self.sections, *self.also_in))


def text(
    name: str, default: str = "", *, required: bool = False, choices: tuple[str, ...] = (), refused: str = ""
) -> Attribute:
    """Text or an expression."""
    return Attribute(name, required=required, default=default, choices=choices, refused=refused)


def name(name: str, *, required: bool = True, expression: bool = True) -> Attribute:
    """A name, which is not empty."""
    return Attribute(name, "name", required=required, expression=expression)


def url(name: str) -> Attribute:
    """An absolute http or https URL, or an expression."""
    return Attribute(name, "url", required=True)


def fixed(name: str, default: str = "", *, required: bool = False, choices: tuple[str, ...] = ()) -> Attribute:
    """Text for which "policy expressions aren't allowed"."""
    return Attribute(name, "name" if required else "text", required, expression=False, default=default, choices=choices)


def flag(name: str, default: str = "", *, required: bool = False, expression: bool = True) -> Attribute:
    return Attribute(name, "flag", required, expression, default)


def number(
    name: str,
    default: str = "",
    *,
    required: bool = False,
    expression: bool = True,
    low: float = 0,
    high: float = 1e12,
    besides: float | None = None,
) -> Attribute:
    return Attribute(name, "number", required, expression, default, (), low, high, besides)


def many(shape: Shape | str, least: int = 0) -> Child:
    return Child(shape, least, None)


def one(shape: Shape | str) -> Child:
    return Child(shape, 1, 1)


def maybe(shape: Shape | str) -> Child:
    return Child(shape, 0, 1)


def texts(tag: str, item: str, *, least: int = 1, literal: bool = False) -> Shape:
    """`<tag><item>text</item>…</tag>`."""
    return Shape(tag, children=(many(Shape(item, text="literal" if literal else "expression"), least),))
