"""Apps on one machine: replicas follow the calls, revisions share them by weight, and no call fails meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulators.base.files import write_private
from emulators.base.live import is_taken
from twin.apps.config import App, Revision, Scale, written
from twin.apps.ingress import Ingress
from twin.supervise.apps import make_certificates
from twin.supervise.plan import ROOT
from twin.supervise.ports import PortBook
from twin.supervise.spec import Health, ProcessSpec

DOMAIN = "calmsea-1.uksouth.azurecontainerapps.io"
HOST = f"notes-reader.{DOMAIN}"
ONE, FOUR = Scale(1, 1, 2, 1, 5), Scale(1, 4, 2, 0.5, 5)
LATEST = {"": 100}


class Served:
    """An ingress in this process, and the gateway's way to it."""

    def __init__(self, home: Path) -> None:
        self.home, self.settings = home, home / "run" / "apps.json"
        book = PortBook(home / "ports.json")
        self.port, self.tls_port = book.port_for("apps"), book.port_for("apps-tls")
        self.authority, self.certificate = make_certificates(home, [DOMAIN])
        self.ingress: Ingress
        self.session: aiohttp.ClientSession

    def revision(self, name: str, behaviour: str = "READY", scale: Scale = ONE) -> Revision:
        program = str(Path(__file__).with_name("replica.py"))
        health = Health("http", "/readyz", statuses=(200, 399))
        argv = (sys.executable, program, name, behaviour)
        return Revision(f"notes-reader--{name}", ProcessSpec(name, "server", argv, 0, health, str(ROOT)), scale)

    def wants(self, *revisions: Revision, weights: dict[str, int] = LATEST) -> None:
        """Write the settings, and let a running ingress take them over."""
        apps = written((App("notes-reader", HOST, revisions, weights),))
        values = {
            "home": str(self.home), "port": self.port, "tls_port": self.tls_port,
            "certificate": str(self.certificate), "apps": apps,
        }  # fmt: skip
        write_private(self.settings, json.dumps(values))
        if hasattr(self, "ingress"):
            self.ingress.reload()
            assert self.taken()

    def taken(self) -> bool:
        """Whether the ingress listens and does as the settings say."""
        return is_taken({str(self.settings): self.settings.read_text(encoding="utf-8")})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Served]:
        self.ingress = Ingress(self.settings)
        task = asyncio.create_task(self.ingress.serve())
        tls = ssl.create_default_context(cafile=str(self.authority))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as self.session:
            self.tls = tls
            try:
                await self.until(self.taken)
                yield self
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def call(self, path: str = "/") -> tuple[int, str]:
        """Status and text of one call, as the gateway makes it."""
        url = f"https://127.0.0.1:{self.tls_port}{path}"
        headers = {"Host": HOST}
        async with self.session.get(url, headers=headers, ssl=self.tls, server_hostname=HOST) as answer:
            return answer.status, await answer.text()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110  # what it waits for is other processes' doing
                await asyncio.sleep(0.05)

    def replicas(self) -> dict[str, Any]:
        found: Any = self.ingress.status()["notes-reader"]
        return {
            name: one for name, one in found["replicas"].items() if one["state"] == "healthy" and not one["leaving"]
        }

    async def under_load(self, readers: int, until: Callable[[], object], path: str = "/slow") -> list[tuple[int, str]]:
        """What callers were answered from before something until it holds."""
        done, answers = asyncio.Event(), list[tuple[int, str]]()

        async def reader() -> None:
            while not done.is_set():
                answers.append(await self.call(path))

        callers = [asyncio.create_task(reader()) for _ in range(readers)]
        try:
            await self.until(until)
        finally:
            done.set()
            await asyncio.gather(*callers)
        return answers


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def names(answers: list[tuple[int, str]]) -> Counter[str]:
    return Counter(text.split(" ")[0] for _, text in answers)


