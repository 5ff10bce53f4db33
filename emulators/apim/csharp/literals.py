"""C# literals to constants, and interpolated strings to closures."""

from __future__ import annotations

import re

from tree_sitter import Node

from emulators.apim.csharp import decimals
from emulators.apim.csharp.clr import ClrError, limited
from emulators.apim.csharp.clr_types import BOOL, CHAR, DECIMAL, DOUBLE, INT, LONG, NULL, STRING
from emulators.apim.csharp.expressions import Compiler, constant, handles
from emulators.apim.csharp.formats import format_value, unknown
from emulators.apim.csharp.scope import Code, Frame, Typed, fail, named, text_of

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{1,4}|.)")


def unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match.group(1)
        return chr(int(code[1:], 16)) if code[0] in "uUx" and len(code) > 1 else _ESCAPES.get(code, code)

    return _ESCAPE.sub(replace, text)


@handles("string_literal")
def _string(compiler: Compiler, node: Node) -> Typed:
    return constant(STRING, unescape(text_of(node)[1:-1]))


@handles("verbatim_string_literal")
def _verbatim(compiler: Compiler, node: Node) -> Typed:
    return constant(STRING, text_of(node)[2:-1].replace('""', '"'))


@handles("character_literal")
def _character(compiler: Compiler, node: Node) -> Typed:
    return constant(CHAR, unescape(text_of(node)[1:-1]))


@handles("boolean_literal")
def _boolean(compiler: Compiler, node: Node) -> Typed:
    return constant(BOOL, text_of(node) == "true")


@handles("null_literal")
def _null(compiler: Compiler, node: Node) -> Typed:
    return constant(NULL, None)


@handles("integer_literal")
def _integer(compiler: Compiler, node: Node) -> Typed:
    text = text_of(node).replace("_", "").lower()
    digits = text.rstrip("lu")
    if "u" in text:
        raise fail(node, "the type 'uint' or 'ulong' of this literal is not in the supported list", text_of(node))
    value = int(digits, 0) if digits.startswith(("0x", "0b")) else int(digits)
    if value >= 2**63 and not (value == 2**63 and node.parent is not None and text_of(node.parent).startswith("-")):
        raise fail(node, "the type 'ulong' of this literal is not in the supported list", text_of(node))
    return constant(LONG if "l" in text or value > 2**31 - 1 else INT, value)


@handles("real_literal")
def _real(compiler: Compiler, node: Node) -> Typed:
    text = text_of(node).replace("_", "").lower()
    if text.endswith("f"):
        raise fail(node, "the type 'float' of this literal is not in the supported list: use double", text_of(node))
    if not text.endswith("m"):
        return constant(DOUBLE, float(text.rstrip("d")))
    try:
        return constant(DECIMAL, decimals.literal(text[:-1]))
    except ClrError as error:
        raise fail(node, f"the constant {text_of(node)} is outside of what a decimal holds (CS0594)") from error


@handles("interpolated_string_expression")
def _interpolated(compiler: Compiler, node: Node) -> Typed:
    verbatim = "@" in text_of(node)[:2]
    parts: list[Code] = []
    for child in named(node):
        if child.type == "interpolation":
            parts.append(_hole(compiler, child))
        elif child.type in ("string_content", "escape_sequence"):
            raw = text_of(child).replace("{{", "{").replace("}}", "}")
            text = raw.replace('""', '"') if verbatim else unescape(raw)
            parts.append(lambda frame, text=text: text)  # type: ignore[misc]
    return Typed(STRING, lambda frame: limited("".join([part(frame) for part in parts])))


def _hole(compiler: Compiler, node: Node) -> Code:
    inside = [child for child in named(node) if child.type != "interpolation_brace"]
    value = compiler.compile(inside[0])
    run = value.run
    clauses = {child.type: text_of(child)[1:].strip() for child in inside[1:]}
    layout = clauses.get("interpolation_format_clause", "")
    alignment = clauses.get("interpolation_alignment_clause", "0")
    if layout and (why := unknown(value.type, layout)):
        raise fail(node, f"the format {layout!r} cannot be used for {value.type}: {why}", layout)
    if not re.fullmatch(r"-?\d{1,3}", alignment):
        raise fail(node, f"the alignment {alignment!r} must be a number", alignment)
    width = int(alignment)

    def text(frame: Frame) -> str:
        shown = format_value(run(frame), layout)
        return shown.rjust(width) if width >= 0 else shown.ljust(-width)

    return text
