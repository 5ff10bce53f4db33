"""A server's calls out, by a stock client library in a process of its own: allowed, or told that they are not."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gateway_auth.front.egress import Hosts, Proxy

from tests.support.rest_api import RestApi

PYTHON = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())"
NODE = "fetch(process.argv[1]).then(async a => console.log(a.status, await a.text()), e => { throw e })"


def called(hosts: str, *command: str) -> subprocess.CompletedProcess[str]:
    """The command's end, where it knows no other way out than a proxy for these hosts."""

    async def run() -> subprocess.CompletedProcess[str]:
        proxy = Proxy(Hosts(hosts))
        async with proxy.serving():
            # Nothing but loopback can be called here, so it is no exception.
            env = {"PATH": os.environ["PATH"], **proxy.environment, "NO_PROXY": "", "no_proxy": ""}
            ended = await asyncio.create_subprocess_exec(*command, env=env, stdout=-1, stderr=-1)
            out, err = await ended.communicate()
            return subprocess.CompletedProcess(command, ended.returncode or 0, out.decode(), err.decode())

    return asyncio.run(run())


def test_a_host_of_its_entry_is_reached(tmp_path: Path) -> None:
    """Through the proxy, which sends on what it was asked."""
    with RestApi(tmp_path) as api:
        url = f"{api.url}/orders"
        done = called(f"127.0.0.1:{api.port}", sys.executable, "-c", PYTHON, url)
        assert (done.returncode, done.stdout.strip()) == (0, '{"orders": []}'), done.stderr
        refused = called("api.example.com", sys.executable, "-c", PYTHON, url)
        assert refused.returncode != 0
        assert "403" in refused.stderr


def test_tls_is_refused_before_a_connection_is_made() -> None:
    """The reason is what the library shows of a proxy's answer."""
    refused = called("", sys.executable, "-c", PYTHON, "https://api.example.com/")
    assert "Tunnel connection failed: 403 Forbidden" in refused.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js on this machine")
def test_node_heeds_it_where_it_can(tmp_path: Path) -> None:
    """From the version on that knows NODE_USE_ENV_PROXY ("Node.js v24 documentation", CLI); an older one ignores it."""
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    major, minor = (int(part) for part in version.removeprefix("v").split(".")[:2])
    heeds = (major, minor) >= (24, 0) or (major == 22 and minor >= 21)
    with RestApi(tmp_path) as api:
        done = called("", "node", "-e", NODE, f"{api.url}/orders")
    assert ("is not in egress" in done.stdout) is heeds, (version, done.stdout, done.stderr)
