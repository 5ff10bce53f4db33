"""How API Management stores policies and gives them back, and how azurerm compares that with what is written.

It reads a document (raw expressions allowed) and writes it anew, as .NET does: attributes in double quotes, with `"`,
`<`, `>` and `&` as entities; `<`, `>` and `&` as entities in texts. What becomes of a line break in an attribute is
not documented: .NET's writer keeps it as `&#xA;`, its reader makes a space of one that is not written so. Both can be
had (`LineBreaks`), and files should come back unchanged in both.

azurerm un-escapes what it reads of a policy, and does not with a fragment (`api_management_*_policy_resource.go`,
`api_management_policy_fragment_resource.go`); then it compares by XML tokens, and, where either side is no XML, by text
without blanks (`diff_suppress.go`). Neither comparison takes `'` for `"`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Literal
from xml.parsers import expat

from emulators.azurerm.catalog import Values
from emulators.azurerm.values import is_unknown
from emulators.base.raw_expressions import escape_expressions

LineBreaks = Literal["kept", "spaces"]

FRAGMENT = "azurerm_api_management_policy_fragment"
ATTRIBUTE = {
    "azurerm_api_management_policy": "xml_content",
    "azurerm_api_management_api_policy": "xml_content",
    "azurerm_api_management_api_operation_policy": "xml_content",
    "azurerm_api_management_product_policy": "xml_content",
    FRAGMENT: "value",
}

_QUOTED = r"""(?:"[^"]*"|'[^']*')"""
_TAG = re.compile(rf"<(?P<name>[\w:.-]+)(?P<attributes>(?:\s+[\w:.-]+\s*=\s*{_QUOTED})*)\s*(?P<empty>/?)>")
_ATTRIBUTE = re.compile(rf"(?P<name>[\w:.-]+)\s*=\s*(?P<value>{_QUOTED})")
_AS_IT_IS = re.compile(r"</[\w:.-]+\s*>|<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
_BREAKS = {"\n": "&#xA;", "\r": "&#xD;", "\t": "&#x9;"}


def given_back(type_: str, values: Values, line_breaks: LineBreaks = "kept") -> Values:
    """The object's values with its policy as the provider reads it back; other types come back as they are."""
    name = ATTRIBUTE.get(type_)
    text = values.get(name) if name else None
    if name is None or not isinstance(text, str):
        return values
    stored = store(text, line_breaks)
    escaped = type_ == FRAGMENT and values.get("format") != "rawxml"
    return {**values, name: stored if escaped else html.unescape(stored)}


def keeps(type_: str, prior: Values, planned: Values) -> dict[str, str]:
    """The attributes whose change the provider does not see, with the value that it keeps."""
    name = ATTRIBUTE.get(type_)
    if name is None:
        return {}
    before, after = prior.get(name), planned.get(name)
    if before == after or not isinstance(before, str) or not isinstance(after, str) or is_unknown(after):
        return {}
    return {name: before} if same(type_, before, after) else {}


def same(type_: str, before: str, after: str) -> bool:
    """The provider's own comparison of what it read with what is written."""
    tokens = _tokens(before), _tokens(after)
    if None not in tokens and tokens[0] == tokens[1]:
        return True
    flat: Callable[[str], str] = _without_blanks if type_ == FRAGMENT else _without_entities
    return flat(before) == flat(after)


def store(text: str, line_breaks: LineBreaks = "kept") -> str:
    """The document as API Management writes it; text that is no policy at all is left alone."""
    if not _is_xml(text):
        text = escape_expressions(text)
    return "".join(_written(text, line_breaks)) if _is_xml(text) else text


def _written(text: str, line_breaks: LineBreaks) -> Iterator[str]:
    for kind, piece in _pieces(text):
        if kind == "text":
            yield _escaped(html.unescape(piece))
        elif kind == "other":
            yield piece
        else:
            yield from _written_tag(_TAG.fullmatch(piece), line_breaks)


def _written_tag(tag: re.Match[str] | None, line_breaks: LineBreaks) -> Iterator[str]:
    if tag is not None:
        pairs = "".join(f' {name}="{_attribute(v, line_breaks)}"' for name, v in _attributes(tag))
        yield f"<{tag['name']}{pairs}{' /' if tag['empty'] else ''}>"


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """The document in parts: ("tag" | "text" | "other", source)."""
    position = 0
    while position < len(text):
        tag, other = _TAG.match(text, position), _AS_IT_IS.match(text, position)
        markup = tag or other
        end = markup.end() if markup else text.find("<", position + 1)
        end = end if end >= 0 else len(text)
        yield "tag" if tag else "other" if other else "text", text[position:end]
        position = end


def _attributes(tag: re.Match[str]) -> Iterator[tuple[str, str]]:
    for found in _ATTRIBUTE.finditer(tag["attributes"]):
        yield found["name"], found["value"][1:-1]


def _attribute(source: str, line_breaks: LineBreaks) -> str:
    if line_breaks == "spaces":  # the reader's part: only what is written as a character reference survives
        source = source.replace("\r\n", " ").translate(dict.fromkeys(map(ord, "\r\n\t"), " "))
    escaped = _escaped(html.unescape(source)).replace('"', "&quot;")
    return escaped.translate({ord(character): entity for character, entity in _BREAKS.items()})


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _is_xml(text: str) -> bool:
    try:
        expat.ParserCreate().Parse(text.strip().encode(), True)
    except expat.ExpatError:
        return False
    return True


def _tokens(text: str) -> list[tuple[object, ...]] | None:
    """As Go's decoder has them: blank texts left out, attributes in their order, line breaks kept; None for no XML."""
    if not _is_xml(text):
        return None
    out: list[tuple[object, ...]] = []
    for kind, piece in _pieces(text):
        if kind == "text":
            out.extend([("text", html.unescape(piece))] if piece.strip() else [])
        elif kind == "other":
            out.append(("end", piece[2:-1].strip()) if piece.startswith("</") else ("other", piece))
        elif tag := _TAG.fullmatch(piece):
            out.append(("start", tag["name"], [(name, html.unescape(v)) for name, v in _attributes(tag)]))
            out.extend([("end", tag["name"])] if tag["empty"] else [])
    return out


def _without_blanks(text: str) -> str:
    return text.translate(dict.fromkeys(map(ord, "\n\r\t ")))


def _without_entities(text: str) -> str:
    flat = _without_blanks(text)
    for entity, character in (("&quot;", '"'), ("&gt;", ">"), ("&lt;", "<"), ("&amp;", "&"), ("&apos;", "'")):
        flat = flat.replace(entity, character)
    return flat
