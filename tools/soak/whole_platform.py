"""A whole platform with two slots under load, while its containers hang, die and move, as they do in Azure."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

from tests.support import own_platform
from tests.support.platform_under_test import Platform
from twin import container_restart, control

CALLERS = 6
#: Seconds for which a slot is stopped: less than its liveness probe takes to have it restarted.
HANGS = 20.0
#: Seconds that the longest answer may take: the first byte of a call that a slot held, and its repetition.
LONGEST = 20.0
SLOTS = ("aci-mongodb-reader-a", "aci-mongodb-reader-b")
Say = Callable[[str], None]


class Load:
    """Readers that call one after the other; what they saw, by HTTP status, and the longest wait in seconds."""

    def __init__(self, platform: Platform) -> None:
        self.seen: Counter[int] = Counter()
        self.longest = 0.0
        self._platform = platform
        self._lock, self._done = Lock(), Event()

    def run(self) -> None:
        with ThreadPoolExecutor(CALLERS) as pool:
            for caller in [pool.submit(self._call) for _ in range(CALLERS)]:
                caller.result()

    def stop(self) -> None:
        self._done.set()

    def _call(self) -> None:
        while not self._done.is_set():
            begun = time.monotonic()
            answer = self._platform.call("tools/call", {"name": "list-databases", "arguments": {}}, user="reader")
            with self._lock:
                self.seen[answer.status] += 1
                self.longest = max(self.longest, time.monotonic() - begun)


def run(seconds: float, say: Say) -> list[str]:
    """What was promised and not kept, a sentence each."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        platform = own_platform.copied(Path(folder))
        own_platform.change_server(platform, slots=["a", "b"], rate_limit=own_platform.NO_LIMIT)
        with own_platform.deployed(platform), ThreadPoolExecutor(1) as pool:
            platform.token("reader")
            load = Load(platform)
            calling = pool.submit(load.run)
            try:
                wrong = list(_events(platform, seconds, say))
            finally:
                load.stop()
            calling.result()
    say(f"{load.seen.total()} calls, the longest took {load.longest:.1f} s")
    failed = load.seen.total() - load.seen[200]
    return [
        *wrong,
        *([f"{failed} of {load.seen.total()} calls failed: {dict(load.seen)}"] if failed else []),
        *([f"a call took {load.longest:.1f} s, more than {LONGEST:g}"] if load.longest > LONGEST else []),
    ]


def _events(platform: Platform, seconds: float, say: Say) -> Iterator[str]:
    """One after the other until the time is over, at least each once; yields what was not mended."""
    home, until = Path(platform.variables["TWIN_HOME"]), time.monotonic() + seconds
    rounds = 0
    while rounds == 0 or time.monotonic() < until:
        for event in (_hang, _die, _move):
            slot = SLOTS[rounds % len(SLOTS)]
            say(f"{time.strftime('%H:%M:%S')} {slot}: {event(platform, home, slot)}")
            if not _eventually_healthy(platform):
                yield f"the platform was not healthy again after {event.__name__.strip('_')} of {slot}"
        rounds += 1


def _hang(platform: Platform, home: Path, slot: str) -> str:
    pid = _pid(home, slot)
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(HANGS)
    finally:
        os.kill(pid, signal.SIGCONT)
    return f"hung for {HANGS:g} s"


def _die(platform: Platform, home: Path, slot: str) -> str:
    os.kill(_pid(home, slot), signal.SIGKILL)
    time.sleep(5)
    return "was killed"


def _move(platform: Platform, home: Path, slot: str) -> str:
    address = container_restart.restart(home, slot)
    platform.invoke("heal")
    return f"was restarted with address {address}, and healed"


def _pid(home: Path, slot: str) -> int:
    found = control.status(home)
    pid = found.parts[slot].pid if found is not None else None
    if pid is None:
        raise RuntimeError(f"{slot} does not run")
    return pid


def _eventually_healthy(platform: Platform) -> bool:
    for _ in range(20):
        if json.loads(platform.invoke("status", "--json", check=False).stdout)["healthy"]:
            return True
        time.sleep(1)
    return False
