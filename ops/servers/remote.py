"""A server elsewhere, by its address: what its entry says, and which of its tools say that they only read."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ops.config import tfvars
from ops.errors import UsageError

# As `remote.url` of terraform/shared/variables-servers.tf has it.
_URL = re.compile(r"https://[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z][a-z0-9-]*[a-z0-9](:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?")
_LOCAL_URL = re.compile(r"http://127[.]0[.]0[.]1:[0-9]{1,5}(/[A-Za-z0-9._~-]+)*/?")
_CREDENTIAL = re.compile(
    r"(?P<header>[A-Za-z][A-Za-z0-9-]{0,63})=((?P<scheme>[A-Za-z][A-Za-z0-9-]{0,31}) )?(?P<secret>[0-9A-Za-z-]{1,127})"
)
_TOOL = re.compile(r"[A-Za-z0-9_./-]{1,128}")
_SECONDS = 15.0


@dataclass(frozen=True)
class Remote:
    """`secret` is the name of a Key Vault secret that the gateway sends in `header`; both empty where it sends none."""

    url: str
    header: str = ""
    scheme: str = ""
    secret: str = ""

    @classmethod
    def parse(cls, url: str, headers: Sequence[str], *, local: bool) -> Remote:
        """Return what is asked for; UsageError for an address or a header that Terraform would refuse.

        On the `local` platform a server on this machine may play one elsewhere.
        """
        if not _URL.fullmatch(url) and not (local and _LOCAL_URL.fullmatch(url)):
            raise UsageError(
                f"--remote {url!r} must be https://, a host name in lower case, and a path without query, such as "
                "https://mcp.example.com/mcp" + ("; or http://127.0.0.1:PORT/path on this machine" if local else "")
            )
        if len(headers) > 1:
            raise UsageError("a server elsewhere is sent one credential; give --header once")
        if not headers:
            return cls(url)
        found = _CREDENTIAL.fullmatch(headers[0])
        if not found:
            raise UsageError(
                f"--header {headers[0]!r} must be NAME=SECRET with --remote, where SECRET is the name of a Key Vault "
                "secret: Authorization=vendor-key (sent as a Bearer token), 'Authorization=Basic vendor-key' or "
                "X-Api-Key=vendor-key"
            )
        header, scheme = found["header"], found["scheme"] or ""
        return cls(url, header, scheme or ("Bearer" if header.lower() == "authorization" else ""), found["secret"])

    def as_entry(self) -> dict[str, object]:
        """Return `remote` of the entry as it is read."""
        if not self.secret:
            return {"url": self.url}
        scheme = {"scheme": self.scheme} if self.scheme else {}
        return {"url": self.url, "credential": {"header": self.header, **scheme, "secret": self.secret}}

    def entry_text(
        self, name: str, tiers: Mapping[str, str], reads: Collection[str], reading: Sequence[str], scope: str = ""
    ) -> str:
        """Return the entry as it stands in mcp_servers; of `tiers` (the role of each) those whose role `reads` get the
        tools that only read. `scope`: what its callers' tokens are exchanged for, where it acts as them.
        """
        lines = [f"  {name} = {{", "    remote = {", f"      url = {json.dumps(self.url)}"]
        if self.secret:
            scheme = f", scheme = {json.dumps(self.scheme)}" if self.scheme else ""
            credential = f"header = {json.dumps(self.header)}{scheme}, secret = {json.dumps(self.secret)}"
            lines.append(f"      credential = {{ {credential} }}")
        lines += ["    }", *(f"    {line}" for line in caller_lines(scope)), "    tiers = {"]
        for tier, role in tiers.items():
            if role in reads:
                lines += [f"      {tier} = {{", f'        role = "{role}"']
                lines += [f"        tools = {{ allow = {json.dumps(list(reading))} }}", "      }"]
            else:
                lines.append(f'      {tier} = {{ role = "{role}" }}')
        return tfvars.aligned("\n".join([*lines, "    }", "  }", ""]))

    def reading_tools(self, value: str = "") -> tuple[list[str], str]:
        """Ask the server for its tools; return those that say that they only read, and why there was no answer.

        `value`: that of the credential's secret, where it is known here.
        """
        sent = {self.header: f"{self.scheme} {value}".strip()} if self.secret else {}
        try:
            return asyncio.run(_reading(self.url, sent)), ""
        except Exception as error:  # noqa: BLE001 - whatever an address somewhere answers
            found: BaseException = error
            while isinstance(found, BaseExceptionGroup):
                found = found.exceptions[0]
            return [], " ".join(str(found).split()).rstrip(".") or type(found).__name__


def caller_lines(scope: str) -> list[str]:
    """Return the lines of an entry whose server acts as its callers; none where it acts as itself."""
    return ['identity = "caller"', f"downstream = {{ scope = {json.dumps(scope)} }}"] if scope else []


async def _reading(url: str, headers: dict[str, str]) -> list[str]:
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    local = bool(_LOCAL_URL.fullmatch(url))
    async with asyncio.timeout(_SECONDS):
        async with (
            httpx2.AsyncClient(headers=headers, timeout=_SECONDS, trust_env=not local) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            tools = (await client.list_tools()).tools
    reading = [tool.name for tool in tools if tool.annotations and tool.annotations.read_only_hint]
    return sorted(name for name in reading if _TOOL.fullmatch(name))
