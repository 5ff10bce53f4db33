"""A local Azure control plane for the unmodified Azure CLI: Resource Manager, Microsoft Graph, Key Vault, Azure DevOps.

    python -m emulators.arm --config FILE

It prints `ready arm PORT` when it serves: the port of the proxy that leads Azure's names to it. `endpoints.json` in the
data directory names the proxy, the control port and the certificate authority. SIGTERM and Ctrl-C stop it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from emulators.arm.cloud import Cloud
from emulators.arm.config import Config
from emulators.arm.faults import Faults
from emulators.arm.recorder import Recorder
from emulators.arm.services import registries, storage, vaults
from emulators.arm.web import pki
from emulators.arm.web.azurite import Azurites
from emulators.arm.web.control import Control
from emulators.arm.web.front import HOSTS, SERVICES, Front
from emulators.arm.web.issuer import HOST, Issuer
from emulators.arm.web.proxy import Proxy
from emulators.base import processes, serving
from emulators.base.errors import ListenError

_OF_RESOURCES = {
    ".blob.core.windows.net": storage.TYPE,
    ".vault.azure.net": vaults.TYPE,
    ".azurecr.io": registries.TYPE,
}


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Two servers share this process, so its signals are handled once, in `_serve`."""
        yield


async def serve(config: Config) -> None:
    certificates = pki.create(config.data_dir / "pki")
    cloud, recorder, faults = config.cloud(), Recorder(), Faults()
    azurites = Azurites(
        config.azurite or None, config.data_dir / "azurite", certificates, lambda account: front.cloud.keys[account]
    )
    issuer = Issuer(
        config.issuer_command(),
        config.data_dir / "entra",
        config.trusted_issuers,
        lambda: front.cloud.tenant.document(),
    )
    addresses: dict[int, str] = {}
    front = Front(cloud, issuer, recorder, faults, azurites, addresses)
    await issuer.start()
    try:
        await _serve(config, front, recorder, faults, certificates, addresses)
    finally:
        await azurites.stop()
        await issuer.stop()


async def _serve(
    config: Config, front: Front, recorder: Recorder, faults: Faults, certificates: tuple[Path, Path, Path],
    addresses: dict[int, str],
) -> None:  # fmt: skip
    def reset() -> None:
        front.cloud = config.cloud()

    control = Control(config.control_secret, recorder, faults, lambda: front.cloud, reset).app()
    inner, outer = (serving.listen(config.host, 0, "close what holds so many") for _ in range(2))
    refused = recorder.tunnels_refused.append
    proxy = Proxy(_port(inner), _is_served, lambda host: _exists(front.cloud, host), refused, addresses)
    tunnels = await _proxy(proxy, config)
    servers = [_server(front, certificates), _server(control, None)]
    running = [asyncio.create_task(s.serve([sock])) for s, sock in zip(servers, (inner, outer), strict=True)]
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await asyncio.gather(*(server.accepting.wait() for server in servers))
    _announce(config, tunnels.sockets[0].getsockname()[1], _port(outer), certificates[0])
    await stopping.wait()
    tunnels.close()
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*running)


def _announce(config: Config, proxy: int, control: int, authority: Path) -> None:
    document = {
        "proxy": f"http://{config.host}:{proxy}",
        "control": f"http://{config.host}:{control}",
        "certificate_authority": str(authority),
    }
    (config.data_dir / "endpoints.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    sys.stdout.write(f"ready arm {proxy}\n")
    sys.stdout.flush()


def _server(app: ASGIApp, certificates: tuple[Path, Path, Path] | None) -> _Server:
    _, certificate, key = certificates or (None, None, None)
    settings = serving.config(app, timeout_graceful_shutdown=2, ssl_certfile=certificate, ssl_keyfile=key)
    return _Server(settings)


async def _proxy(proxy: Proxy, config: Config) -> asyncio.Server:
    try:
        return await proxy.serve(config.host, config.port)
    except OSError as error:
        raise ListenError(
            f"port {config.port} on {config.host} is taken ({error.strerror}); give another one, or 0"
        ) from error


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _is_served(host: str) -> bool:
    return host == HOST or any(service.serves(host) for service in SERVICES)


def _exists(cloud: Cloud, host: str) -> bool:
    """Names of accounts, vaults and registries exist with them."""
    ending = next((e for e in _OF_RESOURCES if host.endswith(e)), None)
    return host in HOSTS or (
        ending is not None and cloud.named(_OF_RESOURCES[ending], host.removesuffix(ending)) is not None
    )


def main() -> int:
    return processes.main("python -m emulators.arm", __doc__, Config.load, serve)


if __name__ == "__main__":
    raise SystemExit(main())
