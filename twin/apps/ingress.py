"""The environment's ingress: TLS for every app's name, each call to a ready replica of a revision by weight.

"Ingress in Azure Container Apps" (2023-05-03): HTTP/1.1 over TLS 1.2 or later, the app by its name, 240 seconds for an
answer, X-Forwarded-* for the server.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from aiohttp import web

from emulators.base import live
from emulators.base.files import read_object, write_json
from twin.apps.config import App, Config
from twin.apps.replicas import LOOKS, Deployed, Replica
from twin.errors import RuntimeFailure

ANSWERS_WITHIN = 240.0  # seconds
WAITS = 30.0  # seconds that a call waits for a replica where none is ready, as after a scale to zero
LARGEST_BODY = 64 * 1024 * 1024  # bytes of a request, as large as the gateway's largest
END = 5.0  # seconds that calls have when the platform ends
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding")
)  # RFC 9110, section 7.6.1

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger("twin.apps")


class Ingress:
    """Serves the apps of a settings file, and goes on with another one when it is told to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.config = Config.load(path)
        self._kept = self.config.home / "run" / "apps.ready.json"
        self._ready = {name: str(revision) for name, revision in read_object(self._kept).items()}
        self._apps: dict[str, Deployed] = {}
        self._changed, self._looked = asyncio.Event(), asyncio.Event()
        self._gone: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._tls: ssl.SSLContext | None = None
        self._unwritten: set[Path] = set()
        self._take(self.config.apps)

    def reload(self) -> None:
        """Take over what the file says now; what is wrong with it is logged, and changes nothing."""
        try:
            config = Config.load(self._path)
        except RuntimeFailure as error:
            _log.error("the apps stay as they were: %s", error)
            return
        if self._tls is not None:
            try:
                self._tls.load_cert_chain(config.certificate)  # for connections from now on
            except (OSError, ssl.SSLError) as error:
                _log.error("the apps stay as they were: %s cannot be read (%s)", config.certificate, error)
                return
        self._take(config.apps)
        self.config = config
        live.confirm(self._path, config.text)
        _log.info("%d apps", len(config.apps))

    def _take(self, apps: tuple[App, ...]) -> None:
        logs = self.config.home / "logs"
        for app in apps:
            if app.host in self._apps:
                self._apps[app.host].adopt(app)
            else:
                self._apps[app.host] = Deployed(app, logs, self._changed.set, self._ready.get(app.name, ""))
        for host in self._apps.keys() - {app.host for app in apps}:
            task = asyncio.ensure_future(self._apps.pop(host).stop(END))
            self._gone.add(task)
            task.add_done_callback(self._gone.discard)
        self._look()

    def _look(self) -> None:
        for deployed in self._apps.values():
            deployed.look()
        ready = {deployed.app.name: deployed.last_ready for deployed in self._apps.values()}
        if ready != self._ready and self._write(self._kept, ready):
            self._ready = ready
        self._write(self.config.home / "run" / "apps.status.json", self.status())
        self._looked.set()
        self._looked = asyncio.Event()

    def _write(self, path: Path, value: object) -> bool:
        """Whether it could be written; what could not, as on a full disk, is tried again at the next look."""
        try:
            write_json(path, value)
        except OSError as error:
            if not self._unwritten:
                _log.error("%s cannot be written: %s", path, error)
            self._unwritten.add(path)
            return False
        self._unwritten.discard(path)
        return True

    def status(self) -> dict[str, object]:
        """Revisions and replicas by app: what `invoke status` shows."""
        return {
            deployed.app.name: {
                "latest": deployed.last_ready,
                "weights": {revision.name: weight for revision, weight in deployed.weighted()},
                "replicas": {
                    one.part.spec.name: {"state": one.part.status.state, "calls": one.active, "leaving": one.leaving}
                    for running in deployed.running.values()
                    for one in running.replicas
                },
            }
            for deployed in self._apps.values()
        }

    def replicas(self) -> list[Replica]:
        """Every replica that there is."""
        return [one for d in self._apps.values() for running in d.running.values() for one in running.replicas]

    async def run(self) -> None:
        """Look at the load until cancelled: at once where a replica changes, else every LOOKS seconds."""
        while True:
            try:
                async with asyncio.timeout(LOOKS):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            self._look()

    async def serve(self) -> None:
        """Listen, announce, look after the replicas, until cancelled; then end them."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=4),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        self._tls = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.config.certificate)
        runners = [
            await _site(self.handle, self.config.tls_port, context),
            await _site(self.answer_platform, self.config.port),
        ]
        live.confirm(self._path, self.config.text)
        try:
            await self.run()
        finally:
            for runner in runners:
                await runner.cleanup()
            await asyncio.gather(*(deployed.stop(END) for deployed in self._apps.values()))
            await self._session.close()

    async def answer_platform(self, request: web.Request) -> web.Response:
        """`/alive`: the ingress works. Else: each app serves what was applied; why not is in the reason phrase too."""
        complaints = "" if request.path == "/alive" else self.complaints()
        if not complaints:
            return web.json_response(self.status())
        return web.Response(status=503, reason="".join(c if " " <= c <= "~" else "?" for c in complaints)[:400])

    def complaints(self) -> str:
        """Why not every app serves what was applied; empty where each does."""
        return "; ".join(filter(None, (deployed.complaint() for deployed in self._apps.values())))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call of the gateway."""
        deployed = self._apps.get(request.host.partition(":")[0].lower())
        if deployed is None:
            return web.Response(status=404, text="Container App Unavailable: no app of this environment has that name.")
        body = await request.read()
        for _ in range(2):
            replica = await self._replica(deployed)
            if replica is None:
                break
            with replica.call():
                try:
                    return await self._forward(request, replica, body)
                except aiohttp.ClientConnectorError:  # it ended since it was asked; nothing was sent
                    continue
                except (aiohttp.ClientError, TimeoutError) as error:
                    return web.Response(
                        status=503, text=f"upstream connect error or disconnect ({type(error).__name__})"
                    )
        return web.Response(status=503, text="no healthy upstream")

    async def _replica(self, deployed: Deployed) -> Replica | None:
        """One that is ready; wait a while where there is none, counted as load, so that one starts."""
        replica = deployed.take()
        asked = None if replica else deployed.asked()
        if replica or asked is None:
            return replica
        asked.waiting += 1
        self._changed.set()
        try:
            async with asyncio.timeout(WAITS):
                while (replica := deployed.take()) is None:
                    await self._looked.wait()
        except TimeoutError:
            return None
        finally:
            asked.waiting -= 1
        return replica

    async def _forward(self, request: web.Request, replica: Replica, body: bytes) -> web.StreamResponse:
        assert self._session is not None  # serve() made it
        headers = [(n, v) for n, v in request.headers.items() if n.lower() not in _HOP_BY_HOP]
        headers += [
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-For", request.remote or ""),
            ("X-Forwarded-Host", request.host),
        ]
        async with asyncio.timeout(ANSWERS_WITHIN):
            upstream = await self._session.request(
                request.method,
                f"http://127.0.0.1:{replica.port}{request.raw_path}",
                headers=headers,
                data=body or None,
                allow_redirects=False,
            )
        async with upstream:
            answer = web.StreamResponse(status=upstream.status, reason=upstream.reason)
            for name, value in upstream.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    answer.headers.add(name, value)
            await answer.prepare(request)
            async for part in upstream.content.iter_any():
                await answer.write(part)
            await answer.write_eof()
            return answer


async def _site(handler: Handler, port: int, context: ssl.SSLContext | None = None) -> web.AppRunner:
    application = web.Application(client_max_size=LARGEST_BODY)
    application.router.add_route("*", "/{path:.*}", handler)
    # What comes compressed goes on as it came.
    runner = web.AppRunner(application, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    return runner
