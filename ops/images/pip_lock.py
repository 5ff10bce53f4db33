"""Locks of Python packages, as `uv pip compile --no-strip-extras` writes them, made fit for an old pip.

pip before 23.3, which Python 3.11 brings, resolves `pydantic` and `pydantic[email]` apart: of the one that a lock does
not pin it takes the newest release, which it then refuses as not pinned (pypa/pip, issue 12345).
"""

from __future__ import annotations

import re

_STANZA = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?P<extras>\[[^\]]+\])?(?P<pin>==.*(?:\n[ #].*)*\n?)", re.MULTILINE)


def with_plain_pins(lock: str) -> str:
    """Put `name==…`, with the same marker and hashes, before each `name[extra]==…` that has none."""
    plain = {match["name"] for match in _STANZA.finditer(lock) if not match["extras"]}

    def both(match: re.Match[str]) -> str:
        if not match["extras"] or match["name"] in plain:
            return match.group()
        plain.add(match["name"])
        return f"{match['name']}{match['pin'].rstrip()}\n{match.group()}"

    return _STANZA.sub(both, lock)
