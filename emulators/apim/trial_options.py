"""What the command line of `try` says, as a request and what stands around it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from emulators.apim import cases
from emulators.apim.cases import CaseError
from emulators.apim.errors import PolicyError, unreadable
from emulators.apim.identity import authorizations
from emulators.apim.messages import ManyValues, parse_base
from emulators.apim.single_policy import file_bytes, pairs, read, secrets
from emulators.apim.trial import Reply, Scripted, Sent, Setup, claims_of


def setup(options: argparse.Namespace) -> Setup:
    """Raises PolicyError that names the option."""
    backends, answers = _backends(options.backend)
    given = (
        authorizations(_yaml(options.authorizations, "--authorizations"), f"--authorizations {options.authorizations}")
        if options.authorizations
        else {}
    )
    return Setup(
        read(options.policy),
        str(options.policy),
        {name: read(Path(path)) for name, path in pairs(options.fragment, "--fragment").items()},
        pairs(options.named_value, "--named-value"),
        secrets(options.named_values),
        backends,
        answers,
        [_call(text) for text in options.call],
        {name: _typed(text) for name, text in pairs(options.variable, "--variable").items()},
        claims_of(_text(options.token, "--token"), f"--token {options.token}") if options.token is not None else None,
        options.allow_host,
        {id_: file_bytes(path) for id_, path in pairs(options.certificate, "--certificate").items()},
        given,
    )


def request(options: argparse.Namespace) -> Sent:
    given: str = options.request
    if given.lower().endswith((".yaml", ".yml", ".json")):
        sent = cases.request(_yaml(Path(given), "--request"), f"--request {given}")
    else:
        sent = cases.request(given, f"--request {given!r}")
    headers = ManyValues(sent.headers)
    for text in options.header:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise PolicyError(f"--header {text!r} must be 'NAME: VALUE'")
        headers.add(*cases.header(name.strip(), value.strip(), "--header"))
    body = sent.body
    if options.body is not None:
        body = file_bytes(options.body[1:]) if options.body.startswith("@") else options.body.encode()
    return Sent(sent.method, sent.target, list(headers.pairs()), body, sent.ip, sent.times)


def _backends(given: list[str]) -> tuple[dict[str, str], list[Reply] | str]:
    """Those with names, and what the API's own answers."""
    named, answers = dict[str, str](), list[Reply]()
    own = ""
    for text in given:
        name, equals, url = text.partition("=")
        if equals and "/" not in name and parse_base(url) is not None:
            named[name] = url
        elif "://" in text:
            if parse_base(text) is None:
                raise PolicyError(f"--backend {text!r} must be an absolute http or https URL without query")
            own = text
        else:
            answers.append(_answer(text, "--backend"))
    if own and answers:
        raise PolicyError("--backend gives a real backend and an answer: keep one")
    return named, own or answers or [Reply()]


def _call(text: str) -> Scripted:
    url, equals, answer = text.rpartition("=")
    if not equals or "://" not in url:
        raise PolicyError(f"--call {text!r} must be URL=ANSWER, with * at the URL's end for all that begin so")
    return Scripted(url, _answer(answer, "--call"))


def _answer(text: str, option: str) -> Reply:
    if text.isdecimal():
        return cases.reply(int(text), f"{option} {text}")
    return cases.reply(_yaml(Path(text), option), f"{option} {text}")


def _typed(text: str) -> Any:
    """As YAML reads a plain word: `true` and numbers are no texts; all else is."""
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return found if isinstance(found, bool | int | float) else text


def _yaml(path: Path, option: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(_text(path, option))
    except yaml.YAMLError as error:
        raise CaseError(f"{option} {path} cannot be read as YAML ({' '.join(str(error).split())})") from error


def _text(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{option} {path} {unreadable(error)}") from error
