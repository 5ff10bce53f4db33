"""Composite formatting: `{x:D2}`, `ToString("o")`, string.Format. Unknown formats raise FormatException."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from emulators.apim.csharp.clr import ClrError, EvaluationLimit, room, to_text

_TOKENS = re.compile(r"yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,7}|F{1,7}|tt|zzz|K|'[^']*'|\\.|.")
_SINGLE = {
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "d": "MM/dd/yyyy",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "G": "MM/dd/yyyy HH:mm:ss",
}
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d+)(?:,(-?\d+))?(?::([^}]*))?\}")


def format_value(value: Any, layout: str) -> str:
    if not layout:
        return to_text(value)
    if isinstance(value, datetime):
        return _date(value, _SINGLE.get(layout, layout))
    if isinstance(value, UUID):
        return _guid(value, layout)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, layout)
    return to_text(value)


def composite(pattern: str, values: list[Any]) -> str:
    """string.Format."""

    def replace(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)[0]
        index = int(match.group(1))
        if index >= len(values):
            raise ClrError("FormatException", "Index (zero based) must be less than the size of the argument list.")
        shown = format_value(values[index], match.group(3) or "")
        width = int(match.group(2) or 0)
        room(abs(width))
        return shown.rjust(width) if width >= 0 else shown.ljust(-width)

    return _PLACEHOLDER.sub(replace, pattern)


def _guid(value: UUID, layout: str) -> str:
    shapes = {"D": str(value), "N": value.hex, "B": f"{{{value}}}", "P": f"({value})"}
    if layout.upper() not in shapes:
        raise ClrError("FormatException", f"Format string {layout!r} is not known for Guid.")
    return shapes[layout.upper()]


def _number(value: float, layout: str) -> str:
    kind, digits = layout[0].upper(), layout[1:]
    if kind in "DXNFP" and (not digits or digits.isdigit()):
        width = int(digits) if digits else {"N": 2, "F": 2, "P": 2}.get(kind, 0)
        if width > 99:  # .NET's precision specifiers have two digits
            raise ClrError("FormatException", "Format specifier was invalid.")
        if kind in "DX":
            text = f"{int(value):0{width}d}" if kind == "D" else f"{int(value):0{width}X}"
            return text.lower() if layout[0] == "x" else text
        return f"{value * 100:,.{width}f} %" if kind == "P" else f"{value:{',' if kind == 'N' else ''}.{width}f}"
    if re.fullmatch(r"0+(\.0+)?", layout):
        whole, _, fraction = layout.partition(".")
        text = f"{value:.{len(fraction)}f}"
        return text.zfill(len(whole) + (len(fraction) + 1 if fraction else 0))
    raise EvaluationLimit(f"the local gateway does not know the number format {layout!r}: use D, X, N, F, P or 0.00")


def _date(value: datetime, layout: str) -> str:
    return "".join(_date_token(value, token) for token in _TOKENS.findall(layout))


def _date_token(value: datetime, part: str) -> str:
    names = {"yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dddd": "%A", "ddd": "%a", "dd": "%d"}
    clock = {"HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "tt": "%p"}
    plain = {
        "M": value.month,
        "d": value.day,
        "H": value.hour,
        "h": value.hour % 12 or 12,
        "m": value.minute,
        "s": value.second,
    }
    if part in names or part in clock:
        return value.strftime({**names, **clock}[part])
    if part in plain:
        return str(plain[part])
    if part[0] in "fF":
        fraction = f"{value.microsecond:06}0"[: len(part)]
        return fraction if part[0] == "f" else fraction.rstrip("0")
    if part in ("K", "zzz"):
        return ("Z" if part == "K" else "+00:00") if value.tzinfo is UTC else ""
    return part[1:-1] if part.startswith("'") else part.lstrip("\\")
