"""Format strings of .NET in the invariant culture: `{x:D2}`, `ToString("o")`, string.Format.

Standard and custom formats of numbers, dates, spans and Guids ("Standard numeric format strings", "Custom numeric
format strings", "Standard date and time format strings", "Custom TimeSpan format strings"). What is not reproduced is
refused at load where the format is a constant (`unknown`), else when it runs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any
from uuid import UUID

from emulators.apim.csharp.clr import ClrError, EvaluationLimit, room, timespan_text, to_text
from emulators.apim.csharp.clr_types import UNSPECIFIED, T, is_numeric

_TOKENS = re.compile(
    r"yyyyy*|yyy|yy|y|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,7}|F{1,7}|tt|t|zzz|zz|z|K|'[^']*'|\"[^\"]*\"|\\.|%|."
)
_SINGLE = {
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ss'Z'",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "M": "MMMM dd",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "U": "dddd, dd MMMM yyyy HH:mm:ss",
    "Y": "yyyy MMMM",
}
_SINGLE |= {"O": _SINGLE["o"], "R": _SINGLE["r"], "m": _SINGLE["M"], "y": _SINGLE["Y"]}
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d+)(?:,(-?\d+))?(?::([^}]*))?\}")
_STANDARD = re.compile(r"([A-Za-z])(\d*)")
#: Literal text, then digits with an optional group sign, fraction and percent sign, then literal text.
_CUSTOM = re.compile(
    r"""(?P<before>(?:'[^']*'|"[^"]*"|\\.|[^#0.,%'"\\;eE])*)(?P<whole>[#0,]*)(?:\.(?P<fraction>[#0]*))?"""
    r"""(?P<after>(?:'[^']*'|"[^"]*"|\\.|[^#0.,'"\\;eE])*)"""
)
_NUMBERS = "CDEFGNPRX"
_SPAN = re.compile(r"d{1,8}|hh|h|mm|m|ss|s|f{1,7}|F{1,7}|'[^']*'|\"[^\"]*\"|\\.|.")


def format_value(value: Any, layout: str | None) -> str:
    if not layout:
        return to_text(value)
    if isinstance(value, datetime):
        return _date(value, layout)
    if isinstance(value, timedelta):
        return _span(value, layout)
    if isinstance(value, UUID):
        return _guid(value, layout)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _number(value, layout)
    return to_text(value)


def unknown(type_: T, layout: str) -> str:
    """Why a constant format cannot be reproduced for values of a type; "" where it can."""
    sample: Any = datetime(2024, 1, 1, tzinfo=UTC) if type_.name in ("DateTime", "DateTimeOffset") else None
    sample = timedelta(1) if type_.name == "TimeSpan" else UUID(int=0) if type_.name == "Guid" else sample
    if is_numeric(type_):
        sample = {"double": 1.0, "decimal": Decimal(1)}.get(type_.name, 1)
    try:
        format_value(sample, layout)
    except (ClrError, EvaluationLimit) as error:
        return str(error)
    return ""


def composite(pattern: str, values: list[Any]) -> str:
    """string.Format."""
    if pattern is None:
        raise ClrError("ArgumentNullException", "Value cannot be null. Parameter name: format")
    if "{" in _PLACEHOLDER.sub("", pattern) or "}" in _PLACEHOLDER.sub("", pattern):
        raise ClrError("FormatException", "Input string was not in a correct format.")

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


# Numbers


#: Wide enough for any double and any decimal, to the last digit; halves go away from zero, as .NET writes numbers.
_CONTEXT = Context(prec=1200, rounding=ROUND_HALF_UP)
_Number = float | Decimal


def _number(value: _Number, layout: str) -> str:
    if isinstance(value, float) and value - value != 0:
        return to_text(value)
    standard = _STANDARD.fullmatch(layout)
    if standard is None:
        return _custom(value, layout)
    kind, digits = standard[1].upper(), standard[2]
    if kind not in _NUMBERS or len(digits) > 2 or (kind in "DX" and not isinstance(value, int)):
        raise ClrError("FormatException", "Format specifier was invalid.")
    if kind == "R" and not isinstance(value, float):
        raise ClrError("FormatException", "Format specifier was invalid.")
    return _standard(value, standard[1], int(digits) if digits else None)


def _standard(value: _Number, letter: str, digits: int | None) -> str:
    kind = letter.upper()
    if kind == "D":
        return f"{'-' if value < 0 else ''}{abs(int(value)):0{digits or 0}d}"
    if kind == "X":
        bits = 32 if -(2**31) <= value < 2**31 else 64
        text = f"{int(value) & (2**bits - 1):0{digits or 0}X}"
        return text.lower() if letter == "x" else text
    if kind == "E":
        mantissa, power = _scientific(value, 6 if digits is None else digits)
        return f"{mantissa}{letter}{'-' if power < 0 else '+'}{abs(power):03d}"
    if kind in "GR":
        return to_text(value) if not digits or kind == "R" else _general(value, digits, "e" if letter == "g" else "E")
    places = 2 if digits is None else digits
    if kind == "P":
        return f"{_rounded(_hundredfold(value), places):,.{places}f} %"
    shown = f"{_rounded(_magnitude(value), places):{',' if kind in 'NC' else ''}.{places}f}"
    if kind == "C":
        return f"(¤{shown})" if value < 0 else f"¤{shown}"
    return f"-{shown}" if value < 0 and any(digit in "123456789" for digit in shown) else shown


