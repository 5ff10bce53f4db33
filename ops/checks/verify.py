"""`invoke verify`: what no code can prove, tried on the deployed platform.

Each check passes, fails, or says why it was not run. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from emulators.base.errors import EmulatorError
from ops.checks import azure_probes, probes
from ops.checks.probes import NotRun, Target
from ops.cli import output
from ops.clients import outputs
from ops.config.environment import Environment
from ops.errors import OpsError, SmokeError

Verdict = Literal["pass", "fail", "not run"]
Probe = Callable[[Target], str]


@dataclass(frozen=True)
class Check:
    """`claim` holds where `run` returns; it raises SmokeError where it does not, and NotRun where it cannot tell."""

    name: str
    claim: str
    run: Probe


@dataclass(frozen=True)
class Finding:
    name: str
    claim: str
    verdict: Verdict
    text: str


CHECKS: tuple[Check, ...] = (
    Check(
        "challenge",
        "a call without a token gets 401, an absolute resource_metadata and the full scope",
        probes.challenge,
    ),
    Check("metadata", "the metadata's resource is the endpoint, letter by letter", probes.metadata),
    Check("issuer", "the authorization server's issuer is authorization_servers[0], letter by letter", probes.issuer),
    Check("pkce", "S256 is advertised", probes.pkce),
    Check("resource", "an unknown resource is refused, and redirected nowhere", probes.unknown_resource),
    Check("redirect", "an unknown redirect URI is registered for nobody", probes.unknown_redirect),
    Check("authority", "Entra's own issuer is the one that tokens are checked against", probes.authority),
    Check("garbage", "a token that nobody signed gets 401", probes.garbage),
    Check("admin", "an administrator sees tools that write", probes.admin),
    Check("reader", "a reader calls, and sees no tool that writes", probes.reader),
    Check("stranger", "somebody without a role gets 403", probes.stranger),
    Check("preflight", "a browser's pre-flight from an allowed origin is answered", probes.preflight),
    Check("registry", "the MCP registry lists every server, and finds each by its encoded name", probes.registry),
    Check("software", "answers do not say which software made them", probes.software),
    Check(
        "document-redirect",
        "a redirect is not followed when a client's metadata document is fetched",
        probes.document_redirect,
    ),
    Check(
        "document-certificate",
        "a bad certificate is not taken when a client's metadata document is fetched",
        probes.document_certificate,
    ),
    Check(
        "exchange",
        "the gateway exchanges a person's token, with its own identity in place of a secret",
        probes.exchange,
    ),
    Check("consent", "openid, profile and offline_access are consented to for everybody", azure_probes.consent),
    Check("groups", "every container group runs", azure_probes.groups),
    Check("addresses", "every slot's DNS record holds its container group's address", azure_probes.addresses),
    Check("gateway-address", "an internal gateway's DNS record holds its address", azure_probes.gateway_address),
    Check("database", "the database has no public address", azure_probes.database),
    Check("keyless", "DocumentDB takes tokens of Entra ID, and nothing else", azure_probes.keyless),
    Check("database-users", "the job that makes users of DocumentDB has succeeded", azure_probes.users_job),
    Check("vault", "the vault answers nobody outside its network rules", azure_probes.vault),
    Check("policies", "policies come back from API Management as they are written", azure_probes.policies),
    Check("retries", "a call whose connection failed is answered by another slot", azure_probes.retries),
    Check("breakers", "every slot has its circuit breaker", azure_probes.breakers),
    Check("container-logs", "what the servers print arrives in the workspace", azure_probes.container_logs),
    Check("gateway-role", "the gateway's identity holds Gateway.Invoke", azure_probes.gateway_role),
)


def report(environment: Environment, *, as_json: bool = False) -> None:
    """Print every finding; SmokeError (exit code 1) where one fails."""
    target = Target(environment, outputs.deployed(environment))
    found = findings(target, CHECKS)
    if as_json:
        checks = [asdict(finding) for finding in found]
        output.data_json({"env": environment.name, "ok": not _failed(found), "checks": checks})
    else:
        output.findings([(f.verdict, f.name, f.claim, f.text) for f in found])
    failed = _failed(found)
    if failed:
        raise SmokeError(f"{len(failed)} of {len(found)} checks failed: {', '.join(failed)}")


def findings(target: Target, checks: Sequence[Check]) -> list[Finding]:
    return [_finding(target, check) for check in checks]


def _finding(target: Target, check: Check) -> Finding:
    try:
        return Finding(check.name, check.claim, "pass", check.run(target))
    except NotRun as reason:
        return Finding(check.name, check.claim, "not run", str(reason))
    except (OpsError, EmulatorError) as error:
        return Finding(check.name, check.claim, "fail", str(error))


def _failed(found: Sequence[Finding]) -> list[str]:
    return [finding.name for finding in found if finding.verdict == "fail"]
