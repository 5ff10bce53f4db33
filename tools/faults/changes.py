"""What people do to a platform that is in use: deploy, roll back, rotate, scale, heal, destroy and restore."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.support import own_platform
from tools.faults.callers import Callers
from tools.faults.measure import Cause, Fault
from tools.faults.subject import Subject
from twin import control

#: Seconds after which a deployment is killed: Terraform is at work by then.
_KILLED_AFTER = 12.0
_SLOTS = ("aci-groups-reader-a", "aci-groups-reader-b")


def _task(*arguments: str) -> Cause:
    async def cause(subject: Subject, callers: Callers) -> None:
        await asyncio.to_thread(subject.invoke, *arguments)

    return cause


def _source(subject: Subject, name: str) -> Path:
    return Path(subject.platform.variables["SERVERS_DIR"]) / "mongo-db-server/src/mongo_db_server" / name


async def _deploy(subject: Subject, callers: Callers) -> None:
    """Another image of every server."""
    _change_image(subject)
    await asyncio.to_thread(subject.invoke, "deploy")


def _change_image(subject: Subject) -> None:
    code = _source(subject, "__init__.py")
    code.write_text(code.read_text(encoding="utf-8") + "# another image\n", encoding="utf-8")


async def _deploy_broken(subject: Subject, callers: Callers) -> None:
    """An image that does not start is refused, and the next deployment is the good one again."""
    code = _source(subject, "__main__.py")
    good = code.read_text(encoding="utf-8")
    code.write_text('raise SystemExit("this image is broken")\n', encoding="utf-8")
    try:
        await asyncio.to_thread(subject.invoke, "deploy")
    except RuntimeError:
        pass
    else:
        raise RuntimeError("an image that does not start was deployed without a word")
    finally:
        code.write_text(good, encoding="utf-8")
    await asyncio.to_thread(subject.invoke, "deploy")


async def _roll_back(subject: Subject, callers: Callers) -> None:
    for server in ("groups", "apps"):
        await asyncio.to_thread(subject.invoke, "rollback", "--server", server)


async def _deploy_killed(subject: Subject, callers: Callers) -> None:
    """In the midst of it, with Terraform; then once more."""
    _change_image(subject)
    process = await asyncio.to_thread(
        subprocess.Popen,
        [sys.executable, "-m", "invoke", "deploy", "--env", subject.platform.env],
        cwd=subject.platform.root,
        env={**os.environ, **subject.platform.variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await asyncio.sleep(_KILLED_AFTER)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    await asyncio.to_thread(subject.invoke, "deploy")


def _scaled(change: Callable[[dict[str, Any]], None], **variables: str) -> Cause:
    async def cause(subject: Subject, callers: Callers) -> None:
        changed = own_platform.values(subject.platform)
        change(changed["mcp_servers"])
        own_platform.set_values(subject.platform, changed)
        await asyncio.to_thread(partial(subject.invoke, "deploy", **variables))

    return cause


def _up(servers: dict[str, Any]) -> None:
    servers["groups"]["slots"] = ["a", "b", "c"]
    servers["apps"]["scale"] |= {"minimum": 3}


def _down(servers: dict[str, Any]) -> None:
    servers["groups"]["slots"] = ["a", "b"]
    servers["apps"]["scale"] |= {"minimum": 2}


def _moved(*groups: str) -> Cause:
    """They have other addresses, which `invoke heal` puts into DNS."""

    async def cause(subject: Subject, callers: Callers) -> None:
        for group in groups:
            await asyncio.to_thread(subject.restart_elsewhere, group)
        await asyncio.to_thread(subject.invoke, "heal")

    return cause


async def _destroy_and_restore(subject: Subject, callers: Callers) -> None:
    """Everything deleted and made anew, with the documents that the database had when its last caller was gone."""
    kept = subject.home.with_name("kept")
    await asyncio.to_thread(control.stop, subject.home)
    shutil.copytree(subject.home / "mongo", kept)
    await asyncio.to_thread(subject.invoke, "destroy", "--yes")
    subject.home.mkdir()
    kept.rename(subject.home / "mongo")  # before anybody can write into the new one
    await asyncio.to_thread(subject.invoke, "deploy")
    callers.target = await asyncio.to_thread(subject.target)
    callers.forget_tokens()


def faults() -> Iterator[Fault]:
    """Each ends with a platform that is as wanted."""
    slots = " and ".join(_SLOTS)
    yield Fault("move-address", f"{_SLOTS[0]} restarted at another address, and `invoke heal`", _moved(_SLOTS[0]))
    yield Fault("move-addresses", f"{slots} at other addresses, and `invoke heal`", _moved(*_SLOTS))
    yield Fault("deploy", "`invoke deploy` of another image to every server", _deploy, none_fails=True)
    yield Fault("roll-back", "`invoke rollback` of groups and apps", _roll_back, none_fails=True)
    yield Fault(
        "deploy-broken", "`invoke deploy` of an image that does not start, then of the good one", _deploy_broken
    )
    yield Fault("deploy-killed", f"`invoke deploy` killed after {_KILLED_AFTER:g} s, then again", _deploy_killed)
    yield Fault("scale-up", "a third slot, and three replicas at least", _scaled(_up), none_fails=True)
    yield Fault(
        "scale-down",
        "two of each again, while Azure refuses a write (409)",
        _scaled(_down, AZURERM_EMULATOR_FAULTS="busy-api"),
        none_fails=True,
    )
    yield Fault("rotate", "`invoke rotate`: every key of the database", _task("rotate", "--yes"), none_fails=True)
    yield Fault(
        "restore", "`invoke destroy`, the documents put back, `invoke deploy`", _destroy_and_restore, alone=True
    )
