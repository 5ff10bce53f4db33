"""Calendar fields of a date in a time zone: `$year` … `$millisecond`, `$dateToParts`, `$dateFromParts`; and parsing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bson import Int64, ObjectId, Timestamp

from emulators.mongodb.errors import CommandError, not_supported
from emulators.mongodb.expr.core import Expression, Scope, Variables, compile_expression, named, nothing, special
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.values import MISSING, Document, truthy, type_name

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")


def zone(name: Any) -> dt.tzinfo:
    """An Olson name or `+hh[:mm]`; 40485 for a name that is neither."""
    if name is MISSING:
        return dt.UTC
    if type(name) is not str:
        raise CommandError(40517, f"timezone must evaluate to a string, found {type_name(name)}")
    if name in ("UTC", "GMT", "Z"):
        return dt.UTC
    offset = _OFFSET.fullmatch(name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return dt.timezone(dt.timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(40485, f'unrecognized time zone identifier: "{name}"') from None


def moment(name: str, value: Any) -> dt.datetime:
    """A date, timestamp or ObjectId as an aware UTC datetime."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=dt.UTC)
    if isinstance(value, ObjectId):
        return value.generation_time
    if isinstance(value, Timestamp):
        return value.as_datetime()
    if type_name(value) == "date":
        raise not_supported(f"{name} of a date outside the years 1 to 9999")
    raise CommandError(16006, f"can't convert from BSON type {type_name(value)} to Date in {name}")


