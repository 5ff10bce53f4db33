"""`invoke remove-server NAME`: the entry out of mcp_servers, and the folder that nothing else needs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ops.cli.steps import Runner, Step
from ops.config import tfvars
from ops.config.environment import Environment, env_option
from ops.errors import SettingError, UsageError
from ops.images import catalog


def remove(environment: Environment, runner: Runner, name: str) -> None:
    """Undo `add-server`: repeating it says that the server is not there.

    The folder stays where an entry of another environment still builds from it. Nothing on Azure or in the running
    platform changes before the next deployment.
    """
    entry = environment.servers.get(name)
    folder = _folder(environment, name)
    if entry is None and folder is None:
        known = ", ".join(sorted(environment.servers)) or "none"
        raise UsageError(f"there is no server {name!r} in {environment.name}; mcp_servers holds: {known}")
    if entry is not None and len(environment.servers) == 1:
        raise UsageError(f"{name} is the only server of {environment.name}, which needs one; add another first")
    variables = environment.folder / "terraform.tfvars"
    after = without_entry(variables, name) if entry is not None else None
    needed_by = _others(environment, name) if folder else []
    rows = [("remove from", f"mcp_servers in {variables}: {name}")] if after is not None else []
    if folder and not needed_by:
        rows.append(("delete", str(folder)))
    if needed_by:
        runner.announce(f"{folder} stays: {', '.join(needed_by)} still builds from it")
    if not rows:
        return
    runner.table("", ("will", "what"), rows)
    runner.confirm(f"Remove server {name} from {environment.name}? What is not committed cannot be had back.")

    def act() -> None:
        if after is not None:
            partial = variables.with_name("terraform.tfvars.partial")
            partial.write_text(after, encoding="utf-8")
            partial.replace(variables)
        if folder and not needed_by:
            shutil.rmtree(folder)

    runner.run(Step(act, None, tuple(f"{action} {what}" for action, what in rows)))
    runner.say(f"it runs until the next `invoke deploy{env_option(environment.name)}`")


def without_entry(path: Path, name: str) -> str:
    """Return the file's text without one entry of mcp_servers; SettingError where that cannot be told apart."""
    text = path.read_text(encoding="utf-8")
    block = re.search(rf"^  {re.escape(name)}\s*=\s*\{{\n(?:.*\n)*?  \}}\n", text, re.MULTILINE)
    after = text[: block.start()] + text[block.end() :] if block else text
    before, found = tfvars.read(path), _parsed(path, after)
    expected = {server: entry for server, entry in before["mcp_servers"].items() if server != name}
    if found != {**before, "mcp_servers": expected}:
        raise SettingError(
            f"the entry {name} of mcp_servers in {path} is not written as `  {name} = {{` with a `  }}` on a line "
            "of its own, so nothing was removed; take it out by hand"
        )
    return after


def _parsed(path: Path, text: str) -> object:
    partial = path.with_name("terraform.tfvars.partial")
    partial.write_text(text, encoding="utf-8")
    try:
        return tfvars.read(partial)
    except SettingError:
        return None
    finally:
        partial.unlink()


def _folder(environment: Environment, name: str) -> Path | None:
    """The folder that builds the server's image, if it is named after it: one that others may share is theirs too."""
    source = catalog.sources(environment.servers_dir).get(name)
    return source.folder if source and source.folder.name == name else None


def _others(environment: Environment, name: str) -> list[str]:
    """Entries, here under another name or in other environments, whose image is built from the same folder."""
    found = [
        f"{server} of {environment.name}"
        for server, entry in environment.servers.items()
        if server != name and _repository(entry) == name
    ]
    for place in sorted(environment.folder.parent.glob("*/terraform.tfvars")):
        if place.parent.name == environment.name:
            continue
        servers = tfvars.read(place).get("mcp_servers") or {}
        found += [f"{server} of {place.parent.name}" for server, entry in servers.items() if _repository(entry) == name]
    return found


def _repository(entry: dict[str, object]) -> object:
    image = entry.get("image")
    return image.get("repository") if isinstance(image, dict) else None
