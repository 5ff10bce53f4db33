"""The proleptic Gregorian calendar over milliseconds since 1970, and time zones, for every date that BSON can hold.

Python's datetime ends with the year 9999 and allows no offset of a day or more; BSON and MongoDB allow both. Days are
turned into years and back by the well-known method of 400-year cycles that begin on the first of March.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = 86_400_000
_CYCLE_DAYS = 146_097
_FROM_MARCH_0000 = 719_468  # days from 0000-03-01 to 1970-01-01
_CYCLE = _CYCLE_DAYS * DAY
_FIRST, _LAST = -62_135_510_400_000, 253_370_678_400_000  # within 0001-01-02 and 9998-12-31, for any offset
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; `month` may be any number, and `day` too."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    year -= month <= 2
    cycle, of_cycle = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5
    return cycle * _CYCLE_DAYS + of_cycle * 365 + of_cycle // 4 - of_cycle // 100 + of_year - _FROM_MARCH_0000 + day - 1


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day; the inverse of `days_of`."""
    cycle, of_cycle = divmod(days + _FROM_MARCH_0000, _CYCLE_DAYS)
    year = (of_cycle - of_cycle // 1460 + of_cycle // 36_524 - of_cycle // 146_096) // 365
    of_year = of_cycle - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year + cycle * 400 + (month <= 2), month, day


def days_in_month(year: int, month: int) -> int:
    return days_of(year, month + 1, 1) - days_of(year, month, 1)


def weekday_of(days: int) -> int:
    """0 for Monday; 1970-01-01 was a Thursday."""
    return (days + 3) % 7


@dataclass(frozen=True)
class Zone:
    """A time zone: a fixed offset in milliseconds, or a name of the Olson database."""

    fixed: int = 0
    named: ZoneInfo | None = None

    @property
    def is_utc(self) -> bool:
        return self.named is None and self.fixed == 0

    def offset_at(self, utc: int) -> int:
        """Milliseconds that a clock in the zone is ahead of UTC at the instant `utc`.

        The calendar repeats after 400 years: what is beyond the years of Python's calendar is looked up that much
        nearer.
        """
        if self.named is None:
            return self.fixed
        if not _FIRST <= utc <= _LAST:
            utc = _FIRST if utc < _FIRST else utc - ((utc - _LAST) // _CYCLE + 1) * _CYCLE
        found = (_EPOCH + dt.timedelta(milliseconds=utc)).astimezone(self.named).utcoffset() or dt.timedelta()
        return round(found.total_seconds()) * 1000

    def local(self, utc: int) -> int:
        return utc + self.offset_at(utc)

    def utc(self, local: int) -> int:
        """The instant at which a clock in the zone shows `local`: the first of two; past a gap by the gap's width."""
        if self.named is None:
            return local - self.fixed
        before, after = self.offset_at(local - DAY), self.offset_at(local + DAY)
        for offset in (before, after):
            if self.offset_at(local - offset) == offset:
                return local - offset
        return local - before


UTC = Zone()


class UnknownZone(ValueError):
    """Neither an offset nor a name that the Olson database has."""


@lru_cache(maxsize=512)
def zone_named(name: str) -> Zone:
    """A zone by an Olson name or `+hh[:mm]`; UnknownZone otherwise."""
    if name in ("UTC", "GMT", "Z"):
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return Zone((-minutes if offset[1] == "-" else minutes) * 60_000)
    try:
        return Zone(named=ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(name) from error


class Clock:
    """What a calendar and a clock in a zone show at one instant."""

    def __init__(self, utc: int, zone: Zone = UTC) -> None:
        self.utc, self.zone = utc, zone
        self.offset = zone.offset_at(utc)
        self.days, self.of_day = divmod(utc + self.offset, DAY)

    @property
    def local(self) -> int:
        return self.days * DAY + self.of_day

    @cached_property
    def date(self) -> tuple[int, int, int]:
        return date_of(self.days)

    @property
    def day_of_year(self) -> int:
        return self.days - days_of(self.date[0], 1, 1) + 1

    @property
    def iso_weekday(self) -> int:
        return weekday_of(self.days) + 1

    @property
    def week(self) -> int:
        """Weeks begin on Sunday; before the first Sunday of the year it is week 0."""
        return (self.day_of_year + 6 - (self.iso_weekday % 7)) // 7

    @cached_property
    def iso(self) -> tuple[int, int]:
        """ISO 8601's year and week: the week belongs to the year of its Thursday."""
        thursday = self.days - weekday_of(self.days) + 3
        year = date_of(thursday)[0]
        return year, (thursday - days_of(year, 1, 1)) // 7 + 1


def iso_days(year: int, week: int, day: int) -> int:
    """Days since 1970 of an ISO year, week and day of the week (1 for Monday)."""
    fourth = days_of(year, 1, 4)
    return fourth - weekday_of(fourth) + (week - 1) * 7 + day - 1
