"""DateTime, DateTimeOffset, TimeSpan, Guid. Times are UTC, to the microsecond; tests can stop the clock."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid4

from emulators.apim.csharp.clr import ClrError, to_text
from emulators.apim.csharp.clr_types import LOCAL, UNSPECIFIED
from emulators.apim.csharp.formats import format_value
from emulators.apim.csharp.library import Out, declare, enum

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


for _owner in ("DateTime", "DateTimeOffset"):
    declare(_owner, f"static {_owner} UtcNow")(lambda: now())
declare("DateTime", "static DateTime Now")(lambda: now().replace(tzinfo=LOCAL))
declare("DateTimeOffset", "static DateTimeOffset Now")(lambda: now())
declare("DateTime", "static DateTime Today")(
    lambda: now().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=LOCAL)
)
declare("DateTime", "static DateTime MinValue")(lambda: _EPOCH.replace(tzinfo=UNSPECIFIED))
declare("DateTime", "static DateTime MaxValue")(lambda: datetime.max.replace(tzinfo=UNSPECIFIED))
enum("DateTimeKind", "Utc")
_KINDS = {"Utc": UTC, "Unspecified": UNSPECIFIED}


def _parse(text: Any) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except (ValueError, AttributeError) as error:
        raise ClrError("FormatException", "String was not recognized as a valid DateTime.") from error
    return found.astimezone(UTC).replace(tzinfo=LOCAL) if found.tzinfo else found.replace(tzinfo=UNSPECIFIED)


def _parse_offset(text: Any) -> datetime:
    return _parse(text).replace(tzinfo=UTC)


def _attempt(parse: Callable[[Any], datetime]) -> Callable[[str, Out], bool]:
    def attempt(text: str, result: Out) -> bool:
        try:
            result(parse(text))
        except ClrError:
            result(_EPOCH.replace(tzinfo=UNSPECIFIED))
            return False
        return True

    return attempt


#: TimeSpan.MaxValue, to the microsecond.
_LONGEST = timedelta(microseconds=(2**63 - 1) // 10)


def _out_of_range(what: str) -> ClrError:
    return ClrError("ArgumentOutOfRangeException", what)


def _spanned(**amounts: float) -> timedelta:
    """Raises ClrError for what no TimeSpan holds."""
    if any(amount != amount for amount in amounts.values()):
        raise ClrError("ArgumentException", "TimeSpan does not accept floating point Not-a-Number values.")
    try:
        found = timedelta(**amounts)
    except OverflowError:
        found = timedelta.max
    return _short_enough(found)


def _short_enough(span: timedelta) -> timedelta:
    if abs(span) > _LONGEST:
        raise ClrError("OverflowException", "TimeSpan overflowed because the duration is too long.")
    return span


def _of_ticks(ticks: int) -> timedelta:
    """Cut to the microsecond, towards zero."""
    return timedelta(microseconds=abs(ticks) // 10) * (1 if ticks >= 0 else -1)


def _shift(unit: str) -> Callable[[datetime, float], datetime]:
    def add(value: datetime, amount: float) -> datetime:
        try:
            return value + timedelta(**{unit: amount})
        except (OverflowError, ValueError) as error:
            raise _out_of_range("Value to add was out of range.") from error

    return add


def _add(value: datetime, span: timedelta) -> datetime:
    try:
        return value + span
    except OverflowError as error:
        raise _out_of_range("The added value results in an un-representable DateTime.") from error


def _since(start: datetime, unit: str) -> Callable[[int], datetime]:
    def add(amount: int) -> datetime:
        try:
            return start + timedelta(**{unit: amount})
        except OverflowError as error:
            raise _out_of_range("Valid values are between -62135596800 and 253402300799, inclusive.") from error

    return add


def _months(value: datetime, count: int) -> datetime:
    if not -120_000 <= count <= 120_000:
        raise _out_of_range("Months value must be between +/-120000.")
    year, month = divmod(value.year * 12 + value.month - 1 + count, 12)
    if not 1 <= year <= 9999:
        raise _out_of_range("The added or subtracted value results in an un-representable DateTime.")
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


for _owner, _read in (("DateTime", _parse), ("DateTimeOffset", _parse_offset)):
    declare(_owner, f"static {_owner} Parse(string s)", note="ISO 8601 only")(_read)
    for _unit in ("Days", "Hours", "Minutes", "Seconds", "Milliseconds"):
        declare(_owner, f"{_owner} Add{_unit}(double value)")(_shift(_unit.lower()))
        if _unit != "Days":
            declare(_owner, f"int {_unit[:-1]}")(_reader(_unit[:-1].lower()))
    declare(_owner, f"{_owner} AddMonths(int months)")(_months)
    declare(_owner, f"{_owner} AddYears(int value)")(lambda value, count: _months(value, count * 12))
    declare(_owner, f"{_owner} Add(TimeSpan value)")(_add)
    declare(_owner, f"{_owner} AddTicks(long value)")(lambda value, ticks: _add(value, _of_ticks(ticks)))
    for _part in ("Year", "Month", "Day"):
        declare(_owner, f"int {_part}")(attrgetter(_part.lower()))
    declare(_owner, "long Ticks")(lambda value: _ticks(value - _EPOCH))
    declare(_owner, "DayOfWeek DayOfWeek")(lambda value: f"{value:%A}")
    declare(_owner, "int DayOfYear")(lambda value: value.timetuple().tm_yday)
    declare(_owner, "TimeSpan TimeOfDay")(
        lambda value: value - value.replace(hour=0, minute=0, second=0, microsecond=0)
    )
    declare(_owner, f"TimeSpan Subtract({_owner} value)")(lambda value, other: value - other)
    declare(_owner, f"{_owner} Subtract(TimeSpan value)")(lambda value, span: _add(value, -span))
_OFFSET = "DateTimeOffset"
declare(_OFFSET, "static bool TryParse(string input, out DateTimeOffset result)", note="ISO 8601 only")(
    _attempt(_parse_offset)
)
declare(_OFFSET, "int CompareTo(DateTimeOffset other)")(lambda value, other: (value > other) - (value < other))
declare("DateTime", "bool IsDaylightSavingTime()")(lambda value: False)


@declare("DateTime", "static int DaysInMonth(int year, int month)")
def _days_in_month(year: int, month: int) -> int:
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        raise _out_of_range("Month must be between one and twelve, and year from 1 to 9999.")
    return monthrange(year, month)[1]


@declare("DateTime", "static bool IsLeapYear(int year)")
def _is_leap_year(year: int) -> bool:
    if not 1 <= year <= 9999:
        raise _out_of_range("Year must be between 1 and 9999.")
    return isleap(year)


declare("DateTime", "DateTime Date")(lambda value: value.replace(hour=0, minute=0, second=0, microsecond=0))
declare("DateTimeOffset", "DateTime Date")(
    lambda value: value.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UNSPECIFIED)
)
declare("DateTimeOffset", "DateTime UtcDateTime")(lambda value: value)
declare("DateTimeOffset", "DateTime DateTime")(lambda value: value.replace(tzinfo=UNSPECIFIED))
declare("DateTimeOffset", "TimeSpan Offset")(lambda value: timedelta(0))
declare("DateTimeOffset", "long ToUnixTimeSeconds()")(lambda value: int((value - _UNIX).total_seconds() // 1))
declare("DateTimeOffset", "long ToUnixTimeMilliseconds()")(
    lambda value: int((value - _UNIX) / timedelta(milliseconds=1) // 1)
)
declare("DateTimeOffset", "static DateTimeOffset FromUnixTimeSeconds(long seconds)")(_since(_UNIX, "seconds"))
declare("DateTimeOffset", "static DateTimeOffset FromUnixTimeMilliseconds(long milliseconds)")(
    _since(_UNIX, "milliseconds")
)
declare("DateTimeOffset", "DateTimeOffset(DateTime dateTime)")(lambda value: value.replace(tzinfo=UTC))
declare("DateTimeOffset", "string ToString(string format)")(
    lambda value, layout: format_value(value.replace(tzinfo=LOCAL), layout)
)
declare("DateTimeOffset", "string ToString()")(lambda value: f"{to_text(value)} +00:00")


def _span(unit: str) -> Callable[[float], timedelta]:
    return lambda amount: _spanned(**{unit: amount})


_DAY, _TIME = "int year, int month, int day", "int hour, int minute, int second"


@declare("DateTime", f"DateTime({_DAY})", f"DateTime({_DAY}, {_TIME})", f"DateTime({_DAY}, {_TIME}, int millisecond)")
@declare("DateTime", f"DateTime({_DAY}, {_TIME}, int millisecond, DateTimeKind kind)")
def _new_date(
    year: int,
    month: int,
    day: int,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    millisecond: int = 0,
    kind: str = "Unspecified",
) -> datetime:
    try:
        return datetime(year, month, day, hour, minute, second, millisecond * 1000, tzinfo=_KINDS[kind])
    except (ValueError, OverflowError) as error:
        raise ClrError(
            "ArgumentOutOfRangeException", "Year, Month, and Day parameters describe no DateTime."
        ) from error


declare("DateTime", f"DateTime({_DAY}, {_TIME}, DateTimeKind kind)")(
    lambda year, month, day, hour, minute, second, kind: _new_date(year, month, day, hour, minute, second, 0, kind)
)
declare("DateTime", "DateTime(long ticks)")(lambda ticks: _add(_EPOCH, _of_ticks(ticks)).replace(tzinfo=UNSPECIFIED))

_SECONDS = {"Days": 86400, "Hours": 3600, "Minutes": 60, "Seconds": 1, "Milliseconds": 0.001}
for _unit, _size in _SECONDS.items():
    declare("TimeSpan", f"static TimeSpan From{_unit}(double value)")(_span(_unit.lower()))
    declare("TimeSpan", f"double Total{_unit}")(lambda span, size=_size: span.total_seconds() / size)


def _parts(read: Callable[[timedelta], int]) -> Callable[[timedelta], int]:
    """A part of a negative span is negative, as .NET has it."""
    return lambda span: read(span) if span >= timedelta(0) else -read(-span)


declare("TimeSpan", "int Days")(_parts(lambda span: span.days))
declare("TimeSpan", "int Hours")(_parts(lambda span: span.seconds // 3600))
declare("TimeSpan", "int Minutes")(_parts(lambda span: span.seconds // 60 % 60))
declare("TimeSpan", "int Seconds")(_parts(lambda span: span.seconds % 60))
declare("TimeSpan", "int Milliseconds")(_parts(lambda span: span.microseconds // 1000))
declare("TimeSpan", "long Ticks")(_ticks)
declare("TimeSpan", "static TimeSpan Zero")(lambda: timedelta(0))
declare("TimeSpan", "TimeSpan Add(TimeSpan ts)")(lambda span, other: _short_enough(span + other))
declare("TimeSpan", "TimeSpan Subtract(TimeSpan ts)")(lambda span, other: _short_enough(span - other))
declare("TimeSpan", "TimeSpan Negate()")(lambda span: -span)
declare("TimeSpan", "TimeSpan Duration()")(abs)
declare("TimeSpan", "int CompareTo(TimeSpan value)")(lambda span, other: (span > other) - (span < other))
declare("TimeSpan", "TimeSpan(int hours, int minutes, int seconds)")(
    lambda hours, minutes, seconds: _spanned(hours=hours, minutes=minutes, seconds=seconds)
)
declare(
    "TimeSpan",
    "TimeSpan(int days, int hours, int minutes, int seconds)",
    "TimeSpan(int days, int hours, int minutes, int seconds, int milliseconds)",
)(
    lambda days, hours, minutes, seconds, milliseconds=0: _spanned(
        days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds
    )
)
declare("TimeSpan", "TimeSpan(long ticks)")(_of_ticks)


def _guid(text: Any) -> UUID:
    try:
        return UUID(text.strip("{}() \t"))
    except (ValueError, AttributeError) as error:
        raise ClrError("FormatException", "Guid should contain 32 digits with 4 dashes.") from error


@declare("Guid", "static bool TryParse(string input, out Guid result)")
def _try_guid(text: str, result: Out) -> bool:
    try:
        result(_guid(text))
    except ClrError:
        result(UUID(int=0))
        return False
    return True


declare("Guid", "static Guid NewGuid()")(uuid4)
declare("Guid", "static Guid Parse(string input)")(_guid)
declare("Guid", "static Guid Empty")(lambda: UUID(int=0))
declare("Guid", "Guid(string g)")(_guid)
declare("Guid", "byte[] ToByteArray()")(lambda value: value.bytes_le)
declare("Guid", "int GetHashCode()", note="not .NET's number")(lambda value: value.int & 0x7FFFFFFF)
declare("Guid", "int CompareTo(Guid value)")(lambda value, other: (value > other) - (value < other))
