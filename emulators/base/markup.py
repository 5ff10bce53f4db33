"""HTML by function: `h("p", "text", class_="quiet")`. Text is escaped here and nowhere else, so none is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Union


class Html(str):
    """Markup that is finished. Any other text is escaped where it is put in."""

    __slots__ = ()


Child = Union[str, int, float, None, Iterable["Child"]]  # noqa: UP007  # it names itself, which `|` cannot
_VOID = frozenset({"meta", "link", "input", "br", "hr"})


def h(tag: str, *children: Child, **attributes: str | int | bool | None) -> Html:
    """One element. `class_` is `class`, `aria_label` is `aria-label`; None and False leave the attribute out."""
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{given}>")
    return Html(f"<{tag}{given}>{join(*children)}</{tag}>")


def join(*children: Child) -> Html:
    return Html("".join(_text(child) for child in children))


def _text(child: Child) -> str:
    if child is None or child is False:
        return ""
    if isinstance(child, Html):
        return str(child)
    if isinstance(child, str):
        return escape(child)
    if isinstance(child, Iterable):
        return "".join(_text(one) for one in child)
    return escape(str(child))


def _attribute(name: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(str(value))}"'
