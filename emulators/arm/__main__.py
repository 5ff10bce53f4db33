"""`python -m emulators.arm --config FILE`: prints `ready arm PORT` (the proxy's); SIGTERM stops.

`endpoints.json` in the data directory names the proxy, the control port and the certificate authority.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
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
from emulators.arm.web.front import ENTRA, HOSTS, SERVICES, Front
from emulators.arm.web.proxy import Proxy
from emulators.base import serving
from emulators.base.errors import RuntimeFailure, TwinError
from emulators.entra.app import create_app
from emulators.entra.issuer import Issuer
from emulators.entra.keys import KeyRing

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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emulators.arm")
    parser.add_argument("--config", type=Path, required=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_serve(Config.load(parser.parse_args().config)))
    except TwinError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(config: Config) -> None:
    certificates = pki.create(config.data_dir / "pki")
    cloud, recorder, faults = config.cloud(), Recorder(), Faults()
    issuer = Issuer(
        f"https://{ENTRA}",
        cloud.tenant.entra(),
        KeyRing.open(config.data_dir / "entra"),
        trusted_issuers=config.trusted_issuers,
    )
    azurites = Azurites(
        config.azurite or None, config.data_dir / "azurite", certificates, lambda account: front.cloud.keys[account]
    )
    front = Front(cloud, issuer, create_app(issuer), recorder, faults, azurites)

    def reset() -> None:
        front.cloud = config.cloud()

    control = Control(config.control_secret, recorder, faults, lambda: front.cloud, reset).app()
    inner, outer = (serving.listen(config.host, 0, "close something") for _ in range(2))
    servers = [_server(front, certificates), _server(control, None)]
    running = [asyncio.create_task(s.serve([sock])) for s, sock in zip(servers, (inner, outer), strict=True)]
    proxy = Proxy(_port(inner), _is_served, lambda host: _exists(front.cloud, host), recorder.tunnels_refused.append)
    tunnels = await _proxy(proxy, config)
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
    await azurites.stop()


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
        raise RuntimeFailure(
            f"port {config.port} on {config.host} is taken ({error.strerror}); give another one, or 0"
        ) from error


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _is_served(host: str) -> bool:
    return host == ENTRA or any(service.serves(host) for service in SERVICES)


def _exists(cloud: Cloud, host: str) -> bool:
    """Names of accounts, vaults and registries exist with them."""
    ending = next((e for e in _OF_RESOURCES if host.endswith(e)), None)
    return host in HOSTS or (
        ending is not None and cloud.named(_OF_RESOURCES[ending], host.removesuffix(ending)) is not None
    )


if __name__ == "__main__":
    raise SystemExit(main())
