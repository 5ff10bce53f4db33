"""`images.json` of an environment: the digest that each server runs, read by Terraform and written by the tasks.

{"mongodb": {"repository": "mongodb-mcp", "digest": "sha256:…", "tag": "0.1.0",
             "slots": {"b": {"digest": "sha256:…"}},      slots that still run another image
             "traffic": {"reader": {"revision": "…", "weight": 100}},   of apps: what an earlier revision keeps
             "newest": "sha256:…",                                      and what the newest runs, where it has no calls
             "history": [{"digest": "sha256:…", "tag": "…"}]}}   earlier ones, newest first, for `invoke rollback`
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.cli.steps import Runner, Step
from ops.errors import SettingError

_REMEMBERED = 10  # earlier digests of a server

Entries = dict[str, dict[str, Any]]


def read(path: Path, runner: Runner | None = None) -> Entries:
    """Return the entries by server; none where nothing was pushed yet. In a dry run, as they would be by then."""
    if runner and path in runner.written:
        planned: Entries = runner.written[path]
        return planned
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


def change(path: Path, after: Entries, runner: Runner) -> bool:
    """Write the entries where they differ; True if they do. A dry run says what each server would run."""
    before = read(path, runner)
    if after == before and (path.exists() or path in runner.written):
        return False
    runner.run(Step(lambda: write(path, after), None, tuple(described(path, before, after))))
    if runner.dry_run:
        runner.written[path] = after
    return True


def described(path: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield a shell comment for each server whose entry changes: what it runs, and which slots something else."""
    for server, entry in after.items():
        if entry != before.get(server):
            slots = (entry.get("slots") or {}).items()
            held = "".join(f"; slot {slot} stays at {image.get('digest')}" for slot, image in sorted(slots))
            tag = f" ({entry['tag']})" if entry.get("tag") else ""
            repository = entry.get("repository", server)
            yield f"# images.json of {path.parent.name}: {server} runs {repository}@{entry.get('digest')}{tag}{held}"


def update(path: Path, entries: Mapping[str, Mapping[str, Any]], runner: Runner) -> bool:
    """Write these servers' entries; what was in their place goes into their history. True if the file changed.

    Servers that are not named keep their entries, also those that no longer exist, until Terraform no longer asks for
    them.
    """
    before = read(path, runner)
    after = {**before, **{server: with_history(before.get(server), entry) for server, entry in entries.items()}}
    return change(path, after, runner)


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
    plain = {name: value for name, value in without_traffic(entry).items() if name not in ("history", "tag")}
    return {**plain, **history[0], **({"history": history[1:]} if history[1:] else {})}


def hold_slots(
    path: Path, before: Mapping[str, Mapping[str, Any]], slots: Mapping[str, Sequence[str]], runner: Runner
) -> None:
    """Keep each slot on the digest that it runs until its turn in a rolling update comes.

    So a run that is interrupted, and whoever applies by hand meanwhile, leaves the other slots as they are. `before`:
    the entries while what runs now was applied; `slots`: the slots by server, of servers that have several.
    """
    entries = read(path, runner).items()
    held = {server: _held(before.get(server) or {}, entry, slots.get(server, ())) for server, entry in entries}
    _change_existing(path, held, runner)


def release_slot(path: Path, servers: Collection[str], slot: str, runner: Runner) -> None:
    """Let a slot of these servers take the servers' own digest."""
    entries = read(path, runner).items()
    _change_existing(path, {name: _release(one, slot) if name in servers else one for name, one in entries}, runner)


def release_all(path: Path, runner: Runner) -> None:
    """Let every slot take its server's own digest."""
    _change_existing(path, {name: _without_slots(entry) for name, entry in read(path, runner).items()}, runner)


def _change_existing(path: Path, after: Entries, runner: Runner) -> None:
    if after:  # without entries there is no file, and need not be
        change(path, after, runner)


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


def without_traffic(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry as it is where an app's newest revision has all calls."""
    return {name: value for name, value in entry.items() if name not in ("traffic", "newest")}


def _without_slots(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "slots"}


def _image(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("digest", "tag") if name in entry}
