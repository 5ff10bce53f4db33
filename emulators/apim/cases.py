"""Cases in YAML: a policy, requests, and what is expected of the reply, the backend's request and the variables.

A file holds one policy with what stands around it, and its cases; README.md ("Cases") lists the keys. A key that is not
one of them is refused, because a misspelt expectation would pass for ever.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any
from xml.etree import ElementTree

from emulators.apim import trial
from emulators.apim.errors import PolicyError, PolicyProblems, unreadable
from emulators.apim.identity import authorizations
from emulators.apim.messages import ManyValues
from emulators.apim.trial import Call, Outcome, Reply, Scripted, Sent, Setup

SUFFIXES = (".test.yaml", ".test.yml")
_ABSENT = object()
_BODY = ("body", "json", "form")
_FILE = (
    "policy",
    "fragments",
    "named_values",
    "secrets",
    "certificates",
    "authorizations",
    "backends",
    "backend",
    "calls",
    "token",
    "variables",
    "cases",
)
_CASE = ("name", "request", "backend", "calls", "token", "variables", "named_values", "expect")
_REQUEST = ("method", "target", "headers", "ip", "times", *_BODY)
_REPLY = ("status", "headers", *_BODY)
_CALL = ("url", "method", *_REPLY)
_EXPECT = ("status", "headers", "body", "json", "backend", "calls", "variables", "error", "events")
_EXPECT_CALL = ("method", "url", "headers", "body", "json")
_EVENT = (
    *("kind", "namespace", "name", "value", "dimensions"),
    *("logger", "message", "partition_id", "partition_key"),
)
_ERROR = ("source", "reason", "message", "section", "path")


class CaseError(PolicyError):
    """A file of cases that says something impossible; the message names file, place and remedy."""


@dataclass(frozen=True)
class Case:
    name: str
    setup: Setup
    sent: Sent
    expected: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """`failures` are empty for what passed; `outcome` is there where the policy ran."""

    path: Path
    case: str
    seconds: float
    failures: Sequence[str] = ()
    outcome: Outcome | None = field(default=None, repr=False)


def find(paths: Sequence[Path]) -> tuple[list[Path], list[CaseError]]:
    """The files of cases among the paths and below folders, and an error for each path that has none."""
    found, without = list[Path](), list[CaseError]()
    for path in paths:
        if not path.exists():
            without.append(CaseError(f"{path} does not exist: name a file of cases, or a folder of *{SUFFIXES[0]}"))
            continue
        if path.is_file():
            found.append(path)
            continue
        below = sorted(file for file in path.rglob("*") if file.name.endswith(SUFFIXES) and file.is_file())
        if not below:
            without.append(CaseError(f"{path} holds no cases: no file below it ends in {' or '.join(SUFFIXES)}"))
        found += below
    return found, without


def run(path: Path, only: str = "") -> Iterator[Result]:
    """The results of a file's cases, those whose names contain `only`. Raises CaseError before any has run."""
    for case in load(path):
        if only in case.name:
            yield _run(path, case)


def _run(path: Path, case: Case) -> Result:
    started = perf_counter()
    try:
        outcome = trial.run(case.setup, case.sent)
    except PolicyProblems as problems:
        return Result(path, case.name, perf_counter() - started, [str(problems)])
    return Result(path, case.name, perf_counter() - started, list(differences(case.expected, outcome)), outcome)


# reading


