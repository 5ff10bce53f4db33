"""Date formatting and arithmetic: `$dateToString`, `$dateFromString`, `$dateAdd`, `$dateDiff`, `$dateTrunc`."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any

from bson import Int64

from emulators.mongodb.errors import CommandError, bad_value, failed_to_parse
from emulators.mongodb.expr.core import (
    Expression,
    Scope,
    Variables,
    compile_expression,
    named,
    named_fields,
    nothing,
    special,
)
from emulators.mongodb.expr.dateparts import PARTS, moment, naive, parse_date, zone
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.values import MISSING, Document

_FIXED = {"hour": 3_600_000, "minute": 60_000, "second": 1000, "millisecond": 1}
_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_DAYS = {"week": 7, "day": 1}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_REFERENCE = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # the manual: bins of `$dateTrunc` are counted from 2000-01-01
_MILLISECOND = dt.timedelta(milliseconds=1)


@special("$dateToString")
def _to_string(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$dateToString", argument, ["date"], ["date", "format", "timezone", "onNull"])
    date, layout = compile_expression(fields["date"], scope), compile_expression(fields.get("format", MISSING), scope)
    place = compile_expression(fields.get("timezone", MISSING), scope)
    on_null = compile_expression(fields.get("onNull"), scope)

    def run(document: Document, variables: Variables) -> Any:
        value, form, where = (item(document, variables) for item in (date, layout, place))
        if nothing(value):
            return on_null(document, variables)
        if form is None or where is None:
            return None
        if form is MISSING:
            form = "%Y-%m-%dT%H:%M:%S.%LZ" if where in (MISSING, "UTC", "GMT") else "%Y-%m-%dT%H:%M:%S.%L"
        return format_date(moment("$dateToString", value).astimezone(zone(where)), form)

    return run


_FORMATS = {
    "Y": ("$year", 4), "m": ("$month", 2), "d": ("$dayOfMonth", 2), "H": ("$hour", 2), "M": ("$minute", 2),
    "S": ("$second", 2),     "L": ("$millisecond", 3), "j": ("$dayOfYear", 3), "w": ("$dayOfWeek", 1),
    "u": ("$isoDayOfWeek", 1),
    "U": ("$week", 2),     "V": ("$isoWeek", 2), "G": ("$isoWeekYear", 4),
}  # fmt: skip


def format_date(local: dt.datetime, layout: Any) -> str:
    """The letters of the manual's "Format Specifiers"; 18536 for one it does not have."""
    if not isinstance(layout, str):
        raise CommandError(18533, "$dateToString requires that 'format' be a string")
    text, letters = "", iter(layout)
    for letter in letters:
        text += letter if letter != "%" else _formatted(local, next(letters, ""))
    return text


