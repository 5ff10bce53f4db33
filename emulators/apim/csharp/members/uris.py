"""System.Uri, UriKind, UriPartial, System.Net.WebUtility, System.Net.IPAddress."""

from __future__ import annotations

import html
import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urljoin, urlsplit

from emulators.apim.csharp.clr import ClrError
from emulators.apim.csharp.clr_types import BOOL, INT, STRING, URI, T, array
from emulators.apim.csharp.library import Out, constructor, enum, method, prop, static

enum("UriKind", "Absolute", "Relative", "RelativeOrAbsolute")
enum("UriPartial", "Scheme", "Authority", "Path", "Query")
_PORTS = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}


@dataclass(frozen=True)
class Uri:
    """An absolute URI; scheme and host are lower-cased, a missing path becomes `/`, as .NET does."""

    scheme: str
    host: str
    port: int
    path: str
    query: str
    fragment: str
    user_info: str
    original: str

    @property
    def authority(self) -> str:
        return self.host if self.port == _PORTS.get(self.scheme, -1) or self.port == -1 else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        slashes = "://" if self.host else ":"
        user = f"{self.user_info}@" if self.user_info else ""
        return f"{self.scheme}{slashes}{user}{self.authority}{self.path}{self.query}{self.fragment}"


def parse(text: Any) -> Uri | None:
    """None for what is not an absolute URI."""
    if not isinstance(text, str) or any(ord(character) <= 32 for character in text.strip()):
        return None
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if not scheme or (scheme in _PORTS and not parts.hostname):
        return None
    host = (parts.hostname or "").lower()
    return Uri(
        scheme=scheme,
        host=f"[{host}]" if ":" in host else host,
        port=port if port is not None else _PORTS.get(scheme, -1),
        path=parts.path or ("/" if host else ""),
        query=f"?{parts.query}" if parts.query else "",
        fragment=f"#{parts.fragment}" if parts.fragment else "",
        user_info=parts.netloc.rpartition("@")[0],
        original=text,
    )


@constructor("Uri")
def _new(text: Any, relative: Any = None) -> Uri:
    joined = urljoin(str(text), str(relative)) if relative is not None and not _is_kind(relative) else text
    found = parse(joined)
    if found is None:
        raise ClrError("FormatException", "Invalid URI: The format of the URI could not be determined.")
    return found


def _is_kind(value: Any) -> bool:
    return value in ("Absolute", "Relative", "RelativeOrAbsolute")


@static("Uri", "TryCreate", BOOL, out=URI)
def _try_create(text: Any, kind: Any, result: Out) -> bool:
    """`TryCreate(base, relative, out uri)`. The form with a UriKind needs a type that is not documented."""
    found = parse(urljoin(str(text), str(kind))) if isinstance(text, Uri) else parse(text)
    result(found)
    return found is not None


static("Uri", "IsWellFormedUriString", BOOL)(lambda text, kind: parse(text) is not None)
static("Uri", "EscapeDataString", STRING)(lambda text: quote(_given(text), safe="-._~"))
static("Uri", "EscapeUriString", STRING)(lambda text: quote(_given(text), safe="-._~:/?#[]@!$&'()*+,;=%"))
static("Uri", "UnescapeDataString", STRING)(lambda text: unquote(_given(text)))


def _given(text: Any) -> str:
    if text is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    return str(text)


prop("Uri", "Scheme", STRING, lambda uri: uri.scheme)
prop("Uri", "Host", STRING, lambda uri: uri.host)
prop("Uri", "DnsSafeHost", STRING, lambda uri: uri.host.strip("[]"))
prop("Uri", "Port", INT, lambda uri: uri.port)
prop("Uri", "IsDefaultPort", BOOL, lambda uri: uri.port == _PORTS.get(uri.scheme, -1))
prop("Uri", "Authority", STRING, lambda uri: uri.authority)
prop("Uri", "AbsolutePath", STRING, lambda uri: uri.path)
prop("Uri", "LocalPath", STRING, lambda uri: unquote(uri.path))
prop("Uri", "PathAndQuery", STRING, lambda uri: uri.path + uri.query)
prop("Uri", "Query", STRING, lambda uri: uri.query)
prop("Uri", "Fragment", STRING, lambda uri: uri.fragment)
prop("Uri", "UserInfo", STRING, lambda uri: uri.user_info)
prop("Uri", "AbsoluteUri", STRING, str)
prop("Uri", "OriginalString", STRING, lambda uri: uri.original)
prop("Uri", "IsAbsoluteUri", BOOL, lambda uri: True)
prop("Uri", "IsLoopback", BOOL, lambda uri: _loopback(uri.host.strip("[]")))
prop("Uri", "Segments", array(STRING), lambda uri: [part + "/" for part in uri.path.split("/")[:-1]] + _last(uri.path))


def _last(path: str) -> list[str]:
    return [path.rsplit("/", 1)[-1]] if not path.endswith("/") else []


@method("Uri", "GetLeftPart", STRING)
def _left_part(uri: Uri, part: Any) -> str:
    start = f"{uri.scheme}://"
    ends = {"Scheme": "", "Authority": uri.authority, "Path": uri.authority + uri.path}
    return start + ends.get(part, uri.authority + uri.path + uri.query)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


static("WebUtility", "UrlEncode", STRING)(lambda text: text if text is None else quote_plus(text, safe="-_.!*()"))
static("WebUtility", "UrlDecode", STRING)(lambda text: text if text is None else unquote_plus(text))
static("WebUtility", "HtmlEncode", STRING)(
    lambda text: text if text is None else html.escape(text).replace("&#x27;", "&#39;")
)
static("WebUtility", "HtmlDecode", STRING)(lambda text: text if text is None else html.unescape(text))

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_IP = T("IPAddress")


@static("IPAddress", "Parse", _IP)
def _parse_address(text: str) -> _Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise ClrError("FormatException", "An invalid IP address was specified.") from error


@static("IPAddress", "TryParse", BOOL, out=_IP)
def _try_address(text: str, result: Out) -> bool:
    try:
        result(_parse_address(text))
    except ClrError:
        result(None)
        return False
    return True


@static("IPAddress", "IsLoopback", BOOL)
def _is_loopback(address: Any) -> bool:
    return bool(address.is_loopback)
