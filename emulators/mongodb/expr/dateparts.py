"""Calendar fields of a date in a time zone: `$year` … `$millisecond`, `$dateToParts`, `$dateFromParts`; and parsing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bson import Int64, ObjectId, Timestamp

from emulators.mongodb.errors import CommandError, not_supported
from emulators.mongodb.expr.core import (
    LEFT_OUT,
    Expression,
    Scope,
    Variables,
    compile_expression,
    named,
    named_fields,
    nothing,
    optional_field,
    special,
)
from emulators.mongodb.expr.timeline import (
    DAY,
    UTC,
    Clock,
    UnknownZone,
    Zone,
    date_of,
    days_of,
    iso_days,
    zone_named,
)
from emulators.mongodb.numeric import as_integer
from emulators.mongodb.values import Document, from_millis, millis, type_name

_INT16 = 32_767


def zone(name: Any) -> Zone:
    """An Olson name or `+hh[:mm]`; 40485 for a name that is neither. UTC where it was left out."""
    if name is LEFT_OUT:
        return UTC
    if type(name) is not str:
        raise CommandError(40517, f"timezone must evaluate to a string, found {type_name(name)}")
    try:
        return zone_named(name)
    except UnknownZone:
        raise CommandError(40485, f'unrecognized time zone identifier: "{name}"') from None


def instant(name: str, value: Any, code: int = 16006) -> int:
    """Milliseconds since 1970 of a date, timestamp or ObjectId, whose seconds are signed."""
    kind = type_name(value)
    if kind == "date":
        return millis(value)
    if isinstance(value, ObjectId):
        return int.from_bytes(value.binary[:4], "big", signed=True) * 1000
    if isinstance(value, Timestamp):
        return value.time * 1000
    raise CommandError(code, f"can't convert from BSON type {kind} to Date in {name}")


PARTS: dict[str, Callable[[Clock], int]] = {
    "$year": lambda clock: clock.date[0],
    "$month": lambda clock: clock.date[1],
    "$dayOfMonth": lambda clock: clock.date[2],
    "$dayOfYear": lambda clock: clock.day_of_year,
    "$dayOfWeek": lambda clock: clock.iso_weekday % 7 + 1,
    "$week": lambda clock: clock.week,
    "$isoWeek": lambda clock: clock.iso[1],
    "$isoWeekYear": lambda clock: Int64(clock.iso[0]),
    "$isoDayOfWeek": lambda clock: clock.iso_weekday,
    "$hour": lambda clock: clock.of_day // 3_600_000,
    "$minute": lambda clock: clock.of_day // 60_000 % 60,
    "$second": lambda clock: clock.of_day // 1000 % 60,
    "$millisecond": lambda clock: clock.of_day % 1000,
}


def _register(name: str, part: Callable[[Clock], int]) -> None:
    @special(name)
    def compiler(argument: Any, scope: Scope) -> Expression:
        fields = _date_argument(name, argument)
        date = compile_expression(fields["date"], scope)
        place = optional_field(fields, "timezone", scope)

        def run(document: Document, variables: Variables) -> Any:
            value, where = date(document, variables), place(document, variables)
            if nothing(value) or nothing(where):
                return None
            return part(Clock(instant(name, value), zone(where)))

        return run


def _date_argument(name: str, argument: Any) -> Document:
    """`{date: …, timezone: …}` of the short form, an array of one, or the long form."""
    if isinstance(argument, list):
        if len(argument) != 1:
            raise CommandError(40536, f"{name} accepts exactly one argument if given an array, not {len(argument)}")
        return {"date": argument[0]}
    if not isinstance(argument, dict) or next(iter(argument), "").startswith("$"):
        return {"date": argument}
    unknown = sorted(set(argument) - {"date", "timezone"})
    if unknown:
        raise CommandError(40535, f"unrecognized option to {name}: {unknown[0]}")
    if "date" not in argument:
        raise CommandError(40539, f"missing 'date' argument to {name}")
    return argument


for _name, _part in PARTS.items():
    _register(_name, _part)


@named("$dateToParts", "date", "timezone iso8601")
def _to_parts(date: Any, timezone: Any, iso8601: Any) -> Any:
    if nothing(timezone) or nothing(iso8601):
        return None
    if type(iso8601) is not bool and iso8601 is not LEFT_OUT:
        raise CommandError(40521, f"iso8601 must evaluate to a bool, found {type_name(iso8601)}")
    if nothing(date):
        return None
    clock = Clock(instant("$dateToParts", date), zone(timezone))
    names = [("year", "$year"), ("month", "$month"), ("day", "$dayOfMonth")]
    if iso8601 is True:
        names = [("isoWeekYear", "$isoWeekYear"), ("isoWeek", "$isoWeek"), ("isoDayOfWeek", "$isoDayOfWeek")]
    names += [(name, f"${name}") for name in ("hour", "minute", "second", "millisecond")]
    return {field: int(PARTS[part](clock)) for field, part in names}


@special("$dateFromParts")
def _from_parts(argument: Any, scope: Scope) -> Expression:
    calendar, iso = ["year", "month", "day"], ["isoWeekYear", "isoWeek", "isoDayOfWeek"]
    clock = ["hour", "minute", "second", "millisecond"]
    fields = named_fields("$dateFromParts", argument, [], [*calendar, *iso, *clock, "timezone"])
    if "year" not in fields and "isoWeekYear" not in fields:
        raise CommandError(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present")
    wrong = iso if "year" in fields else calendar
    if any(name in fields for name in wrong):
        code = 40489 if "year" in fields else 40525
        raise CommandError(code, "$dateFromParts does not allow mixing natural dates with ISO dates")
    parts = [(name, compile_expression(value, scope)) for name, value in fields.items() if name != "timezone"]
    place = optional_field(fields, "timezone", scope)

    def run(document: Document, variables: Variables) -> Any:
        given: dict[str, int] = {}
        for name, expression in parts:
            value = expression(document, variables)
            if nothing(value):
                return None
            given[name] = _part_number(name, value)
        where = place(document, variables)
        if nothing(where):
            return None
        return _assembled(given, zone(where))

    return run


def _assembled(given: dict[str, int], where: Zone) -> Any:
    if "year" in given:
        days = days_of(given["year"], given.get("month", 1), 1) + given.get("day", 1) - 1
    else:
        days = iso_days(given["isoWeekYear"], given.get("isoWeek", 1), given.get("isoDayOfWeek", 1))
    seconds = (given.get("hour", 0) * 60 + given.get("minute", 0)) * 60 + given.get("second", 0)
    return from_millis(where.utc(days * DAY + seconds * 1000 + given.get("millisecond", 0)))


def _part_number(name: str, value: Any) -> int:
    whole = as_integer(value)
    if whole is None:
        raise CommandError(40515, f"'{name}' must evaluate to an integer, found {type_name(value)}")
    if name in ("year", "isoWeekYear") and not 1 <= whole <= 9999:
        raise CommandError(40523, f"'{name}' must evaluate to an integer in the range 1 to 9999, found {whole}")
    if name != "millisecond" and abs(whole) > _INT16 and name not in ("second", "minute"):
        raise CommandError(31034, f"'{name}' must evaluate to a value in the range [-{_INT16 + 1}, {_INT16}]")
    return whole


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_ZONE = r"(?P<z>Z|[+-]\d\d:?(?:\d\d)?|GMT|UTC)"
_CLOCK = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<L>\d{1,9}))?)?"
_ISO = re.compile(
    rf"\s*(?P<Y>\d{{4}})-(?P<m>\d{{1,2}})(?:-(?P<d>\d{{1,2}}))?(?:(?:\s*[Tt]\s*|\s+){_CLOCK})?\s*(?:{_ZONE}\s*)?",
    re.ASCII | re.IGNORECASE,
)
_BASIC = re.compile(
    r"\s*(?P<Y>\d{4})(?P<m>\d\d)(?P<d>\d\d)(?:[Tt](?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d))?\s*(?:(?P<z>Z|[+-]\d\d:?(?:\d\d)?)\s*)?",
    re.ASCII,
)
_DAY_NAME = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_MONTH_NAME = r"(?P<b>[a-z]{3,9})\.?"
_NATURAL = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        rf"\s*{_DAY_NAME}{_MONTH_NAME}\s+(?P<d>\d{{1,2}})(?:st|[nr]d|th)?(?:,?\s+(?P<Y>\d{{4}}))(?:,?\s+{_CLOCK})?\s*(?:{_ZONE}\s*)?",
        rf"\s*{_DAY_NAME}(?P<d>\d{{1,2}})[ -]{_MONTH_NAME}[ -](?P<Y>\d{{4}})(?:,?\s+{_CLOCK})?\s*(?:{_ZONE}\s*)?",
        rf"\s*{_DAY_NAME}{_MONTH_NAME}\s+(?P<d>\d{{1,2}})\s+{_CLOCK}(?:\s*{_ZONE})?\s+(?P<Y>\d{{4}})\s*",
        rf"\s*(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})/(?P<Y>\d{{4}})(?:,?\s+{_CLOCK})?\s*(?:{_ZONE}\s*)?",
        rf"\s*(?P<Y>\d{{4}})/(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})(?:,?\s+{_CLOCK})?\s*(?:{_ZONE}\s*)?",
    )
)
_FIELDS = {
    "Y": r"(?P<Y>\d{4})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})", "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{1,2})", "S": r"(?P<S>\d{1,2})", "L": r"(?P<L>\d{1,3})", "z": _ZONE, "Z": r"(?P<Z>[+-]?\d{1,4})",
    "b": r"(?P<b>[A-Za-z]{3,9})", "B": r"(?P<b>[A-Za-z]{3,9})", "j": r"(?P<j>\d{1,3})", "G": r"(?P<G>\d{4})",
    "V": r"(?P<V>\d{1,2})", "u": r"(?P<u>\d)", "%": "%",
}  # fmt: skip


_LONGEST_LAYOUT = 1000  # what a pattern is made of before it can be stopped
_BLANKS = " \t\n\v\f\r\xa0"


def parse_date(text: str, timezone: str | None, layout: str | None = None) -> Any:
    """ISO 8601, the common written forms, or `layout` in `$dateFromString`'s letters; 241 where it does not fit."""
    # Blanks of ASCII, and the one that does not break: the server's parser knows no others.
    plain = text.strip(_BLANKS).strip("\0").strip(_BLANKS) if layout is None else text
    found = next(filter(None, (form.fullmatch(plain) for form in _forms(layout))), None)
    if found is None:
        raise CommandError(241, f"Error parsing date string '{text}'")
    parts = {name: value for name, value in found.groupdict().items() if value}
    days = _parsed_days(parts, text)
    hour, minute, second = (int(parts.get(name, 0)) for name in "HMS")
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second)):
        raise CommandError(241, f"Error parsing date string '{text}': no such time of day")
    millisecond = int(parts.get("L", "0").ljust(3, "0")[:3])
    local = days * DAY + ((hour * 60 + minute) * 60 + second) * 1000 + millisecond
    return from_millis(_parsed_zone(parts, timezone).utc(local))