def _formatted(local: dt.datetime, letter: str) -> str:
    if letter in _FORMATS:
        part, width = _FORMATS[letter]
        return f"{PARTS[part](local):0{width}d}"
    offset = local.utcoffset() or dt.timedelta()
    minutes = int(offset.total_seconds() // 60)
    if letter == "z":
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    if letter == "Z":
        return f"{minutes:+d}"
    if letter == "b":
        return calendar.month_abbr[local.month]
    if letter == "B":
        return calendar.month_name[local.month]
    if letter == "%":
        return "%"
    raise CommandError(18536, f"Invalid format character '%{letter}' in format string")


@special("$dateFromString")
def _from_string(argument: Any, scope: Scope) -> Expression:
    allowed = ["dateString", "format", "timezone", "onError", "onNull"]
    fields = named_fields("$dateFromString", argument, ["dateString"], allowed)
    text, layout = (compile_expression(fields.get(name, MISSING), scope) for name in ("dateString", "format"))
    place = compile_expression(fields.get("timezone", MISSING), scope)
    on_error = compile_expression(fields["onError"], scope) if "onError" in fields else None
    on_null = compile_expression(fields.get("onNull"), scope)

    def run(document: Document, variables: Variables) -> Any:
        value, form, where = (item(document, variables) for item in (text, layout, place))
        if nothing(value):
            return on_null(document, variables)
        if form is None or where is None:
            return None
        try:
            if not isinstance(value, str):
                raise CommandError(241, f"$dateFromString requires that 'dateString' be a string, found: {value!r}")
            return parse_date(value, None if where is MISSING else where, None if form is MISSING else form)
        except CommandError as error:
            if on_error is None or error.code != 241:
                raise
            return on_error(document, variables)

    return run


def _unit(name: str, unit: Any) -> str:
    if unit not in (*_FIXED, *_MONTHS, *_DAYS):
        raise failed_to_parse(f"{name} parameter 'unit' value cannot be recognized as a time unit: {unit!r}")
    return str(unit)


def add_units(local: dt.datetime, unit: str, amount: int) -> dt.datetime:
    """Moves a date on the wall clock of its zone for days and longer, on the time line for hours and shorter."""
    if unit in _FIXED:
        return (local.astimezone(dt.UTC) + amount * _FIXED[unit] * _MILLISECOND).astimezone(local.tzinfo)
    if unit in _DAYS:
        return local + dt.timedelta(days=amount * _DAYS[unit])
    months = local.year * 12 + local.month - 1 + amount * _MONTHS[unit]
    year, month = divmod(months, 12)
    return local.replace(year=year, month=month + 1, day=min(local.day, calendar.monthrange(year, month + 1)[1]))


def _shift(name: str, sign: int) -> None:
    @named(name, "startDate unit amount", "timezone")
    def run(startDate: Any, unit: Any, amount: Any, timezone: Any) -> Any:  # noqa: N803 - MongoDB's own field names
        if any(nothing(value) for value in (startDate, unit, amount)) or timezone is None:
            return None
        count = as_integer(amount)
        if count is None:
            raise CommandError(5166405, f"{name} expects a whole number of time units")
        local = moment(name, startDate).astimezone(zone(timezone))
        try:
            return naive(add_units(local, _unit(name, unit), sign * count))
        except (OverflowError, ValueError) as error:
            raise CommandError(5976500, f"{name} overflowed: {error}") from error


_shift("$dateAdd", 1)
_shift("$dateSubtract", -1)


@named("$dateDiff", "startDate endDate unit", "timezone startOfWeek")
def _diff(startDate: Any, endDate: Any, unit: Any, timezone: Any, startOfWeek: Any) -> Any:  # noqa: N803 - as above
    if any(nothing(value) for value in (startDate, endDate, unit)) or timezone is None:
        return None
    if unit == "week" and startOfWeek is None:
        return None
    name, where = _unit("$dateDiff", unit), zone(timezone)
    start, end = (moment("$dateDiff", value).astimezone(where) for value in (startDate, endDate))
    first = _weekday("$dateDiff", startOfWeek) if name == "week" else 0
    return Int64(_position(end, name, first) - _position(start, name, first))


def _position(local: dt.datetime, unit: str, first_weekday: int) -> int:
    """The number of the unit that the date falls into: differences count the boundaries crossed."""
    if unit in _MONTHS:
        return (local.year * 12 + local.month - 1) // _MONTHS[unit]
    if unit in _DAYS:
        days = local.toordinal() - 1 - (first_weekday if unit == "week" else 0)  # day 1 of year 1 was a Monday
        return days // _DAYS[unit]
    offset = local.utcoffset() or dt.timedelta()
    return ((local.astimezone(dt.UTC) - _REFERENCE) + offset) // _MILLISECOND // _FIXED[unit]


def _weekday(name: str, value: Any) -> int:
    """0 for Monday; Sunday unless told otherwise."""
    if value is MISSING:
        return 6
    text = str(value).lower()
    for number, day in enumerate(_WEEKDAYS):
        if text in (day, day[:3]):
            return number
    raise failed_to_parse(f"{name} parameter 'startOfWeek' value cannot be recognized as a day of a week: {value!r}")


@named("$dateTrunc", "date unit", "binSize timezone startOfWeek")
def _trunc(date: Any, unit: Any, binSize: Any, timezone: Any, startOfWeek: Any) -> Any:  # noqa: N803 - as above
    if any(nothing(value) for value in (date, unit)) or timezone is None or binSize is None:
        return None
    if unit == "week" and startOfWeek is None:
        return None
    size = 1 if binSize is MISSING else as_integer(binSize)
    if size is None or size < 1:
        raise bad_value("$dateTrunc requires 'binSize' to be a whole number greater than 0")
    name = _unit("$dateTrunc", unit)
    local = moment("$dateTrunc", date).astimezone(zone(timezone))
    return naive(_bin_start(local, name, size, _weekday("$dateTrunc", startOfWeek) if name == "week" else 0))


def _bin_start(local: dt.datetime, unit: str, size: int, first_weekday: int) -> dt.datetime:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit in _MONTHS:
        span = size * _MONTHS[unit]
        months = (local.year - 2000) * 12 + local.month - 1
        year, month = divmod(months - months % span + 24000, 12)
        return midnight.replace(year=year, month=month + 1, day=1)
    if unit in _DAYS:
        # The first bin starts on 2000-01-01, or on the first such weekday after it (Saturday, for weeks).
        start = _REFERENCE.toordinal() + ((first_weekday - 5) % 7 if unit == "week" else 0)
        span = size * _DAYS[unit]
        return midnight - dt.timedelta(days=(local.toordinal() - start) % span)
    zero = _REFERENCE.replace(tzinfo=local.tzinfo).astimezone(dt.UTC)
    passed = (local.astimezone(dt.UTC) - zero) // _MILLISECOND
    return zero + (passed - passed % (size * _FIXED[unit])) * _MILLISECOND
