"""A Docker engine of this run's own, from Debian's `docker.io`: own socket, own data, nothing of the machine's.

Never the engine that may run already: the registry's name leads to this run only for an engine that was started with
this run's proxy and certificate authority.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import docker

TIMEOUT = 60.0


class Engine:
    """`host` is what DOCKER_HOST names. RuntimeError where this machine cannot run one.

    `bridge`: the address of a network of its own, in which containers are, as in an engine that a person has; without,
    there is the machine's network only.
    """

    def __init__(self, home: Path, variables: dict[str, str], bridge: str = "") -> None:
        if os.geteuid() != 0:
            raise RuntimeError("a Docker engine needs root: run `nox -s image` as root, for example in a container")
        if not shutil.which("dockerd"):
            raise RuntimeError("dockerd is not on PATH; `nox -s image` installs Debian's docker.io")
        self._home, self._log = home, home / "dockerd.log"
        home.mkdir(parents=True)
        # A socket's path has at most 104 characters, and containerd appends 30 of its own: not in the run's folder,
        # which lies as deep as the checkout does.
        self._sockets = Path(tempfile.mkdtemp(prefix="engine-", dir="/tmp"))
        self.host = f"unix://{self._sockets}/docker.sock"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "dockerd", "--host", self.host, "--pidfile", str(home / "pid"),
                    "--data-root", str(home / "data"), "--exec-root", str(self._sockets / "exec"),
                    *(("--bip", bridge) if bridge else ("--bridge", "none")), "--iptables=false", "--ip6tables=false",
                    "--ip-forward=false",
                ],
                env={**os.environ, **variables}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            self.client = self._connect()
        except BaseException:
            self.stop()
            raise

    def _connect(self) -> docker.DockerClient:
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"dockerd does not run on this machine; it says: {self._last_words()}")
            try:
                client = docker.DockerClient(base_url=self.host, timeout=300)
                client.ping()
            except docker.errors.DockerException:
                time.sleep(0.2)
            else:
                return client
        raise RuntimeError(f"dockerd did not answer within {TIMEOUT:g} s; it says: {self._last_words()}")

    def _last_words(self) -> str:
        return " | ".join(self._log.read_text(errors="replace").splitlines()[-3:])

    def stop(self) -> None:
        """Ends the engine, and what it left mounted; its data goes with the run's folder."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Host networking's are always left mounted, the data where the engine did not come up.
        for left in (*(self._sockets / "exec" / "netns").glob("*"), self._home / "data"):
            subprocess.run(["umount", str(left)], check=False, capture_output=True)
        shutil.rmtree(self._home / "data", ignore_errors=True)
        shutil.rmtree(self._sockets, ignore_errors=True)