def _forms(layout: str | None) -> tuple[re.Pattern[str], ...]:
    return (_ISO, _BASIC, *_NATURAL) if layout is None else (_layout(layout),)


def _parsed_zone(parts: dict[str, str], timezone: str | None) -> Zone:
    """The text's own offset goes before the argument's, as minutes (`%Z`) or as `+hh:mm`."""
    if "Z" in parts:
        return Zone(int(parts["Z"]) * 60_000)
    return zone(parts["z"].upper() if "z" in parts else timezone or "UTC")


def _parsed_days(parts: dict[str, str], text: str) -> int:
    if "G" in parts:
        week, day = int(parts.get("V", 1)), int(parts.get("u", 1))
        if not 1 <= week <= 53 or not 1 <= day <= 7:
            raise CommandError(241, f"Error parsing date string '{text}': no such week or day")
        return iso_days(int(parts["G"]), week, day)
    year = int(parts.get("Y", 1970))
    if "j" in parts:
        return days_of(year, 1, 1) + int(parts["j"])  # the server's own counting: %j of 1 is the second of January
    month = _month(parts["b"].lower(), text) if "b" in parts else int(parts.get("m", 1))
    day = int(parts.get("d", 1))
    days = days_of(year, month, day)
    if not 1 <= month <= 12 or date_of(days) != (year, month, day):
        raise CommandError(241, f"Error parsing date string '{text}': no such day")
    return days


def _month(name: str, text: str) -> int:
    names = _FULL_MONTHS if name in _FULL_MONTHS else _MONTHS
    if name not in names:
        raise CommandError(241, f"Error parsing date string '{text}': no such month")
    return names.index(name) + 1


def _layout(layout: Any) -> re.Pattern[str]:
    if len(layout) > _LONGEST_LAYOUT:
        raise not_supported(f"a format of more than {_LONGEST_LAYOUT} characters in $dateFromString")
    pieces, rest = [], iter(layout)
    for letter in rest:
        if letter != "%":
            pieces.append(re.escape(letter))
            continue
        field = next(rest, "")
        if field not in _FIELDS:
            raise CommandError(18536, f"Invalid format character '%{field}' in format string")
        pieces.append(_FIELDS[field])
    try:
        return re.compile("".join(pieces), re.ASCII | re.IGNORECASE)
    except re.error as error:
        raise CommandError(18536, f"a field stands twice in the format '{layout}'") from error