def _rounded(value: _Number, places: int) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-places), context=_CONTEXT)


def _magnitude(value: _Number) -> _Number:
    return value.copy_abs() if isinstance(value, Decimal) else abs(value)


def _hundredfold(value: _Number) -> _Number:
    return _CONTEXT.multiply(value, Decimal(100)) if isinstance(value, Decimal) else value * 100


def _scientific(value: _Number, places: int) -> tuple[str, int]:
    """The number as digits before and after the point, and the power of ten that they are multiplied by."""
    exact = Decimal(value)
    power = exact.adjusted() if exact else 0
    shown = _rounded(exact.scaleb(-power, _CONTEXT), places)
    if shown and shown.adjusted() > 0:
        power += 1
        shown = _rounded(exact.scaleb(-power, _CONTEXT), places)
    return f"{shown:f}", power


def _general(value: _Number, digits: int, letter: str) -> str:
    """Whichever is shorter, the number or its scientific form, without zeros at its end."""
    mantissa, power = _scientific(value, digits - 1)
    if -5 < power < digits:
        text = f"{_rounded(value, digits - 1 - power):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}{letter}{'-' if power < 0 else '+'}{abs(power):02d}"


def _custom(value: _Number, layout: str) -> str:
    """`#,##0.00`, `0.###`, `000`, `0%`: one section; an exponent, scaling commas and sections are not known."""
    found = _CUSTOM.fullmatch(layout)
    whole = found["whole"] if found is not None else ""
    if found is None or layout.count("%") > 1 or whole.startswith(",") or whole.endswith(","):
        raise EvaluationLimit(f"the local gateway does not know the number format {layout!r}")
    if not whole and found["fraction"] is None:
        return ("-" if value < 0 else "") + _literal(layout)
    scaled = _hundredfold(value) if "%" in found["before"] + found["after"] else value
    fraction = found["fraction"] or ""
    shown = f"{_rounded(_magnitude(scaled), len(fraction)):.{len(fraction)}f}"
    digits, _, decimals = shown.partition(".")
    least = whole.replace(",", "")
    digits = digits.lstrip("0").rjust(len(least) - least.find("0") if "0" in least else 0, "0")
    if "," in whole:
        digits = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", digits)
    keep = fraction.rfind("0") + 1
    decimals = decimals[:keep] + decimals[keep:].rstrip("0")
    text = digits + (f".{decimals}" if decimals else "")
    sign = "-" if value < 0 and any(digit in "123456789" for digit in text) else ""
    return f"{sign}{_literal(found['before'])}{text}{_literal(found['after'])}"


def _literal(text: str) -> str:
    return re.sub(r"'([^']*)'|\"([^\"]*)\"|\\(.)", lambda found: found[1] or found[2] or found[3] or "", text)


# Dates and spans


def _date(value: datetime, layout: str) -> str:
    if len(layout) == 1 and layout not in _SINGLE:
        raise ClrError("FormatException", "Input string was not in a correct format.")
    return "".join(_date_token(value, token) for token in _TOKENS.findall(_SINGLE.get(layout, layout)))


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def _date_token(value: datetime, part: str) -> str:
    month, day = _MONTHS[value.month - 1], _DAYS[value.weekday()]
    half = "AM" if value.hour < 12 else "PM"
    words = {"MMMM": month, "MMM": month[:3], "dddd": day, "ddd": day[:3], "tt": half, "t": half[0], "%": ""}
    if part in words:
        return words[part]
    numbers = {"M": value.month, "d": value.day, "H": value.hour, "h": value.hour % 12 or 12, "m": value.minute}
    numbers |= {"s": value.second, "y": value.year % 100}
    if part[0] == "y" and len(part) > 2:
        return f"{value.year:0{len(part)}d}"
    if part[0] in numbers:
        return f"{numbers[part[0]]:0{len(part)}d}"
    if part[0] in "fF":
        fraction = f"{value.microsecond:06}0"[: len(part)]
        return fraction if part[0] == "f" else fraction.rstrip("0")
    if part == "K":
        return "Z" if value.tzinfo is UTC else "" if value.tzinfo is UNSPECIFIED else "+00:00"
    if part[0] == "z":
        return {"zzz": "+00:00", "zz": "+00", "z": "+0"}[part]
    return part[1:-1] if part[0] in "'\"" else part.lstrip("\\")


def _span(value: timedelta, layout: str) -> str:
    if layout in ("c", "t", "T"):
        return timespan_text(value)
    if layout in ("g", "G"):
        raise EvaluationLimit(f"the local gateway does not know the time span format {layout!r}: use c or a custom one")
    if len(layout) == 1:
        raise ClrError("FormatException", "Input string was not in a correct format.")
    return "".join(_span_token(abs(value), token) for token in _SPAN.findall(layout.removeprefix("%")))


def _span_token(value: timedelta, part: str) -> str:
    numbers = {"d": value.days, "h": value.seconds // 3600, "m": value.seconds // 60 % 60, "s": value.seconds % 60}
    if part[0] in numbers:
        return f"{numbers[part[0]]:0{len(part)}d}"
    if part[0] in "fF":
        fraction = f"{value.microseconds:06}0"[: len(part)]
        return fraction if part[0] == "f" else fraction.rstrip("0")
    if part[0] in "'\"\\":
        return part[1:-1] if part[0] != "\\" else part[1:]
    raise ClrError("FormatException", "Input string was not in a correct format.")