def naive(value: dt.datetime) -> dt.datetime:
    """Back to the form in which BSON dates are kept: UTC, no zone, whole milliseconds."""
    plain = value.astimezone(dt.UTC).replace(tzinfo=None)
    return plain.replace(microsecond=plain.microsecond // 1000 * 1000)


def iso_weekday(value: dt.datetime) -> int:
    return value.isoweekday()


PARTS: dict[str, Callable[[dt.datetime], int]] = {
    "$year": lambda value: value.year,
    "$month": lambda value: value.month,
    "$dayOfMonth": lambda value: value.day,
    "$dayOfYear": lambda value: value.timetuple().tm_yday,
    "$dayOfWeek": lambda value: value.isoweekday() % 7 + 1,
    "$week": lambda value: int(value.strftime("%U")),
    "$isoWeek": lambda value: value.isocalendar().week,
    "$isoWeekYear": lambda value: Int64(value.isocalendar().year),
    "$isoDayOfWeek": iso_weekday,
    "$hour": lambda value: value.hour,
    "$minute": lambda value: value.minute,
    "$second": lambda value: value.second,
    "$millisecond": lambda value: value.microsecond // 1000,
}


def _register(name: str, part: Callable[[dt.datetime], int]) -> None:
    @special(name)
    def compiler(argument: Any, scope: Scope) -> Expression:
        if isinstance(argument, list) and len(argument) == 1:
            argument = argument[0]
        fields = argument if isinstance(argument, dict) and "date" in argument else {"date": argument}
        if set(fields) - {"date", "timezone"}:
            raise CommandError(40535, f"unrecognized option to {name}: {sorted(set(fields) - {'date', 'timezone'})}")
        date = compile_expression(fields["date"], scope)
        place = compile_expression(fields["timezone"], scope) if "timezone" in fields else None

        def run(document: Document, variables: Variables) -> Any:
            value = date(document, variables)
            where = place(document, variables) if place else "UTC"
            if nothing(value) or nothing(where):
                return None
            return part(moment(name, value).astimezone(zone(where)))

        return run


for _name, _part in PARTS.items():
    _register(_name, _part)


@named("$dateToParts", "date", "timezone iso8601")
def _to_parts(date: Any, timezone: Any, iso8601: Any) -> Any:
    if nothing(date) or timezone is None or iso8601 is None:
        return None
    local = moment("$dateToParts", date).astimezone(zone(timezone))
    year, month, day = ("$year", "$month", "$dayOfMonth")
    names = [("year", year), ("month", month), ("day", day)]
    if truthy(iso8601):
        names = [("isoWeekYear", "$isoWeekYear"), ("isoWeek", "$isoWeek"), ("isoDayOfWeek", "$isoDayOfWeek")]
    names += [(name, f"${name}") for name in ("hour", "minute", "second", "millisecond")]
    return {field: int(PARTS[part](local)) for field, part in names}


@named("$dateFromParts", "", "year month day isoWeekYear isoWeek isoDayOfWeek hour minute second millisecond timezone")
def _from_parts(timezone: Any, **parts: Any) -> Any:
    if timezone is None or any(value is None for value in parts.values()):
        return None
    given = {name: _part_number(name, value) for name, value in parts.items() if value is not MISSING}
    clock = {name: given.pop(name, 0) for name in ("hour", "minute", "second", "millisecond")}
    try:
        start = _iso_start(given) if "isoWeekYear" in given else _start(given)
        span = dt.timedelta(
            hours=clock["hour"], minutes=clock["minute"], seconds=clock["second"], milliseconds=clock["millisecond"]
        )
        return naive((start + span).replace(tzinfo=zone(timezone)))
    except (ValueError, OverflowError) as error:
        raise CommandError(40523, f"$dateFromParts: {error}") from error


def _part_number(name: str, value: Any) -> int:
    whole = as_integer(value)
    if whole is None:
        raise CommandError(40515, f"'{name}' must evaluate to an integer, found {type_name(value)}")
    return whole


def _start(given: dict[str, int]) -> dt.datetime:
    if "year" not in given or set(given) - {"year", "month", "day"}:
        raise CommandError(
            40516, "$dateFromParts requires either 'year' or 'isoWeekYear', and not both kinds of fields"
        )
    months = given["year"] * 12 + given.get("month", 1) - 1
    first = dt.datetime(months // 12, months % 12 + 1, 1)
    return first + dt.timedelta(days=given.get("day", 1) - 1)


def _iso_start(given: dict[str, int]) -> dt.datetime:
    if set(given) - {"isoWeekYear", "isoWeek", "isoDayOfWeek"}:
        raise CommandError(40489, "$dateFromParts does not allow mixing natural dates with ISO dates")
    first = dt.datetime.fromisocalendar(given["isoWeekYear"], 1, 1)
    return first + dt.timedelta(weeks=given.get("isoWeek", 1) - 1, days=given.get("isoDayOfWeek", 1) - 1)


_ISO = re.compile(
    r"(?P<Y>\d{4})-(?P<m>\d\d)(?:-(?P<d>\d\d))?"
    r"(?:[T ](?P<H>\d\d):(?P<M>\d\d)(?::(?P<S>\d\d)(?:\.(?P<L>\d{1,9}))?)?)?\s*(?P<z>Z|[+-]\d\d:?(?:\d\d)?)?",
    re.ASCII,
)
_FIELDS = {
    "Y": r"(?P<Y>\d{4})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})", "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",     "S": r"(?P<S>\d{1,2})", "L": r"(?P<L>\d{1,3})", "z": r"(?P<z>Z|[+-]\d\d:?(?:\d\d)?)",
    "%": "%",
}  # fmt: skip


def parse_date(text: str, timezone: str | None, layout: str | None = None) -> dt.datetime:
    """ISO 8601 forms, or `layout` in `$dateFromString`'s letters; 241 when the text does not fit."""
    found = (_ISO if layout is None else _layout(layout)).fullmatch(text)
    if found is None:
        raise CommandError(241, f"Error parsing date string '{text}'")
    parts = found.groupdict()
    if parts.get("z") and timezone:
        raise CommandError(
            241, f"you cannot pass in a date/time string with GMT offset together with a timezone: '{text}'"
        )
    where = zone(parts.get("z") or timezone or "UTC")
    millisecond = int((parts.get("L") or "0").ljust(3, "0")[:3])
    try:
        year, month, day = (int(parts.get(name) or least) for name, least in (("Y", 1970), ("m", 1), ("d", 1)))
        hour, minute, second = (int(parts.get(name) or 0) for name in "HMS")
        return naive(dt.datetime(year, month, day, hour, minute, second, millisecond * 1000, tzinfo=where))
    except (ValueError, OverflowError) as error:
        raise CommandError(241, f"Error parsing date string '{text}': {error}") from error


def _layout(layout: str) -> re.Pattern[str]:
    pieces, rest = [], iter(layout)
    for letter in rest:
        if letter != "%":
            pieces.append(re.escape(letter))
            continue
        field = next(rest, "")
        if field not in _FIELDS:
            raise not_supported(f"%{field} in a $dateFromString format")
        pieces.append(_FIELDS[field])
    return re.compile("".join(pieces), re.ASCII)
