"""What a trace may show. Secrets are masked by value, by name and by form, before anything is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from emulators.apim.csharp.clr import JToken, to_text
from emulators.apim.jwt import Jwt
from emulators.apim.messages import Body, Request, Response, Url

MASK = "•••"
#: Characters of one value that are kept.
MAX_VALUE = 600
#: Shorter values would mask parts of words.
_SHORTEST_SECRET = 6

_FIELDS = (
    "access_token|refresh_token|id_token|client_secret|client_assertion|assertion|code|code_verifier|device_code"
    "|user_code|password|passwd|pass|pwd|subscription-key|api-key|apikey|accountkey|sharedaccesskey|sig|connectionstring"
)
_NAME = re.compile(rf"(?:{_FIELDS}|authorization|proxy-authorization|cookie|set-cookie|x-identity-header)", re.I)
_NAME_PART = re.compile(r"secret|password|cookie|authorization|refresh|assertion|subscription-key", re.I)
_PAIR = re.compile(rf"((?:^|[?&\s;'\"])(?:{_FIELDS})=)[^&\s;'\"]+", re.I)
_JSON_PAIR = re.compile(rf'("(?:{_FIELDS})"\s*:\s*)"(?:[^"\\]|\\.)*"', re.I)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.I)
#: A header or variable that holds a token as text, of whatever form: not all are JWTs.
_TOKEN = re.compile(r"(?:^|[-_.])token$", re.I)
#: Also an encrypted one, whose second part may be empty (RFC 7516, section 7.1).
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]*")
#: A pair of a query or form, and what its decoded text must not hold.
_ESCAPED = re.compile(r"[^?&\s;'\"<>]*%[0-9A-Fa-f]{2}[^?&\s;'\"<>]*")
_HELD = re.compile(rf"(?:^|[^A-Za-z0-9_-])(?:{_FIELDS})=", re.I)
#: What every form of a secret has somewhere; most texts have none of it, and are not looked at again.
_SUSPECT = re.compile(r'%3[Dd]|[Bb][Ee][Aa][Rr]|[Bb][Aa][Ss][Ii][Cc]|eyJ|[=@]|"\s*:')
_CREDENTIALS = re.compile(r"(://[^/\s:@]+:)[^/\s@]+@")
_SHOWN_CLAIMS = ("iss", "aud", "tid", "azp", "oid", "scp", "roles", "groups", "idtyp", "exp")


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether what has this name (header, variable, form field) is never shown."""
    return _NAME.fullmatch(name) is not None or _NAME_PART.search(name) is not None


class Mask:
    """`secrets` are values that are masked wherever they occur: the secret named values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({text for text in secrets if len(text) >= _SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """Cut only after masking: half a token would not look like one."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        if _SUSPECT.search(text) is not None:
            text = _JWT.sub(MASK, _BEARER.sub(rf"\1 {MASK}", text))
            text = _JSON_PAIR.sub(rf'\1"{MASK}"', _PAIR.sub(rf"\1{MASK}", text))
            text = _ESCAPED.sub(_masked_pair, text) if "%" in text else text
            text = _CREDENTIALS.sub(rf"\1{MASK}@", text)
        return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}… ({len(text)} characters)"

    def value(self, name: str, value: Any) -> str:
        """One variable, header or attribute as text."""
        if is_secret_name(name) and value not in (None, ""):
            return MASK
        if isinstance(value, str) and value and _TOKEN.search(name):
            return MASK
        return self.text(self._shown(value))

    def _shown(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, Jwt):
            shown = {claim: value.payload[claim] for claim in _SHOWN_CLAIMS if claim in value.payload}
            return f"token {_json(shown)}"
        if isinstance(value, Response):
            return f"response {value.status}"
        if isinstance(value, Request):
            return f"request {value.method} {value.url}"
        if isinstance(value, Body):
            return f"body of {len(value.data)} bytes"
        raw = value.raw if isinstance(value, JToken) else value
        if isinstance(raw, Mapping | list | tuple | set):
            return _json(masked(raw))
        return str(raw) if isinstance(raw, Url) else to_text(raw) if raw is not None else "null"


def _masked_pair(pair: re.Match[str]) -> str:
    """Names that are escaped, and pairs inside a value: only its own name is shown, as it was written."""
    if _HELD.search(unquote_plus(pair[0])) is None:
        return pair[0]
    name, equals, _ = pair[0].partition("=")
    return f"{name}={MASK}" if equals else MASK


def masked(raw: Any, depth: int = 8) -> Any:
    """Nested JSON with the values of secret names masked."""
    if depth == 0:
        return "…"
    if isinstance(raw, JToken):
        return masked(raw.raw, depth)
    if isinstance(raw, Mapping):
        first = list(raw.items())[:50]
        return {str(key): MASK if is_secret_name(str(key)) else masked(item, depth - 1) for key, item in first}
    if isinstance(raw, list | tuple | set):
        return [masked(item, depth - 1) for item in list(raw)[:50]]
    return raw


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
