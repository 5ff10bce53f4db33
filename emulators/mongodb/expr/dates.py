"""Date formatting and arithmetic: `$dateToString`, `$dateFromString`, `$dateAdd`, `$dateDiff`, `$dateTrunc`."""

from __future__ import annotations

import calendar
from typing import Any

from bson import Int64, Timestamp

from emulators.mongodb.errors import CommandError
from emulators.mongodb.expr.core import (
    LEFT_OUT,
    Expression,
    Scope,
    Variables,
    compile_expression,
    is_literal,
    named,
    named_fields,
    nothing,
    optional_field,
    simple,
    special,
)
from emulators.mongodb.expr.dateparts import PARTS, instant, parse_date, zone
from emulators.mongodb.expr.timeline import DAY, Clock, Zone, days_in_month, days_of, weekday_of
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.values import INT64_MAX, INT64_MIN, Document, from_millis, type_name

_FIXED = {"hour": 3_600_000, "minute": 60_000, "second": 1000, "millisecond": 1}
_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_DAYS = {"week": 7, "day": 1}
UNITS = (*_FIXED, *_MONTHS, *_DAYS)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_2000 = days_of(2000, 1, 1)  # the manual: bins of `$dateTrunc` are counted from 2000-01-01


@special("$dateToString")
def _to_string(argument: Any, scope: Scope) -> Expression:
    fields = named_fields("$dateToString", argument, ["date"], ["date", "format", "timezone", "onNull"])
    date, layout = compile_expression(fields["date"], scope), optional_field(fields, "format", scope)
    place = optional_field(fields, "timezone", scope)
    on_null = compile_expression(fields.get("onNull"), scope)

    def run(document: Document, variables: Variables) -> Any:
        value, form, where = (item(document, variables) for item in (date, layout, place))
        if form is not LEFT_OUT and not nothing(form) and type(form) is not str:
            raise CommandError(18533, f"$dateToString requires that 'format' be a string, found: {type_name(form)}")
        if nothing(value):
            return on_null(document, variables)
        if nothing(form) or nothing(where):
            return None
        found = zone(where)
        if form is LEFT_OUT:
            form = "%Y-%m-%dT%H:%M:%S.%LZ" if found.is_utc else "%Y-%m-%dT%H:%M:%S.%L"
        return format_date(Clock(instant("$dateToString", value), found), form)

    return run


_FORMATS = {
    "Y": ("$year", 4), "m": ("$month", 2), "d": ("$dayOfMonth", 2), "H": ("$hour", 2), "M": ("$minute", 2),
    "S": ("$second", 2), "L": ("$millisecond", 3), "j": ("$dayOfYear", 3), "w": ("$dayOfWeek", 1),
    "u": ("$isoDayOfWeek", 1), "U": ("$week", 2), "V": ("$isoWeek", 2), "G": ("$isoWeekYear", 4),
}  # fmt: skip


def format_date(clock: Clock, layout: str) -> str:
    """The letters of the manual's "Format Specifiers"; 18536 for any other, 18537 for a year it cannot write."""
    text, letters = "", iter(layout)
    for letter in letters:
        text += letter if letter != "%" else _formatted(clock, next(letters, ""))
    return text


def _formatted(clock: Clock, letter: str) -> str:
    if letter in _FORMATS:
        part, width = _FORMATS[letter]
        number = PARTS[part](clock)
        if letter in "YG" and not 0 <= number <= 9999:
            raise CommandError(
                18537, f"Could not convert date to string: date component was outside the supported range: {number}"
            )
        return f"{number:0{width}d}"
    minutes = abs(clock.offset) // 60_000 * (-1 if clock.offset < 0 else 1)
    if letter == "z":
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    if letter == "Z":
        return str(minutes)
    if letter == "b":
        return calendar.month_abbr[clock.date[1]]
    if letter == "B":
        return calendar.month_name[clock.date[1]]
    if letter == "%":
        return "%"
    raise CommandError(18536, f"Invalid format character '%{letter}' in format string")


