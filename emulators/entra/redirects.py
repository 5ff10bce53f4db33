"""Which redirect URI belongs to which platform ("Redirect URI (reply URL) best practices and limitations")."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from emulators.entra.directory import Application, Platform
from emulators.entra.rules import is_loopback


def platform_of(app: Application, uri: str) -> Platform | None:
    """The platform that `uri` is registered on, or None.

    URIs are compared as texts. On the public client platform alone, the port of an http loopback URI is free;
    `localhost` and `127.0.0.1` stay two different hosts.
    """
    for platform, registered in app.redirect_uris.items():
        if uri in registered:
            return platform
    if any(_same_loopback(uri, registered) for registered in app.redirect_uris.get(Platform.PUBLIC, ())):
        return Platform.PUBLIC
    return None


def _same_loopback(given: str, registered: str) -> bool:
    ours, theirs = _split(registered), _split(given)
    if ours is None or theirs is None or theirs.username is not None or theirs.password is not None:
        return False
    return _identity(ours) == _identity(theirs) and ours.scheme == "http" and is_loopback(ours.hostname or "")


def _identity(parts: SplitResult) -> tuple[str, str | None, str, str, str]:
    return parts.scheme, parts.hostname, parts.path or "/", parts.query, parts.fragment


def _split(uri: str) -> SplitResult | None:
    if any(character.isspace() or ord(character) < 32 or character == "\\" for character in uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port  # raises where the port is no number
    except ValueError:
        return None
    return parts
