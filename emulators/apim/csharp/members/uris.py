"""System.Uri, UriPartial, System.Net.WebUtility, System.Net.IPAddress."""

from __future__ import annotations

import html
import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urljoin, urlsplit

from emulators.apim.csharp.clr import ClrError, utf8
from emulators.apim.csharp.library import Out, declare, enum

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


def _new(text: Any) -> Uri:
    found = parse(text)
    if found is None:
        raise ClrError("FormatException", "Invalid URI: The format of the URI could not be determined.")
    return found


def _joined(base: Uri, relative: Any) -> Uri:
    return _new(urljoin(str(base), str(relative)))


def _try_join(base: Uri, relative: Any, result: Out) -> bool:
    found = parse(urljoin(str(base), str(relative)))
    result(found)
    return found is not None


# The overloads with a UriKind need a type that Microsoft's table does not list.
declare("Uri", "Uri(string uriString)")(_new)
declare("Uri", "Uri(Uri baseUri, string relativeUri)", "Uri(Uri baseUri, Uri relativeUri)")(_joined)
declare("Uri", "static bool TryCreate(Uri baseUri, string relativeUri, out Uri result)")(_try_join)
declare("Uri", "static string EscapeDataString(string text)")(lambda text: quote(utf8(_given(text)), safe="-._~"))
declare("Uri", "static string EscapeUriString(string text)")(
    lambda text: quote(utf8(_given(text)), safe="-._~:/?#[]@!$&'()*+,;=%")
)
declare("Uri", "static string UnescapeDataString(string text)")(lambda text: unquote(_given(text)))


def _given(text: Any) -> str:
    if text is None:
        raise ClrError("ArgumentNullException", "Value cannot be null.")
    return str(text)


declare("Uri", "string Scheme")(lambda uri: uri.scheme)
declare("Uri", "string Host")(lambda uri: uri.host)
declare("Uri", "string DnsSafeHost")(lambda uri: uri.host.strip("[]"))
declare("Uri", "int Port")(lambda uri: uri.port)
declare("Uri", "bool IsDefaultPort")(lambda uri: uri.port == _PORTS.get(uri.scheme, -1))
declare("Uri", "string Authority")(lambda uri: uri.authority)
declare("Uri", "string AbsolutePath")(lambda uri: uri.path)
declare("Uri", "string LocalPath")(lambda uri: unquote(uri.path))
declare("Uri", "string PathAndQuery")(lambda uri: uri.path + uri.query)
declare("Uri", "string Query")(lambda uri: uri.query)
declare("Uri", "string Fragment")(lambda uri: uri.fragment)
declare("Uri", "string UserInfo")(lambda uri: uri.user_info)
declare("Uri", "string AbsoluteUri")(str)
declare("Uri", "string OriginalString")(lambda uri: uri.original)
declare("Uri", "bool IsAbsoluteUri")(lambda uri: True)
declare("Uri", "bool IsLoopback")(lambda uri: _loopback(uri.host.strip("[]")))
declare("Uri", "string[] Segments")(lambda uri: [part + "/" for part in uri.path.split("/")[:-1]] + _last(uri.path))


def _last(path: str) -> list[str]:
    return [path.rsplit("/", 1)[-1]] if not path.endswith("/") else []


@declare("Uri", "string GetLeftPart(UriPartial part)")
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


declare("WebUtility", "static string UrlEncode(string value)")(
    lambda text: text if text is None else quote_plus(utf8(text), safe="-_.!*()")
)
declare("WebUtility", "static string UrlDecode(string value)")(
    lambda text: text if text is None else unquote_plus(text)
)
declare("WebUtility", "static string HtmlEncode(string value)")(
    lambda text: text if text is None else html.escape(text).replace("&#x27;", "&#39;")
)
declare("WebUtility", "static string HtmlDecode(string value)")(
    lambda text: text if text is None else html.unescape(text)
)

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@declare("IPAddress", "static IPAddress Parse(string ipString)")
def _parse_address(text: str) -> _Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise ClrError("FormatException", "An invalid IP address was specified.") from error


@declare("IPAddress", "static bool TryParse(string ipString, out IPAddress address)")
def _try_address(text: str, result: Out) -> bool:
    try:
        result(_parse_address(text))
    except ClrError:
        result(None)
        return False
    return True


@declare("IPAddress", "static bool IsLoopback(IPAddress address)")
def _is_loopback(address: Any) -> bool:
    return bool(address.is_loopback)
