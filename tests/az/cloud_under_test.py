"""The stand-in as a process, the real Azure CLI beside it, and a person who signs in."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.az import forked_az

ROOT = Path(__file__).parents[2]
TENANT = "33333333-3333-4333-8333-333333333333"
SUBSCRIPTION = "44444444-4444-4444-8444-444444444444"
OPERATOR = {
    "key": "operator",
    "object_id": "11111111-bbbb-4bbb-8bbb-000000000001",
    "mail": "operator@twin.example",
    "name": "Olga Operator",
    "roles": ["Owner"],
    "directory_roles": ["Privileged Role Administrator", "Application Administrator", "Groups Administrator"],
}
CONTRIBUTOR = {
    "key": "contributor",
    "object_id": "11111111-bbbb-4bbb-8bbb-000000000002",
    "mail": "contributor@twin.example",
    "name": "Carl Contributor",
    "roles": ["Contributor"],
}
PIPELINE = {
    "client_id": "22222222-bbbb-4bbb-8bbb-000000000001",
    "object_id": "22222222-bbbb-4bbb-8bbb-000000000002",
    "name": "pipeline",
    "secret": "only-for-this-run",
    "roles": ["Contributor"],
}
AGENTS = "https://vstoken.dev.azure.com/00000000-0000-4000-8000-00000000000a"
"""The issuer of a pipeline's agent; its key is this run's."""
GITHUB = "https://token.actions.githubusercontent.com"
ORGANISATIONS = [
    {
        "id": AGENTS.rpartition("/")[2],
        "name": "contoso",
        "projects": {"mcp": "55555555-bbbb-4bbb-8bbb-000000000001"},
        "members": [OPERATOR["object_id"]],
        "older": True,
    },
    {
        "id": "55555555-bbbb-4bbb-8bbb-00000000000b",
        "name": "fabrikam",
        "projects": {"Remote tools": "55555555-bbbb-4bbb-8bbb-000000000002"},
        "members": [OPERATOR["object_id"]],
    },
]
"""Of Azure DevOps: one whose agents' tokens it issues itself, one whose agents' tokens Entra ID issues."""
PROVIDERS = ["Microsoft.ManagedIdentity", "Microsoft.Storage", "Microsoft.KeyVault", "Microsoft.ContainerRegistry"]
SECONDS = 600
_CODE = re.compile(r"enter the code ([A-Z0-9]+)")
_UNWANTED = (
    "SSL_CERT_DIR",
    "NO_PROXY",
    "no_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
)


@dataclass
class Result:
    command: str
    status: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.status == 0, f"`{self.command}` ended with {self.status}: {self.err}"
        return json.loads(self.out)


class CloudUnderTest:
    """Starts `python -m emulators.arm`; `az` and `script` run commands against it as an operator would."""

    def __init__(self, home: Path, azurite: str, az: str) -> None:
        self._home, self._az = home, Path(az)
        self.provider_store = home / "cloud.json"
        self._forked: dict[str, subprocess.Popen[str]] = {}
        self.addresses: dict[str, str] = {}  # from where a person or agent calls; nobody's where nothing is said
        self._secret = secrets.token_urlsafe(16)
        self._agent_key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
        config = {
            "data_dir": str(home / "arm"),
            "tenant_id": TENANT,
            "subscription_id": SUBSCRIPTION,
            "control_secret": self._secret,
            "people": [OPERATOR, CONTRIBUTOR],
            "applications": [PIPELINE],
            "trusted_issuers": {
                issuer: {"keys": [self._agent_key.as_dict(private=False)]} for issuer in (AGENTS, GITHUB)
            },
            "registered_providers": PROVIDERS,
            "taken_names": ["sttaken"],
            "azurite": [azurite],
            "members_create": False,  # as in larger companies
            "organisations": ORGANISATIONS,
            "provider_store": str(self.provider_store),
        }
        path = home / "arm.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config), encoding="utf-8")
        self._log = (home / "arm.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "emulators.arm", "--config", str(path)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        assert ready.startswith("ready arm "), f"the stand-in did not start: {(home / 'arm.log').read_text()}"
        self.endpoints = json.loads((home / "arm/endpoints.json").read_text(encoding="utf-8"))
        self.bundle = home / "bundle.pem"
        self.bundle.write_text(
            Path(self.endpoints["certificate_authority"]).read_text(encoding="utf-8"), encoding="utf-8"
        )

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(20) == 0
        self._log.close()
        for server in self._forked.values():
            server.terminate()
            server.wait(20)

    # ---- the tools' environment
    def environment(self, who: str = "operator", *, forked: bool = False) -> dict[str, str]:
        """Production commands and names: only the proxy and the trusted authority are ours.

        `forked`: the same Azure CLI, without the seconds that each start of it takes.
        """
        programs = self._home / f"forked-{who}" if forked else self._az.parent
        own = {
            "HTTPS_PROXY": self._proxy(who),
            "REQUESTS_CA_BUNDLE": str(self.bundle),
            "SSL_CERT_FILE": str(self.bundle),
            "AZURE_CONFIG_DIR": str(self._home / f"azure-{who}"),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_NO_COLOR": "true",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "false",
            "AZURE_CORE_SURVEY_MESSAGE": "false",
            "AZURE_EXTENSION_DYNAMIC_INSTALL": "no",
            "CHECKPOINT_DISABLE": "1",
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        }
        kept = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
        made = {**kept, **own}
        if forked and who not in self._forked:
            self._forked[who] = forked_az.start(programs, self._az, made)
        return made

    def _proxy(self, who: str) -> str:
        address = self.addresses.get(who)
        return self.endpoints["proxy"].replace("http://", f"http://{address}:x@" if address else "http://")

    def az(self, *arguments: str, who: str = "operator") -> Result:
        return self.run(["az", *arguments], who)

    def quick(self, *arguments: str, who: str = "operator") -> Result:
        """`az` by the loaded one: for preparing and looking, where the command itself is not what is proved."""
        return self.run(["az", *arguments], who, forked=True)

    def script(self, text: str, who: str = "operator", **variables: str) -> Result:
        """A documented block, run by bash as a reader would paste it."""
        return self.run(["bash", "-c", text], who, **variables)

    def run(self, command: list[str], who: str = "operator", *, forked: bool = False, **variables: str) -> Result:
        environment = {**self.environment(who, forked=forked), **variables}
        ended = subprocess.run(
            command, env=environment, cwd=self._home, capture_output=True, text=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
        return Result(" ".join(command), ended.returncode, ended.stdout, ended.stderr)

    def sign_in(self, who: str = "operator") -> None:
        """`az login --use-device-code`, while the person enters the code on the issuer's page."""
        process = subprocess.Popen(
            ["az", "login", "--use-device-code", "--tenant", TENANT, "--output", "json"],
            env=self.environment(who), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        said: list[str] = []
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if found := _CODE.search(line):
                Person(self.endpoints["proxy"], self.bundle).enter(found[1], who)
                break
        rest = threading.Thread(target=lambda: said.extend(process.stderr or ()))
        rest.start()
        assert process.wait(SECONDS) == 0, "".join(said)
        rest.join()

    def assertion(self, subject: str, issuer: str = AGENTS) -> str:
        """What an agent of that service connection, or a job of GitHub's, presents in place of a secret."""
        now = int(time.time())
        claims = {"iss": issuer, "sub": subject, "aud": "api://AzureADTokenExchange", "iat": now, "exp": now + 600}
        return jwt.encode({"alg": "RS256", "kid": self._agent_key.kid}, claims, self._agent_key)

    # ---- the control port
    def control(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.endpoints["control"] + path,
            None if body is None else json.dumps(body).encode(),
            {"X-Control": self._secret, "Content-Type": "application/json"},
            method=method,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as answer:
            return json.load(answer)

    def requests(self) -> list[dict[str, Any]]:
        return list(self.control("GET", "/requests")["requests"])

    def refused(self) -> list[str]:
        return list(self.control("GET", "/requests")["refused"])


class Person:
    """Enters a device code and picks an account, on the issuer's own pages, through the proxy."""

    def __init__(self, proxy: str, authority: Path) -> None:
        context = ssl.create_default_context(cafile=str(authority))
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": proxy}), urllib.request.HTTPSHandler(context=context)
        )

    def enter(self, code: str, user: str) -> None:
        page = self._post("/devicelogin", {"user_code": code})
        action = re.search(r'action="([^"]*/login)"', page)
        transaction = re.search(r'name="transaction" value="([^"]+)"', page)
        assert action, page
        assert transaction, page
        done = self._post(action[1], {"transaction": transaction[1], "user": user})
        assert "You have signed in" in done, done

    def _post(self, path: str, form: dict[str, str]) -> str:
        data = urllib.parse.urlencode(form).encode()
        with self._opener.open(f"https://login.microsoftonline.com{path}", data, timeout=20) as answer:
            return str(answer.read().decode())


def program(name: str, remedy: str) -> str:
    """The program's path; without it the session cannot prove anything, so it says what to do."""
    found = shutil.which(name)
    assert found, f"{name} is not on PATH; {remedy}"
    return found
