"""The platform that the integration tests call, reached only through the commands that a person has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.source_address import FromOwnAddress

ROOT = Path(__file__).parents[2]
TIMEOUT = 60


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Platform:
    """One environment; `variables` go to every command (a home of its own, changed Terraform, free ports).

    `root`: the checkout whose tasks are run.
    """

    env: str = "local"
    variables: dict[str, str] = field(default_factory=dict)
    root: Path = ROOT
    _tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The same database on every machine, unless whoever runs the tests says otherwise; policy traces, which cost a
        # gateway several times its own work, only where a test reads them.
        self.variables = {"MCP_MONGO": os.environ.get("MCP_MONGO", "twin"), "MCP_TRACE": "0", **self.variables}

    def invoke(self, *arguments: str, check: bool = True, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Runs `invoke …` as a person would; with `check`, a failure shows what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *arguments, *([] if "--env" in arguments else ["--env", self.env])],
            cwd=self.root,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"invoke {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done

    @cached_property
    def status(self) -> dict[str, Any]:
        return self.status_now()

    def status_now(self) -> dict[str, Any]:
        """As `status`, asked again."""
        found: dict[str, Any] = json.loads(self.invoke("status", "--json").stdout)
        return found

    @cached_property
    def mongodb_uri(self) -> str:
        """The local database's address with its key."""
        return str(json.loads(self.invoke("status", "--json", "--secrets").stdout)["mongodb_uri"])

    @property
    def endpoint(self) -> str:
        return str(self.status["endpoint"])

    @property
    def gateway(self) -> str:
        return str(self.status["gateway"])

    def token(self, user: str) -> str:
        if user not in self._tokens:
            self._tokens[user] = self.invoke("token", "--as", user).stdout.strip()
        return self._tokens[user]

    def forget_tokens(self) -> None:
        """The next call of each person brings a token that is issued then."""
        self._tokens.clear()

    def call(self, method: str, params: dict[str, Any] | None = None, **options: Any) -> Answer:
        """One JSON-RPC request to the endpoint, on the 2025-11-25 protocol unless headers say otherwise."""
        message = {"jsonrpc": "2.0", "id": options.pop("id", 7), "method": method, "params": params or {}}
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
            **options.pop("headers", {}),
        }
        if user := options.pop("user", None):
            headers["Authorization"] = f"Bearer {self.token(user)}"
        url = options.pop("url", self.endpoint)
        assert not options, options
        return request(url, json.dumps(message).encode(), headers)


def request(
    url: str, body: bytes | None = None, headers: dict[str, str] | None = None, method: str | None = None
) -> Answer:
    """One HTTP request that follows nothing; every status is an answer, but a limit (429) is waited out once."""
    answer = _request(url, body, headers, method)
    if answer.status == 429 and answer.headers.get("retry-after", "").isdecimal():
        time.sleep(int(answer.headers["retry-after"]))
        answer = _request(url, body, headers, method)
    return answer


def _request(url: str, body: bytes | None, headers: dict[str, str] | None, method: str | None) -> Answer:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects(), FromOwnAddress())
    try:
        answer = opener.open(urllib.request.Request(url, body, headers or {}, method=method), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None