@special("$dateFromString")
def _from_string(argument: Any, scope: Scope) -> Expression:
    allowed = ["dateString", "format", "timezone", "onError", "onNull"]
    fields = named_fields("$dateFromString", argument, ["dateString"], allowed)
    text, layout = compile_expression(fields["dateString"], scope), optional_field(fields, "format", scope)
    place = optional_field(fields, "timezone", scope)
    on_error = compile_expression(fields["onError"], scope) if "onError" in fields else None
    on_null = compile_expression(fields.get("onNull"), scope)

    def run(document: Document, variables: Variables) -> Any:
        value, form, where = (item(document, variables) for item in (text, layout, place))
        if form is not LEFT_OUT and not nothing(form) and type(form) is not str:
            raise CommandError(40684, f"$dateFromString requires that 'format' be a string, found: {type_name(form)}")
        if nothing(value):
            return on_null(document, variables)
        try:
            if nothing(form) or nothing(where):
                return None
            if type(value) is not str:
                raise CommandError(241, f"$dateFromString requires that 'dateString' be a string, found: {value!r}")
            zone(where)
            return parse_date(value, None if where is LEFT_OUT else where, None if form is LEFT_OUT else form)
        except CommandError as error:
            if on_error is None or error.code != 241:
                raise
            return on_error(document, variables)

    return run


def _unit(name: str, unit: Any) -> str:
    if type(unit) is not str:
        raise CommandError(5439013, f"{name} requires 'unit' to be a string, but got {type_name(unit)}")
    if unit not in UNITS:
        raise CommandError(9, f"{name} parameter 'unit' value cannot be recognized as a time unit: {unit}")
    return unit


def add_units(utc: int, zone: Zone, unit: str, amount: int) -> int:
    """Moves a date on the wall clock of its zone for days and longer, on the time line for hours and shorter."""
    if unit in _FIXED:
        return utc + amount * _FIXED[unit]
    clock = Clock(utc, zone)
    if unit in _DAYS:
        return zone.utc(clock.local + amount * _DAYS[unit] * DAY)
    year, month, day = clock.date
    year, month = year + (month - 1 + amount * _MONTHS[unit]) // 12, (month - 1 + amount * _MONTHS[unit]) % 12 + 1
    days = days_of(year, month, min(day, days_in_month(year, month)))
    return zone.utc(days * DAY + clock.of_day)