def failed(answers: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return [answer for answer in answers if answer[0] != 200]


async def test_another_certificate_is_taken_over_and_no_replica_ends(served: Served) -> None:
    """An ingress that runs shows the renewed one to the next connection, and its replicas stay."""
    served.wants(served.revision("one"))
    async with served.running():
        assert failed([await served.call()]) == []
        before = served.replicas()
        served.authority.unlink()
        make_certificates(served.home, [DOMAIN])
        served.ingress.reload()
        served.tls = ssl.create_default_context(cafile=str(served.authority))  # trusts nothing that was before
        assert failed([await served.call()]) == []
        assert served.replicas().keys() == before.keys()


async def test_a_full_disk_ends_no_ingress(served: Served) -> None:
    """What cannot be written is written later; calls are answered, and replicas that die come back."""
    served.wants(served.revision("one"))
    async with served.running():
        assert failed([await served.call()]) == []
        status = served.home / "run" / "apps.status.json"
        status.unlink()
        status.mkdir()  # nothing can take its place
        (replica,) = served.ingress._apps[HOST].running["notes-reader--one"].replicas
        assert replica.part.status.pid
        os.kill(replica.part.status.pid, signal.SIGKILL)
        await served.until(lambda: replica.part.status.restarts == 1 and replica.ready)
        assert failed([await served.call()]) == []
        status.rmdir()
        await served.until(status.exists)


async def test_replicas_follow_the_calls_and_none_fails(served: Served) -> None:
    """Eight calls at once, two for each replica: four; without calls one again. The first call waits for the first."""
    served.wants(served.revision("one", scale=FOUR))
    async with served.running():
        status, text = await served.call()
        assert (status, text.split(" ")[0], text.split(" ")[2:]) == (200, "one", ["https", HOST])
        answers = await served.under_load(8, lambda: len(served.replicas()) == 4)
        assert failed(answers) == []
        await served.until(lambda: len(served.replicas()) == 1)
        assert failed([await served.call()]) == []


async def test_a_new_revision_takes_over_once_it_is_ready(served: Served) -> None:
    """Under load, and none fails; the one before ends."""
    one, two = served.revision("one"), served.revision("two")
    served.wants(one)
    async with served.running():
        await served.call()
        served.wants(one, two)
        answers = await served.under_load(2, lambda: list(served.replicas()) == ["notes-reader--two.1"], "/")
        answers.append(await served.call())  # the callers may have ended before the new one was asked
        assert failed(answers) == []
        assert set(names(answers)) == {"one", "two"}


@pytest.mark.parametrize("behaviour", ["BROKEN", "DIES"])
async def test_a_bad_revision_gets_no_call(served: Served, behaviour: str) -> None:
    """It is not ready, or ends at once: the platform hears of it, callers do not; the way back is another weight."""
    one, bad = served.revision("one"), served.revision("bad", behaviour)
    served.wants(one)
    async with served.running():
        await served.call()
        served.wants(one, bad)
        complaint = "GET /readyz answers 503" if behaviour == "BROKEN" else "ended with exit code 1"
        answers = await served.under_load(2, lambda: complaint in _complaint(served), "/")
        assert (failed(answers), set(names(answers))) == ([], {"one"})
        assert served.ingress.status()["notes-reader"]["latest"] == "notes-reader--one"  # type: ignore[index]
        served.wants(one, bad, weights={"one": 100, "": 0})
        await served.until(lambda: not _complaint(served))
        assert names([await served.call()]) == {"one": 1}


async def test_weights_share_the_calls(served: Served) -> None:
    """An earlier revision that has a weight runs again; calls go where they can meanwhile."""
    one, two = served.revision("one"), served.revision("two")
    served.wants(one, two)
    async with served.running():
        assert names([await served.call()]) == {"two": 1}
        served.wants(one, two, weights={"one": 50, "": 50})
        answers = await served.under_load(2, lambda: len(served.replicas()) == 2, "/")
        answers += [await served.call() for _ in range(100)]
        assert failed(answers) == []
        assert min(names(answers[-100:])[name] for name in ("one", "two")) > 20
        served.wants(one, two, weights={"one": 100, "": 0})
        assert names([await served.call() for _ in range(20)]) == {"one": 20}


async def test_who_dies_is_replaced(served: Served) -> None:
    """A replica that is killed is started again, and calls go to others or wait."""
    served.wants(served.revision("one", scale=Scale(2, 2, 2, 1, 5)))
    async with served.running():
        await served.until(lambda: len(served.replicas()) == 2)
        (first, *_) = served.ingress.replicas()
        pid = first.part.status.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        answers = await served.under_load(2, lambda: first.part.status.pid not in (pid, None) and first.ready, "/")
        assert len(failed(answers)) <= 2  # those that were on their way to it


async def test_who_leaves_gets_no_new_calls(served: Served) -> None:
    """Though it is healthy: it would end before it answered."""
    served.wants(served.revision("one", scale=Scale(2, 2, 2, 60, 5)))
    async with served.running():
        await served.until(lambda: len(served.replicas()) == 2)
        (first, *_) = served.ingress.replicas()
        first.leaving = True
        answers = [await served.call() for _ in range(20)]
        assert failed(answers) == []
        assert str(first.part.status.pid) not in {text.split(" ")[1] for _, text in answers}


async def test_a_call_under_way_ends_before_its_replica(served: Served) -> None:
    """The app is told to do with fewer, while one answers slowly."""
    served.wants(served.revision("one"))
    async with served.running():
        await served.call()
        (only,) = served.ingress.replicas()
        pid = only.part.status.pid
        assert pid is not None
        slow = asyncio.create_task(served.call("/slow"))
        await served.until(lambda: only.active)
        await only.leave(5)
        status, text = await slow
        assert (status, text.split(" ")[1]) == (200, str(pid))  # that replica's own, and no second try
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_only_the_names_of_apps_are_served(served: Served) -> None:
    """Another name of the domain is nobody's."""
    served.wants(served.revision("one"))
    async with served.running():
        url = f"https://127.0.0.1:{served.tls_port}/"
        other = f"other.{DOMAIN}"
        async with served.session.get(url, headers={"Host": other}, ssl=served.tls, server_hostname=other) as answer:
            assert answer.status == 404


def _complaint(served: Served) -> str:
    return served.ingress.complaints()
