"""Expressions of policies whose quotes and brackets are not escaped, as API Management takes and azurerm reads them.

Only the text between `@(` or `@{` and its closing bracket is touched, and an `&` that begins no reference.
"""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"""(?P<skip>@"(?:[^"]|"")*" | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])' | //[^\n]* | /\*.*?\*/)"""
    r"""|(?P<open>[({\[])|(?P<close>[)}\]])""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_START = re.compile(r"@[({]|<!--")
_BARE = re.compile(r"<!\[CDATA\[.*?\]\]>|&(?!#?\w+;)", re.DOTALL)
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")


def escape_expressions(source: str) -> str:
    """The document with every expression escaped. What is escaped already stays as it is."""
    parts: list[str] = []
    position = 0
    while (found := _START.search(source, position)) is not None:
        comment = _COMMENT.match(source, found.start())
        end = comment.end() if comment is not None else _end_of(source, found.start() + 1)
        parts.append(_ampersands(source[position : found.start()]))
        text = source[found.start() : end]
        parts.append(text if comment is not None else _escaped(text))
        position = end
    return "".join([*parts, _ampersands(source[position:])])


def _ampersands(text: str) -> str:
    """An `&` that begins no reference stands for itself in raw policies, as in the query of a rewrite-uri template."""
    return _BARE.sub(lambda found: "&amp;" if found[0] == "&" else found[0], text)


def _end_of(source: str, opening: int) -> int:
    """Just past the bracket that closes the one at `opening`; past the opening itself where none does."""
    depth = 0
    for token in TOKEN.finditer(source, opening):
        if token.group("open"):
            depth += 1
        elif token.group("close"):
            depth -= 1
            if depth == 0:
                return token.end()
    return opening + 1


def _escaped(text: str) -> str:
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace('"', "&quot;")