# What the server accepts as an amount: what could at most be between two dates that BSON can hold.
_MOST = {unit: 2**64 // size for unit, size in _FIXED.items()}
_MOST |= {unit: 2**64 // (DAY * size) for unit, size in _DAYS.items()}
_MOST |= {unit: 2**64 // (DAY * 365) * 12 // size for unit, size in _MONTHS.items()}


def _shift(name: str, sign: int) -> None:
    @named(name, "startDate unit amount", "timezone")
    def run(startDate: Any, unit: Any, amount: Any, timezone: Any) -> Any:  # noqa: N803 - MongoDB's own field names
        if any(nothing(value) for value in (startDate, unit, amount, timezone)):
            return None
        start, where = instant(name, startDate, 5166403), _unit(name, unit)
        count = as_integer(amount)
        if count is None:
            raise CommandError(5166405, f"{name} expects integer amount of time units")
        if sign < 0 and count == INT64_MIN:
            raise CommandError(6045000, f"invalid {name} 'amount' parameter value: {count}")
        if abs(count) > _MOST[where]:
            raise CommandError(5976500, f"invalid {name} 'amount' parameter value: {count} {where}")
        result = add_units(start, zone(timezone), where, sign * count)
        if not INT64_MIN <= result <= INT64_MAX:
            raise CommandError(5166406, f"{name} overflowed")
        return from_millis(result)


_shift("$dateAdd", 1)
_shift("$dateSubtract", -1)


@named("$dateDiff", "startDate endDate unit", "timezone startOfWeek")
def _diff(startDate: Any, endDate: Any, unit: Any, timezone: Any, startOfWeek: Any) -> Any:  # noqa: N803 - as above
    if any(nothing(value) for value in (startDate, endDate, unit, timezone)):
        return None
    start = instant("$dateDiff", startDate, 5166307)
    end = instant("$dateDiff", endDate, 5166307)
    name = _unit("$dateDiff", unit)
    if name == "week" and nothing(startOfWeek):
        return None
    first = _weekday("$dateDiff", startOfWeek) if name == "week" else 0
    where = zone(timezone)
    found = _difference(Clock(start, where), Clock(end, where), name, first)
    if not INT64_MIN <= found <= INT64_MAX:
        raise CommandError(5166308, "dateDiff overflowed")
    return Int64(found)


def _difference(start: Clock, end: Clock, unit: str, first_weekday: int) -> int:
    """The number of boundaries crossed: in hours and below on the time line, without what the clocks were moved by."""
    if unit in _MONTHS:
        return _months(end) // _MONTHS[unit] - _months(start) // _MONTHS[unit]
    if unit in _DAYS:
        days = [(clock.days + 3 - (first_weekday if unit == "week" else 0)) // _DAYS[unit] for clock in (start, end)]
        return days[1] - days[0]
    if unit == "millisecond":
        return end.utc - start.utc
    moved = end.offset - start.offset
    hours = abs(moved) // _FIXED["hour"] * (1 if moved >= 0 else -1)
    size = _FIXED[unit]
    return end.local // size - start.local // size - hours * (_FIXED["hour"] // size)


def _months(clock: Clock) -> int:
    return clock.date[0] * 12 + clock.date[1] - 1


def _weekday(name: str, value: Any) -> int:
    """0 for Monday; Sunday unless told otherwise."""
    if value is LEFT_OUT:
        return 6
    if type(value) is not str:
        raise CommandError(5439015, f"{name} requires 'startOfWeek' to be a string, but got {type_name(value)}")
    text = value.lower()
    for number, day in enumerate(_WEEKDAYS):
        if text in (day, day[:3]):
            return number
    raise CommandError(
        5439016, f"{name} parameter 'startOfWeek' value cannot be recognized as a day of a week: {value}"
    )


@special("$dateTrunc")
def _compile_trunc(argument: Any, scope: Scope) -> Expression:
    """A `startOfWeek` of null is null's answer, but for a constant date and a unit that is no week it is not looked at.

    Source: documentdb/functional-tests, expressions/date/dateTrunc, checked on 8.2.
    """
    fields = named_fields(
        "$dateTrunc", argument, ["date", "unit"], ["date", "unit", "binSize", "timezone", "startOfWeek"]
    )
    if is_literal(fields["date"]) and is_literal(fields["unit"]) and fields["unit"] not in ("week", None):
        fields = {name: value for name, value in fields.items() if name != "startOfWeek" or value is not None}
    compiled = {name: optional_field(fields, name, scope) for name in ("binSize", "timezone", "startOfWeek")}
    date, unit = compile_expression(fields["date"], scope), compile_expression(fields["unit"], scope)
    return lambda document, variables: _trunc(
        date(document, variables),
        unit(document, variables),
        *[expression(document, variables) for expression in compiled.values()],
    )


def _trunc(date: Any, unit: Any, binSize: Any, timezone: Any, startOfWeek: Any) -> Any:  # noqa: N803 - as above
    if any(nothing(value) for value in (date, unit, timezone, binSize, startOfWeek)):
        return None
    start, name = instant("$dateTrunc", date, 5166307), _unit("$dateTrunc", unit)
    size = 1 if binSize is LEFT_OUT else as_integer(binSize)
    if size is None:
        raise CommandError(5439017, "$dateTrunc requires 'binSize' to be a 64-bit integer")
    if size < 1:
        raise CommandError(5439018, f"$dateTrunc requires 'binSize' to be greater than 0, but got {size}")
    weekday = _weekday("$dateTrunc", startOfWeek) if name == "week" else 0
    return from_millis(_bin_start(start, zone(timezone), name, size, weekday))


def _bin_start(utc: int, zone: Zone, unit: str, size: int, first_weekday: int) -> int:
    clock = Clock(utc, zone)
    if unit in _MONTHS:
        span = size * _MONTHS[unit]
        if span > INT64_MAX:
            raise CommandError(5439006, f"$dateTrunc: a bin of {size} {unit}s overflows")
        months = _months(clock) - 2000 * 12
        year, month = divmod(months - months % span + 2000 * 12, 12)
        return zone.utc(days_of(year, month + 1, 1) * DAY)
    if unit in _DAYS:
        # The first bin starts on 2000-01-01, or on the first such weekday after it.
        first = _2000 + ((first_weekday - weekday_of(_2000)) % 7 if unit == "week" else 0)
        span = size * _DAYS[unit]
        return zone.utc((clock.days - (clock.days - first) % span) * DAY)
    span = size * _FIXED[unit]
    if span > INT64_MAX:
        raise CommandError(5439002, f"$dateTrunc: a bin of {size} {unit}s overflows")
    zero = zone.utc(_2000 * DAY)
    return utc - (utc - zero) % span


@simple("$tsSecond", 1, nulls=True)
def _ts_second(value: Any) -> Int64:
    if not isinstance(value, Timestamp):
        raise CommandError(5687301, f"Argument to $tsSecond must be a timestamp, but is {type_name(value)}")
    return Int64(value.time)


@simple("$tsIncrement", 1, nulls=True)
def _ts_increment(value: Any) -> Int64:
    if not isinstance(value, Timestamp):
        raise CommandError(5687302, f"Argument to $tsIncrement must be a timestamp, but is {type_name(value)}")
    return Int64(value.inc)
