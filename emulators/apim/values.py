"""Attribute and text values: literals, or expressions compiled at load."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from emulators.apim.csharp.clr import to_text
from emulators.apim.csharp.compile import CSharpError, Expression, compile_expression
from emulators.apim.errors import (
    GivenBy,
    InvalidAttribute,
    LocatedError,
    MissingReference,
    UnsupportedExpression,
    Where,
    missing,
)
from emulators.apim.messages import Context

_NAMED_VALUE = re.compile(r"\{\{([A-Za-z0-9_.-]+)\}\}")


class Value:
    """What an attribute or text yields. `literal` is its text where that is known at load, else None."""

    __slots__ = ("expression", "literal", "run")

    def __init__(self, literal: str | None, expression: Expression | None = None) -> None:
        self.literal = literal
        self.expression = expression
        self.run: Callable[[Context], Any] = expression if expression is not None else lambda context: literal

    def text(self, context: Context) -> str:
        return to_text(self.run(context)) if self.literal is None else self.literal


class NamedValues:
    """`{{name}}` in any text. A name the applied state does not hold is a MissingReference."""

    def __init__(self, values: Mapping[str, str], given_by: GivenBy = "state") -> None:
        self._values = dict(values)
        self._given_by = given_by

    def substitute(self, text: str, where: Where, report: Callable[[LocatedError], None]) -> str:
        if "{{" not in text:
            return text

        def replace(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in self._values:
                message = missing("named value", f"{{{{{name}}}}}", self._given_by)
                report(MissingReference(message, where=where, name=name))
            return self._values.get(name, "")

        return _NAMED_VALUE.sub(replace, text)

    @staticmethod
    def each(text: str, value: Callable[[str], str]) -> str:
        """The text with `value` of each name in it."""
        return _NAMED_VALUE.sub(lambda match: value(match.group(1)), text)

    def known(self, text: str) -> str:
        """The text with those names replaced that there are: what is none may be a Liquid template's."""
        return _NAMED_VALUE.sub(lambda match: self._values.get(match.group(1), match.group(0)), text)


def compile_value(text: str, where: Where) -> Value:
    """Raises UnsupportedExpression, with the line inside the document, or InvalidAttribute."""
    stripped = text.strip()
    if stripped.startswith(("@(", "@{")):
        try:
            return Value(None, compile_expression(text))
        except CSharpError as error:
            at = Where(where.scope, where.line + error.row)
            raise UnsupportedExpression(error.message, where=at, name=error.name) from error
    if "@(" in text or "@{" in text:
        raise InvalidAttribute(
            "an expression must be the whole value; join text and values inside it", where=where, name=stripped[:40]
        )
    return Value(text)
