"""`images.json` of an environment: the digest that each server runs, read by Terraform and written by the tasks.

{"mongodb": {"repository": "mongodb-mcp", "digest": "sha256:…", "tag": "0.1.0",
             "slots": {"b": {"digest": "sha256:…"}},      slots that still run another image
             "history": [{"digest": "sha256:…", "tag": "…"}]}}   earlier ones, newest first, for `invoke rollback`
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.errors import SettingError

_REMEMBERED = 10  # earlier digests of a server

Entries = dict[str, dict[str, Any]]


def read(path: Path) -> Entries:
    """Return the entries by server; none where nothing was pushed yet."""
    if not path.exists():
        return {}
    try:
        found: Entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingError(f"{path} is not valid JSON ({error}); delete it and run `invoke push`") from error
    return found


def write(path: Path, entries: Mapping[str, Any]) -> None:
    """Replace the file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)


def update(path: Path, entries: Mapping[str, Mapping[str, Any]]) -> bool:
    """Write these servers' entries; what was in their place goes into their history. True if the file changed.

    Servers that are not named keep their entries, also those that no longer exist, until Terraform no longer asks for
    them.
    """
    before = read(path)
    after = {**before, **{server: with_history(before.get(server), entry) for server, entry in entries.items()}}
    if after == before and path.exists():
        return False
    write(path, after)
    return True


def with_history(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> dict[str, Any]:
    """Return `after` with the digests that were in its place, newest first."""
    if not before or not before.get("digest"):
        return dict(after)
    history = list(before.get("history") or ())
    if before["digest"] != after["digest"]:
        history = [_image(before), *history]
    return {**after, **({"history": history[:_REMEMBERED]} if history else {})}


def earlier(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the entry as it was one digest ago; None where none is recorded.

    Where slots still wait for this entry's digest, an earlier change was interrupted: that one is finished first.
    """
    if entry.get("slots"):
        return _without_slots(entry)
    history = list(entry.get("history") or ())
    if not history:
        return None
    plain = {name: value for name, value in entry.items() if name not in ("history", "tag")}
    return {**plain, **history[0], **({"history": history[1:]} if history[1:] else {})}


def hold_slots(path: Path, before: Mapping[str, Mapping[str, Any]], slots: Mapping[str, Sequence[str]]) -> None:
    """Keep each slot on the digest that it runs until its turn in a rolling update comes.

    So a run that is interrupted, and whoever applies by hand meanwhile, leaves the other slots as they are. `before`:
    the entries while what runs now was applied; `slots`: the slots by server, of servers that have several.
    """
    after = read(path)
    held = {server: _held(before.get(server) or {}, entry, slots.get(server, ())) for server, entry in after.items()}
    if held != after:
        write(path, held)


def release_slot(path: Path, servers: Collection[str], slot: str) -> None:
    """Let a slot of these servers take the servers' own digest."""
    entries = read(path)
    freed = {name: _release(entry, slot) if name in servers else entry for name, entry in entries.items()}
    if freed != entries:
        write(path, freed)


def release_all(path: Path) -> None:
    """Let every slot take its server's own digest."""
    entries = read(path)
    plain = {name: _without_slots(entry) for name, entry in entries.items()}
    if plain != entries:
        write(path, plain)


def _held(before: Mapping[str, Any], after: Mapping[str, Any], slots: Sequence[str]) -> dict[str, Any]:
    plain = _without_slots(after)
    if not before.get("digest") or not slots:
        return plain
    overrides = before.get("slots") or {}
    running = {slot: overrides.get(slot) or _image(before) for slot in slots}
    waiting = {slot: image for slot, image in running.items() if image["digest"] != after.get("digest")}
    return {**plain, **({"slots": waiting} if waiting else {})}


def _release(entry: Mapping[str, Any], slot: str) -> dict[str, Any]:
    left = {name: image for name, image in (entry.get("slots") or {}).items() if name != slot}
    return {**_without_slots(entry), **({"slots": left} if left else {})}


def _without_slots(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "slots"}


def _image(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("digest", "tag") if name in entry}
