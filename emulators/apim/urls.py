"""Absolute http and https URLs."""

from __future__ import annotations

from urllib.parse import urlsplit

from emulators.apim.messages import Url

_PORTS = {"http": 80, "https": 443}


def parse_url(text: str) -> Url | None:
    """None where the text is not an absolute http or https URL. Path and query stay as they are written."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in _PORTS or not parts.hostname or parts.username is not None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    scheme = parts.scheme.lower()
    return Url(scheme, host, port or _PORTS[scheme], parts.path, parts.query)


def parse_base(text: str) -> Url | None:
    """A backend's URL: its path loses a trailing slash, because operation paths begin with one."""
    url = parse_url(text)
    return None if url is None or url.query else Url(url.scheme, url.host, url.port, url.path.rstrip("/"))
