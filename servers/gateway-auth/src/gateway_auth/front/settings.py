"""The settings of a front. All but the gate's and the listener's are set by the platform from the entry's `front`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateway_auth.settings import GateSettings

_MIB = 1024 * 1024

#: One process for all callers of a tier, or one for each caller.
Sessions = Literal["shared", "caller"]
#: As whom the server behind, or a REST API, is called: with a credential of its own, or with a token of the caller's.
Identity = Literal["gateway", "caller"]


class FrontSettings(GateSettings):
    """The environment variable is the field's name in capitals."""

    host: str = "0.0.0.0"  # noqa: S104 - a container does not know its address
    port: int = Field(8000, ge=0, le=65535)
    mcp_server_name: str
    mcp_allowed_hosts: str = ""

    #: Where a server beside the front answers MCP over HTTP, on loopback; empty where the front starts one itself.
    mcp_front_url: str = ""
    mcp_front_identity: Identity = "gateway"
    #: Names of the variables that the server behind gets, comma-separated; of all others it sees nothing.
    mcp_front_environment: str = ""
    #: Hosts that it may call by way of the front's proxy, comma-separated (see egress.py); none, if empty.
    mcp_front_egress: str = ""
    #: Where the server's programs are, before /usr/local/bin, /usr/bin and /bin; colon-separated.
    mcp_front_path: str = ""
    mcp_front_sessions: Sessions = "shared"
    mcp_front_processes: int = Field(16, ge=1, le=256)
    mcp_front_idle_seconds: int = Field(600, ge=300)  # longer than a call may take
    mcp_front_seconds: float = Field(110, gt=0, le=240)
    mcp_front_answer_bytes: int = Field(4 * _MIB, ge=1024, le=64 * _MIB)
    #: A tier for people who may only read: tools that do not say that they only read need a list that names them.
    mcp_front_reads: bool = False
    #: Patterns of tool names, comma-separated, * for any part; None is "not set", which allows all.
    mcp_front_tools_allow: str | None = None
    mcp_front_tools_deny: str = ""
    #: Whether resources and prompts are open beside a list of tools.
    mcp_front_resources: bool = False
    mcp_front_prompts: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(items(self.mcp_front_environment))


def items(text: str) -> list[str]:
    """Return the parts of a comma list, without blanks and without empty ones."""
    return [item.strip() for item in text.split(",") if item.strip()]
