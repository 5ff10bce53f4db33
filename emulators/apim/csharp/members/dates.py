"""DateTime, DateTimeOffset, TimeSpan, Guid. Times are UTC, to the microsecond; tests can stop the clock."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid4

from emulators.apim.csharp.clr import ClrError
from emulators.apim.csharp.clr_types import BOOL, DATETIME, DOUBLE, GUID, INT, LONG, TIMESPAN, T
from emulators.apim.csharp.library import Out, constructor, method, prop, static, static_prop

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET = T("DateTimeOffset")


def now() -> datetime:
    return datetime.now(UTC)


for _owner in (DATETIME, _OFFSET):
    static_prop(_owner.name, "UtcNow", _owner, lambda: now())
    static_prop(_owner.name, "Now", _owner, lambda: now())
static_prop("DateTime", "Today", DATETIME, lambda: now().replace(hour=0, minute=0, second=0, microsecond=0))
static_prop("DateTime", "MinValue", DATETIME, lambda: _EPOCH)
static_prop("DateTime", "MaxValue", DATETIME, lambda: datetime.max.replace(tzinfo=UTC))
static_prop("DateTimeKind", "Utc", T("DateTimeKind"), lambda: "Utc")


def _parse(text: Any) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except (ValueError, AttributeError) as error:
        raise ClrError("FormatException", "String was not recognized as a valid DateTime.") from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _try_parse(text: str, result: Out) -> bool:
    try:
        result(_parse(text))
    except ClrError:
        result(_EPOCH)
        return False
    return True


def _shift(unit: str) -> Callable[[datetime, float], datetime]:
    def add(value: datetime, amount: float) -> datetime:
        return _add(value, timedelta(**{unit: amount}))

    return add


def _add(value: datetime, span: timedelta) -> datetime:
    try:
        return value + span
    except OverflowError as error:
        raise ClrError(
            "ArgumentOutOfRangeException", "The added value results in an un-representable DateTime."
        ) from error


def _months(value: datetime, count: int) -> datetime:
    year, month = divmod(value.year * 12 + value.month - 1 + count, 12)
    for day in range(value.day, 27, -1):
        try:
            return value.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return value.replace(year=year, month=month + 1)


def _reader(unit: str) -> Callable[[datetime], int]:
    return (lambda value: value.microsecond // 1000) if unit == "millisecond" else attrgetter(unit)


def _ticks(span: timedelta) -> int:
    return (span.days * 86400 + span.seconds) * 10_000_000 + span.microseconds * 10


for _owner in (DATETIME, _OFFSET):
    static(_owner.name, "Parse", _owner, note="ISO 8601 only")(lambda text, culture=None: _parse(text))
    for _unit in ("Days", "Hours", "Minutes", "Seconds", "Milliseconds"):
        method(_owner.name, f"Add{_unit}", _owner)(_shift(_unit.lower()))
        if _unit != "Days":
            prop(_owner.name, _unit[:-1], INT, _reader(_unit[:-1].lower()))
    method(_owner.name, "AddMonths", _owner)(_months)
    method(_owner.name, "AddYears", _owner)(lambda value, count: _months(value, count * 12))
    method(_owner.name, "Add", _owner)(_add)
    for _part in ("Year", "Month", "Day"):
        prop(_owner.name, _part, INT, attrgetter(_part.lower()))
    prop(_owner.name, "Ticks", LONG, lambda value: _ticks(value - _EPOCH))
    method(
        _owner.name,
        "Subtract",
        lambda receiver, arguments, generics: TIMESPAN if arguments[0] != TIMESPAN else receiver,
    )(lambda value, other: value - other)
static("DateTimeOffset", "TryParse", BOOL, out=_OFFSET, note="ISO 8601 only")(_try_parse)
method("DateTimeOffset", "CompareTo", INT)(lambda value, other: (value > other) - (value < other))
method("DateTime", "AddTicks", DATETIME)(lambda value, ticks: _add(value, timedelta(microseconds=ticks / 10)))
method("DateTime", "IsDaylightSavingTime", BOOL)(lambda value: False)
prop("DateTime", "DayOfWeek", T("DayOfWeek"), lambda value: value.strftime("%A"))
static("DateTime", "IsLeapYear", BOOL)(lambda year: isleap(year))
static("DateTime", "DaysInMonth", INT)(lambda year, month: monthrange(year, month)[1])
prop("DateTime", "Date", DATETIME, lambda value: value.replace(hour=0, minute=0, second=0, microsecond=0))
prop("DateTime", "DayOfYear", INT, lambda value: value.timetuple().tm_yday)
prop("DateTime", "TimeOfDay", TIMESPAN, lambda value: value - value.replace(hour=0, minute=0, second=0, microsecond=0))
method("DateTimeOffset", "ToUnixTimeSeconds", LONG)(lambda value: int((value - _UNIX).total_seconds() // 1))
method("DateTimeOffset", "ToUnixTimeMilliseconds", LONG)(lambda value: int((value - _UNIX).total_seconds() * 1000 // 1))
static("DateTimeOffset", "FromUnixTimeSeconds", _OFFSET)(lambda seconds: _add(_UNIX, timedelta(seconds=seconds)))
prop("DateTimeOffset", "UtcDateTime", DATETIME, lambda value: value)


def _span(unit: str) -> Callable[[float], timedelta]:
    return lambda amount: timedelta(**{unit: amount})


@constructor("DateTime")
def _new_date(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, kind: Any = None
) -> datetime:
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise ClrError(
            "ArgumentOutOfRangeException", "Year, Month, and Day parameters describe no DateTime."
        ) from error


for _unit in ("Days", "Hours", "Minutes", "Seconds", "Milliseconds"):
    static("TimeSpan", f"From{_unit}", TIMESPAN)(_span(_unit.lower()))
_SECONDS = {"Days": 86400, "Hours": 3600, "Minutes": 60, "Seconds": 1, "Milliseconds": 0.001}
for _unit, _size in _SECONDS.items():
    prop("TimeSpan", f"Total{_unit}", DOUBLE, lambda span, size=_size: span.total_seconds() / size)
prop("TimeSpan", "Days", INT, lambda span: span.days)
prop("TimeSpan", "Hours", INT, lambda span: span.seconds // 3600)
prop("TimeSpan", "Minutes", INT, lambda span: span.seconds // 60 % 60)
prop("TimeSpan", "Seconds", INT, lambda span: span.seconds % 60)
prop("TimeSpan", "Milliseconds", INT, lambda span: span.microseconds // 1000)
prop("TimeSpan", "Ticks", LONG, _ticks)
static_prop("TimeSpan", "Zero", TIMESPAN, lambda: timedelta(0))
constructor("TimeSpan")(lambda hours, minutes, seconds: timedelta(hours=hours, minutes=minutes, seconds=seconds))


def _guid(text: Any) -> UUID:
    try:
        return UUID(text.strip("{}() \t"))
    except (ValueError, AttributeError) as error:
        raise ClrError("FormatException", "Guid should contain 32 digits with 4 dashes.") from error


@static("Guid", "TryParse", BOOL, out=GUID)
def _try_guid(text: str, result: Out) -> bool:
    try:
        result(_guid(text))
    except ClrError:
        result(UUID(int=0))
        return False
    return True


static("Guid", "NewGuid", GUID)(uuid4)
method("Guid", "GetHashCode", INT, note="not .NET's number")(lambda value: value.int & 0x7FFFFFFF)
static("Guid", "Parse", GUID)(_guid)
static_prop("Guid", "Empty", GUID, lambda: UUID(int=0))
constructor("Guid")(_guid)
