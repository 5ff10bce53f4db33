"""A registry under its production name: Debian's docker-registry keeps the images, the control plane signs people in.

    az, docker, dockerd ── CONNECT <name>.azurecr.io ── Tunnels ── Front (TLS) ─┬─ /v2/…     docker-registry
                                └─ every other name ── the control plane's proxy └─ /oauth2/… the control plane

docker-registry lets nobody in without a token signed by this run's key. `Front` signs one only for a refresh token that
the control plane accepts, which it gives to people with a role on the registry.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

ISSUER = "the run's registry"
SECONDS = 300  # a token's life
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "host", "proxy-authorization"})
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Registry:
    """`proxy` is for everybody's HTTPS_PROXY; `sign_ins` counts the tokens that were signed."""

    def __init__(self, home: Path, name: str, pki: Path, upstream_proxy: str) -> None:
        home.mkdir(parents=True)
        self.host = f"{name}.azurecr.io"
        self._pki, self._upstream = pki, upstream_proxy
        self._key, self._certificate = _signer(home / "signer.pem")
        self._store_port, self._front_port, self._proxy_port = (_free_port() for _ in range(3))
        self.proxy = f"http://127.0.0.1:{self._proxy_port}"
        self.sign_ins: list[str] = []
        self._store = self._start_store(home)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        for port in (self._store_port, self._front_port, self._proxy_port):
            _await_port(port)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        self._store.terminate()
        self._store.wait(20)

    def _start_store(self, home: Path) -> subprocess.Popen[bytes]:
        program = shutil.which("docker-registry")
        if not program:
            raise RuntimeError("docker-registry is not on PATH; `nox -s image` installs Debian's")
        token = {
            "realm": f"https://{self.host}/oauth2/token",
            "service": self.host,
            "issuer": ISSUER,
            "rootcertbundle": str(home / "signer.pem"),
        }
        config = {
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": str(home / "store")}},
            "http": {
                "addr": f"127.0.0.1:{self._store_port}",
                "host": f"https://{self.host}",
                "secret": os.urandom(8).hex(),
            },
            "auth": {"token": token},
        }
        path = home / "config.yml"
        path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        with (home / "docker-registry.log").open("wb") as log:
            return subprocess.Popen([program, "serve", str(path)], stdout=log, stderr=log)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        routes = [
            Route("/oauth2/token", self._token, methods=["GET", "POST"]),
            Route("/oauth2/exchange", self._exchange, methods=["POST"]),
            Route("/{path:path}", self._stored, methods=_METHODS),
        ]
        front = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=routes),
                port=self._front_port,
                log_config=None,
                lifespan="off",
                http="h11",
                ssl_certfile=self._pki / "leaf.pem",
                ssl_keyfile=self._pki / "leaf.key",
                timeout_graceful_shutdown=1,
            )
        )
        front.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not in the main thread
        tunnels = await asyncio.start_server(self._tunnel, "127.0.0.1", self._proxy_port)
        async with aiohttp.ClientSession(auto_decompress=False, trust_env=False) as self._client:
            serving = asyncio.create_task(front.serve())
            await self._stopping.wait()
            tunnels.close()
            front.should_exit = True
            await serving

    # ---- what the registry's name answers
    async def _exchange(self, request: Request) -> Response:
        return await self._ask("/oauth2/exchange", dict(urllib.parse.parse_qsl((await request.body()).decode())))

    async def _token(self, request: Request) -> Response:
        """By POST with a refresh token, or by GET with it as a password ("Distribution: token authentication")."""
        given = dict(urllib.parse.parse_qsl((await request.body()).decode())) or dict(request.query_params)
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            given["refresh_token"] = base64.b64decode(credentials).decode().partition(":")[2]
        asked = {"grant_type": "refresh_token", "service": self.host, "scope": given.get("scope", "")}
        answer = await self._ask("/oauth2/token", {**asked, "refresh_token": given.get("refresh_token", "")})
        if answer.status_code != 200:
            return answer
        scopes = request.query_params.getlist("scope") or given.get("scope", "").split()
        token = self._signed(scopes)
        self.sign_ins.append(" ".join(scopes))
        return JSONResponse({"token": token, "access_token": token, "expires_in": SECONDS})

    async def _ask(self, path: str, form: dict[str, str]) -> Response:
        """The control plane's own answer."""
        trust = ssl.create_default_context(cafile=str(self._pki / "ca.pem"))
        url = f"https://{self.host}{path}"
        async with self._client.post(url, data=form, proxy=self._upstream, ssl=trust) as answer:
            return Response(await answer.read(), answer.status, media_type="application/json")

    def _signed(self, scopes: list[str]) -> str:
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        claims = {
            "iss": ISSUER, "sub": "", "aud": self.host, "iat": now, "nbf": now - 10, "exp": now + SECONDS,
            "jti": os.urandom(8).hex(), "access": access,
        }  # fmt: skip
        der = base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode()
        return jwt.encode({"alg": "RS256", "typ": "JWT", "x5c": [der]}, claims, self._key)

    async def _stored(self, request: Request) -> Response:
        """docker-registry's own answer, as it comes."""
        query = f"?{request.url.query}" if request.url.query else ""
        url = f"http://127.0.0.1:{self._store_port}{request.url.path}{query}"
        sent = {k: v for k, v in request.headers.items() if k not in _HOP}
        body: Any = request.stream() if request.method in ("POST", "PUT", "PATCH") else None
        answer = await self._client.request(
            request.method, url, data=body, headers={**sent, "Host": self.host}, allow_redirects=False
        )
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP}

        async def content() -> AsyncIterator[bytes]:
            async for chunk in answer.content.iter_chunked(1 << 16):
                yield chunk
            answer.release()

        return StreamingResponse(content(), answer.status, kept)

    # ---- the way there
    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            ours = head.split(b" ", 2)[1] == f"{self.host}:443".encode()
            upstream = urllib.parse.urlsplit(self._upstream)
            port = self._front_port if ours else int(upstream.port or 0)
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            if ours:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                inner_writer.write(head)
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # one side hung up; the other is closed below
    finally:
        writer.close()


def _signer(path: Path) -> tuple[RSAKey, x509.Certificate]:
    """A key that is this run's only, and the certificate by which docker-registry knows it."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return RSAKey.import_key(pem), certificate


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on port {port} of the local registry")
