"""The commands as processes: what they say when they are ready, and how they end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from emulators.apim.tests.harness import applied, policies
from emulators.apim.tests.sockets.conftest import Backend
from emulators.base import live

ROOT = Path(__file__).parents[4]


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulators.apim", *arguments, cwd=ROOT, stdout=pipe, stderr=pipe
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def first_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()


async def get(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    received = await asyncio.wait_for(reader.read(-1), 10)
    writer.close()
    return received


async def test_serve_tells_its_address_traces_and_stops(tmp_path: Path, backend: Backend) -> None:
    """Ctrl-C ends it with status 0 and no traceback; secrets are in no trace."""
    policy, secrets = tmp_path / "policy.xml", tmp_path / "secrets.json"
    policy.write_text(policies('<set-header name="X-A"><value>{{key}}</value></set-header>', "<forward-request/>"))
    secrets.write_text('{"key": "s3cret-value"}')
    given = ["--policy", str(policy), "--backend", f"http://127.0.0.1:{backend.port}", "--named-values", str(secrets)]
    async with started("serve", *given, "--port", "0", "--trace") as process:
        ready = await first_line(process)
        address, _, rest = (await first_line(process)).partition(" ")
        assert ready == f"ready gateway {address.rpartition(':')[2]}"
        assert rest == f"runs {policy} in front of http://127.0.0.1:{backend.port} (Ctrl-C stops)"
        assert (await get(int(address.rpartition(":")[2]), "/any/path")).endswith(b"fine")
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, err) == (0, b"")
    shown = out.decode()
    assert shown.startswith("GET /any/path 200 ")
    assert "set-header X-A (line 1)" in shown
    assert "s3cret" not in shown
    assert "X-A: s3cret-value" in backend.head


async def test_run_says_that_it_is_ready_and_stops(tmp_path: Path, backend: Backend) -> None:
    """As a platform's supervisor starts it, with the bare flag; SIGTERM ends it with status 0."""
    state, config = tmp_path / "state.json", tmp_path / "gateway.json"
    applied(policies()).dump(state)
    settings = {"state": str(state), "port": 0, "resolve": {"backend.test:80": f"127.0.0.1:{backend.port}"}}
    traces = {"file": str(tmp_path / "trace.json"), "key": "a-key-of-this-home-only"}
    config.write_text(json.dumps({**settings, "trace": traces}))
    async with started("--config", str(config)) as process:
        ready, name, port = (await first_line(process)).split()
        assert (ready, name) == ("ready", "gateway")
        assert b" 200 " in await get(int(port), "/status-0123456789abcdef")
        assert (await get(int(port), "/a/op")).endswith(b"fine")
        assert json.loads((tmp_path / "trace.json").read_text())["key"] == traces["key"]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_names_are_read_again_on_sighup(tmp_path: Path, backend: Backend) -> None:
    """A backend that got another address is reached at once, and a broken file changes nothing."""
    state, names, config = (tmp_path / f"{name}.json" for name in ("state", "names", "gateway"))
    applied(policies()).dump(state)
    names.write_text("{}")
    config.write_text(json.dumps({"state": str(state), "port": 0, "resolve_file": str(names)}))
    async with started("--config", str(config)) as process:
        port = int((await first_line(process)).split()[2])
        assert b" 500 " in await get(port, "/a/op")
        text = json.dumps({"backend.test:80": f"127.0.0.1:{backend.port}"})
        for content, says in ((text, b"fine"), ("[1]", b"fine"), ("{}", b"Internal server error")):
            names.write_text(content)
            process.send_signal(signal.SIGHUP)
            for _ in range(1000):
                if content == "[1]" or live.is_taken({str(names): content}):
                    break
                await asyncio.sleep(0.01)
            assert says in await get(port, "/a/op")


async def test_a_port_that_is_taken_is_said(tmp_path: Path, backend: Backend) -> None:
    """One sentence with the remedy, and status 2."""
    policy = tmp_path / "policy.xml"
    policy.write_text(policies())
    given = ["--policy", str(policy), "--backend", "http://127.0.0.1:9", "--port", str(backend.port)]
    async with started("serve", *given) as process:
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert err.decode().startswith(f"port {backend.port} on 127.0.0.1 is taken")
    assert err.decode().endswith("give another one with --port, or 0 for a free one\n")