def load(path: Path) -> list[Case]:
    import yaml

    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path} {unreadable(error)}") from error
    except yaml.YAMLError as error:
        raise CaseError(f"{path} cannot be read as YAML ({' '.join(str(error).split())})") from error
    where = str(path)
    file = mapping(given, _FILE, where)
    if not isinstance(file.get("policy"), str):
        raise CaseError(f"{where}: 'policy' is missing: the file of the policy, or its text")
    cases = file.get("cases")
    if not isinstance(cases, list) or not cases:
        raise CaseError(f"{where}: 'cases' must be a list with a case or more")
    setup = _setup(file, path)
    found = [_case(one, setup, f"{where}, case {number}") for number, one in enumerate(cases, 1)]
    names = [case.name for case in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise CaseError(f"{where}: two cases are named {twice!r}")
    return found


def _setup(file: Mapping[str, Any], path: Path) -> Setup:
    where = str(path)
    policy, name = _source(file["policy"], path)
    fragments = {key: _source(text, path)[0] for key, text in _texts(file, "fragments", where).items()}
    setup = Setup(
        policy,
        name,
        fragments,
        _texts(file, "named_values", where),
        _texts(file, "secrets", where),
        _texts(file, "backends", where),
        authorizations=authorizations(file["authorizations"], f"{where}, authorizations")
        if "authorizations" in file
        else {},
        certificates={id_: _bytes(name, path) for id_, name in _texts(file, "certificates", where).items()},
        given_by="cases",
    )
    return _changed(setup, file, where)


def _changed(setup: Setup, given: Mapping[str, Any], where: str) -> Setup:
    """With what file and case may both say."""
    changes: dict[str, Any] = {}
    if "backend" in given:
        answers = given["backend"] if isinstance(given["backend"], list) else [given["backend"]]
        changes["backend"] = [reply(one, f"{where}, backend") for one in answers]
        if not answers:
            raise CaseError(f"{where}: 'backend' is an empty list: give one answer or more")
    if "calls" in given:
        changes["calls"] = [*calls(given["calls"], where), *setup.calls]
    if "token" in given:
        claims = given["token"]
        changes["claims"] = None if claims is None else mapping(claims, None, f"{where}, token")
    if "variables" in given:
        changes["variables"] = {**setup.variables, **mapping(given["variables"], None, f"{where}, variables")}
    return replace(setup, **changes)


def _source(text: str, path: Path) -> tuple[str, str]:
    """Text and name of a policy that is given as it is, or by the file beside the cases."""
    if text.lstrip().startswith("<"):
        return text, str(path)
    file = path.parent / text
    try:
        return file.read_text(encoding="utf-8-sig"), str(file)
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: the policy {text!r} {unreadable(error)}") from error


def _bytes(name: str, path: Path) -> bytes:
    try:
        return (path.parent / name).read_bytes()
    except OSError as error:
        raise CaseError(f"{path}: the certificate {name!r} {unreadable(error)}") from error


def _case(given: Any, setup: Setup, where: str) -> Case:
    case = mapping(given, _CASE, where)
    name = case.get("name")
    if not isinstance(name, str) or not name:
        raise CaseError(f"{where}: 'name' is missing: what the policy does then")
    where = f"{where} ({name})"
    if "named_values" in case:
        setup = replace(setup, named_values={**setup.named_values, **_texts(case, "named_values", where)})
    expected = mapping(case.get("expect"), _EXPECT, f"{where}, expect")
    if not expected:
        raise CaseError(f"{where}: 'expect' is missing or empty: a case that expects nothing always passes")
    _check_expected(expected, f"{where}, expect")
    return Case(name, _changed(setup, case, where), request(case.get("request"), f"{where}, request"), expected)


def _check_expected(expected: Mapping[str, Any], where: str) -> None:
    mapping(expected.get("headers"), None, f"{where}, headers")
    mapping(expected.get("variables"), None, f"{where}, variables")
    for name, keys in (("backend", _EXPECT_CALL), ("error", _ERROR)):
        if expected.get(name) is not None:
            inner = mapping(expected[name], keys, f"{where}, {name}")
            mapping(inner.get("headers"), None, f"{where}, {name}, headers")
    for number, event in enumerate(_list(expected.get("events"), f"{where}, events"), 1):
        mapping(event, _EVENT, f"{where}, events, {number}")
    for number, call in enumerate(_list(expected.get("calls"), f"{where}, calls"), 1):
        mapping(call, _EXPECT_CALL, f"{where}, calls, {number}")


def request(given: Any, where: str) -> Sent:
    """A request as a mapping, or as the text `METHOD TARGET`."""
    if isinstance(given, str):
        method, _, target = given.strip().partition(" ")
        given = {"method": method, "target": target.strip() or "/"}
    values = mapping(given, _REQUEST, where)
    method, target = str(values.get("method", "GET")).upper(), str(values.get("target", "/"))
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", method):
        raise CaseError(f"{where}: {method!r} is no method: write METHOD TARGET, as in 'POST /orders?id=1'")
    if not target.startswith("/"):
        raise CaseError(f"{where}: the target must begin with a slash, not {target!r}")
    if not re.fullmatch(r"[\x21-\x7e]+", target):
        raise CaseError(f"{where}: spaces and whatever is not ASCII must be percent-encoded in the target {target!r}")
    times = values.get("times", 1)
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= 1000:
        raise CaseError(f"{where}: 'times' must be a whole number from 1 to 1000, not {times!r}")
    headers, body = _message(values, where)
    ip = str(values.get("ip", Sent.ip))
    return Sent(method, target, list(headers.pairs()), body, ip, times)


def reply(given: Any, where: str) -> Reply:
    """An answer as a mapping, or as its status alone."""
    values = mapping({"status": given} if isinstance(given, int) else given, _REPLY, where)
    return _reply(values, where)


def _reply(values: Mapping[str, Any], where: str) -> Reply:
    status = values.get("status", 200)
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise CaseError(f"{where}: 'status' must be a number from 200 to 599, not {status!r}")
    headers, body = _message(values, where)
    return Reply(status, headers, body or b"")


def calls(given: Any, where: str) -> list[Scripted]:
    found = []
    for number, one in enumerate(_list(given, f"{where}, calls"), 1):
        place = f"{where}, calls, {number}"
        values = mapping(one, _CALL, place)
        if not isinstance(values.get("url"), str):
            raise CaseError(f"{place}: 'url' is missing: the address that the policy calls, with * at its end for more")
        found.append(Scripted(values["url"], _reply(values, place), str(values.get("method", ""))))
    return found


def header(name: str, value: str, where: str) -> tuple[str, str]:
    """Both, where HTTP can carry them (RFC 9110, section 5). Raises CaseError."""
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
        message = "a name has no spaces and no colon, a value no line breaks and no control characters"
        raise CaseError(f"{where}: {name!r} is no header that HTTP carries: {message}")
    return name, value


def _message(values: Mapping[str, Any], where: str) -> tuple[ManyValues, bytes | None]:
    headers = ManyValues()
    for name, value in mapping(values.get("headers"), None, f"{where}, headers").items():
        for one in value if isinstance(value, list) else [value]:
            headers.add(*header(name, _scalar(one), f"{where}, headers"))
    given = [name for name in _BODY if name in values]
    if len(given) > 1:
        raise CaseError(f"{where}: {' and '.join(map(repr, given))} are both bodies: keep one")
    if not given:
        return headers, None
    kind, value = given[0], values[given[0]]
    if kind == "json":
        types, body = "application/json", json.dumps(value, ensure_ascii=False)
    elif kind == "form":
        from urllib.parse import urlencode

        types, body = "application/x-www-form-urlencoded", urlencode(mapping(value, None, f"{where}, form"), doseq=True)
    else:
        types, body = "text/plain; charset=utf-8", _scalar(value)
    if "content-type" not in headers:
        headers.add("Content-Type", types)
    return headers, body.encode("utf-8", "surrogatepass")


def mapping(given: Any, keys: Sequence[str] | None, where: str) -> dict[str, Any]:
    """A mapping with these keys and no others; without keys any texts. Nothing counts as an empty one."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise CaseError(f"{where} must be a mapping, not {given!r}")
    found = {str(key): value for key, value in given.items()}
    for name in found:
        if keys is not None and name not in keys:
            near = difflib.get_close_matches(name, keys, 1)
            meant = f" (did you mean {near[0]!r}?)" if near else ""
            raise CaseError(f"{where} has the unknown key {name!r}{meant}; it knows {', '.join(keys)}")
    return found


def _list(given: Any, where: str) -> list[Any]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise CaseError(f"{where} must be a list, not {given!r}")
    return given


def _texts(given: Mapping[str, Any], name: str, where: str) -> dict[str, str]:
    return {key: _scalar(value) for key, value in mapping(given.get(name), None, f"{where}, {name}").items()}


def _scalar(value: Any) -> str:
    """As XML and headers have it: `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


# judging


def differences(expected: Mapping[str, Any], outcome: Outcome) -> Iterator[str]:
    """What is otherwise than expected, one text each; what the case does not name is not looked at."""
    got = outcome.reply
    if "status" in expected and expected["status"] != got.status:
        yield f"status: expected {expected['status']}, was {got.status}"
    yield from _of_message(expected, got.headers, got.body, "")
    if "backend" in expected:
        yield from _of_backend(expected["backend"], outcome.backend)
    wanted = expected.get("calls")
    if wanted is not None:
        if len(wanted) != len(outcome.calls):
            shown = ", ".join(f"{call.method} {call.url}" for call in outcome.calls) or "none"
            yield f"calls: expected {len(wanted)}, were {len(outcome.calls)}: {shown}"
        for number, (one, call) in enumerate(zip(wanted, outcome.calls, strict=False), 1):
            yield from _of_call(one, call, f"calls[{number}] ")
    for name, value in (expected.get("variables") or {}).items():
        found = outcome.shown(name) if name in outcome.variables else _ABSENT
        yield from _of_value(value, found, f"variable {name}")
    if expected.get("events") is not None:
        yield from _of_events(expected["events"], outcome)
    if "error" in expected:
        yield from _of_error(expected["error"], outcome)


def _of_backend(expected: Any, backend: Sequence[Call]) -> Iterator[str]:
    if expected is None:
        if backend:
            yield f"backend: expected no call, was {backend[-1].method} {backend[-1].url}"
    elif not backend:
        yield "backend: expected a call, was none"
    else:
        yield from _of_call(expected, backend[-1], "backend ")


def _of_call(expected: Mapping[str, Any], call: Call, prefix: str) -> Iterator[str]:
    for name, found in (("method", call.method), ("url", call.url)):
        if name in expected:
            yield from _of_value(expected[name], found, f"{prefix}{name}")
    yield from _of_message(expected, call.headers, call.body, prefix)


def _of_message(expected: Mapping[str, Any], headers: ManyValues, body: bytes, prefix: str) -> Iterator[str]:
    for name, value in (expected.get("headers") or {}).items():
        found: Any = headers.joined(name) if name in headers else _ABSENT
        wanted = ",".join(map(_scalar, value)) if isinstance(value, list) else value
        yield from _of_value(wanted, found, f"{prefix}header {name}")
    text = body.decode("utf-8", "replace")
    if "body" in expected:
        yield from _of_value(expected["body"], text, f"{prefix}body")
    if "json" in expected:
        try:
            found = json.loads(text)
        except ValueError:
            yield f"{prefix}json: the body is no JSON: {_short(text)}"
            return
        if found != expected["json"]:
            yield f"{prefix}json:\n{_diff(_pretty(expected['json']), _pretty(found))}"


def _of_events(expected: Sequence[Mapping[str, Any]], outcome: Outcome) -> Iterator[str]:
    """Metrics and events in order; of each only what the case names."""
    if len(expected) != len(outcome.events):
        yield f"events: expected {len(expected)}, were {len(outcome.events)}: {_short(outcome.events)}"
    for number, (one, event) in enumerate(zip(expected, outcome.events, strict=False), 1):
        for name, value in one.items():
            yield from _of_value(value, event.get(name, _ABSENT), f"events[{number}] {name}")


def _of_error(expected: Any, outcome: Outcome) -> Iterator[str]:
    error = outcome.error
    if expected is None:
        if error is not None:
            yield f"error: expected none, was {error.source} {error.reason}: {error.message}"
    elif error is None:
        yield "error: expected one, was none"
    else:
        for name, value in expected.items():
            yield from _of_value(value, getattr(error, name), f"error {name}")


def _of_value(expected: Any, found: Any, what: str) -> Iterator[str]:
    """Equal; or, for `matches` a regular expression that is found, for `contains` a text that is."""
    if found is _ABSENT:
        if expected is not None:
            yield f"{what}: expected {_short(expected)}, was not there"
        return
    if expected is None and found is not None:
        yield f"{what}: expected none, was {_short(found)}"
        return
    if isinstance(expected, dict) and len(expected) == 1 and next(iter(expected)) in ("matches", "contains"):
        how, pattern = next(iter(expected.items()))
        text = found if isinstance(found, str) else json.dumps(found)
        if not (re.search(str(pattern), text) if how == "matches" else str(pattern) in text):
            yield f"{what}: expected something that {how} {_short(pattern)}, was {_short(found)}"
        return
    if isinstance(found, str) and not isinstance(expected, str | dict | list):
        expected = _scalar(expected)
    if expected == found and isinstance(expected, bool) == isinstance(found, bool):
        return
    if isinstance(expected, str) and isinstance(found, str) and "\n" in expected + found:
        yield f"{what}:\n{_diff(expected, found)}"
    elif isinstance(expected, dict | list):
        yield f"{what}:\n{_diff(_pretty(expected), _pretty(found))}"
    else:
        yield f"{what}: expected {_short(expected)}, was {_short(found)}"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)


def _diff(expected: str, found: str) -> str:
    lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), "expected", "was", lineterm="", n=2)
    return "\n".join(f"  {line}" for line in lines)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"


def junit(results: Sequence[Result]) -> str:
    """As JUnit writes it, which pipelines publish: a suite for each file, a case for each case."""
    root = ElementTree.Element("testsuites")
    for path in dict.fromkeys(one.path for one in results):
        of_file = [one for one in results if one.path == path]
        counts = {"tests": str(len(of_file)), "failures": str(sum(bool(one.failures) for one in of_file))}
        taken = f"{sum(one.seconds for one in of_file):.3f}"
        suite = ElementTree.SubElement(root, "testsuite", {"name": str(path), **counts, "errors": "0", "time": taken})
        for one in of_file:
            given = {"name": one.case, "classname": str(path), "time": f"{one.seconds:.3f}"}
            case = ElementTree.SubElement(suite, "testcase", given)
            if one.failures:
                first = one.failures[0].splitlines()[0]
                failure = ElementTree.SubElement(case, "failure", {"message": _clean(first)})
                failure.text = _clean("\n".join(one.failures))
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold (section 2.2)."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
