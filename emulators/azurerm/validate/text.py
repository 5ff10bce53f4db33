"""Rules of text, as far as probing the providers' validators can be trusted.

The alphabet was found with the characters of PROBED only, so no other character is ever refused. A `format` other than
those in FORMATS merely says that such a value passed. `example` is the first id form that passed, which binds only
where the argument's name vouches for it: `subnet_id` wants a subnet, `target_resource_id` anything.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

PROBED = set("-_. /:()@+#~&,;=!$%*'")
ISO_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
# Names that hold one address or several, and those among them that also take a range: every such list was found to
# accept a plain address, and the documentation of each says that CIDR ranges are accepted too.
ADDRESS_NAME = re.compile(r"(^|_)ips?(_|$)|ip_address|(^|_)dns_servers?$|gateway$")
RANGE_NAME = re.compile(r"(range|rule|mask|filter|allowed|cidr|prefix|ips_not|excluded|included|clients|addresses$)")
KEYWORDS = {"System", "None"}  # stand where an id could: a cluster's private DNS zone


def text_problem(name: str, rule: Mapping[str, Any], value: str) -> str | None:
    """What is wrong with the value of the argument `name`, to be read after its name; None if nothing is."""
    if not value:
        return "must not be empty" if rule.get("not_empty") else None
    return _length(rule, value) or _format(name, rule, value) or _alphabet(rule, value) or _id(name, rule, value)


def _length(rule: Mapping[str, Any], value: str) -> str | None:
    low, high = rule.get("min_length"), rule.get("max_length")
    if low is not None and len(value) < low:
        return f"must be at least {low} characters long, got {len(value)}: {value!r}"
    if high is not None and len(value) > high:
        return f"must be at most {high} characters long, got {len(value)}: {value!r}"
    return None


def _format(name: str, rule: Mapping[str, Any], value: str) -> str | None:
    wanted = rule.get("format")
    if wanted == "ipv4" and not ADDRESS_NAME.search(name):
        return None  # a version number or a domain name, which an address happens to look like
    if wanted not in FORMATS:
        return None
    noun, fits = FORMATS[wanted]
    if fits(value) or (wanted == "ipv4" and RANGE_NAME.search(name) and _is_cidr(value)):
        return None
    return f"must be {noun}, got {value!r}"


def _alphabet(rule: Mapping[str, Any], value: str) -> str | None:
    if "inside" not in rule or rule.get("format", "other") not in ("other", "email"):
        return None
    places = (
        (value[:1], rule.get("first", rule["inside"]), "start with"),
        (value[-1:], rule.get("last", rule["inside"]), "end with"),
    )
    for text, allowed, verb in places:
        if not _all_in(text, allowed):
            return f"cannot {verb} {text!r}: {value!r}; it may {verb} {_renamed(allowed)}"
    strange = [c for c in value[1:-1] if not _all_in(c, rule["inside"])]
    if strange:
        return f"cannot hold {strange[0]!r}: {value!r}; it may hold {_renamed(rule['inside'])}"
    doubled = [c for c in rule.get("not_doubled", "") if c * 2 in value]
    return f"cannot hold {doubled[0] * 2!r}: {value!r}" if doubled else None


def _all_in(text: str, allowed: str) -> bool:
    return all(_is_in(character, allowed) for character in text)


def _is_in(character: str, allowed: str) -> bool:
    if "a" <= character <= "z":
        return "a" in allowed
    if "A" <= character <= "Z":
        return "A" in allowed
    if "0" <= character <= "9":
        return "0" in allowed
    return character in allowed or character not in PROBED


def _renamed(allowed: str) -> str:
    kinds = [
        noun
        for sign, noun in (("a", "lower-case letters"), ("A", "upper-case letters"), ("0", "digits"))
        if sign in allowed
    ]
    others = "".join(c for c in allowed if c in PROBED)
    return ", ".join([*kinds, *([f"any of {others!r}"] if others else [])])


def _id(name: str, rule: Mapping[str, Any], value: str) -> str | None:
    example = rule.get("example", "")
    if not example.startswith("/subscriptions/") or value in KEYWORDS or not _vouches(name, example):
        return None
    if _shape(value) == _shape(example):
        return None
    return f"must be an id of the form {example!r}, got {value!r}"


def _vouches(name: str, example: str) -> bool:
    """Whether the argument's name speaks of what the example id identifies, or of its service (`api_management_id`)."""
    pairs = example.strip("/").split("/")
    noun = re.sub(r"(ies|es|s)$", "", _words(pairs[-2])[-1])
    service = [_words(pairs[i + 1].partition(".")[2]) for i, part in enumerate(pairs) if part == "providers"]
    said = set(name.split("_"))
    return (len(noun) > 2 and noun in name) or any(len(words) > 1 and said.issuperset(words) for words in service)


def _words(name: str) -> list[str]:
    """`publicIPAddresses` → public, ip, addresses."""
    split = re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", name)
    return split.lower().split("_")


def _shape(id_: str) -> list[str]:
    """The fixed parts of an id: collections, and the namespaces behind `providers`."""
    segments = id_.removeprefix("/").split("/")
    fixed = segments[::2] + [segments[i + 1] for i in range(0, len(segments) - 1, 2) if segments[i] == "providers"]
    return [f"{len(segments)}", *fixed] if id_.startswith("/") and all(segments) else []


def _is_cidr(value: str) -> bool:
    return "/" in value and _parses(lambda v: ip_network(v, strict=False), value)


def _is_ipv4(value: str) -> bool:
    return _parses(ip_address, value) and "." in value


def _is_datetime(value: str) -> bool:
    return "T" in value and _parses(datetime.fromisoformat, value)


def _is_base64(value: str) -> bool:
    return _parses(lambda v: base64.b64decode(v, validate=True), value)


def _parses(parse: Callable[[str], Any], value: str) -> bool:
    try:
        parse(value)
    except (ValueError, binascii.Error):
        return False
    return True


FORMATS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "uuid": ("a GUID", lambda v: bool(UUID.match(v))),
    "cidr": ("a range in CIDR notation", _is_cidr),
    "ipv4": ("an IPv4 address", _is_ipv4),
    "datetime": ("a date and time as RFC 3339 writes it", _is_datetime),
    "iso8601_duration": ("a duration as ISO 8601 writes it", lambda v: bool(ISO_DURATION.match(v))),
    "json": ("JSON", lambda v: _parses(json.loads, v)),
    "base64": ("base64", _is_base64),
    "version": ("a version number", lambda v: bool(re.match(r"\d+(\.\d+)*$", v))),
}
