"""Traces and console of a running platform: whom they serve, and one request from the gateway to the database."""

from __future__ import annotations

import json
import stat
from http.client import BadStatusLine
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.otlp_receiver import Receiver
from tests.support.platform_under_test import Answer, Platform, request

pytestmark = pytest.mark.usefixtures("local_only")


def run_folder(platform: Platform) -> Path:
    return Path(platform.variables["TWIN_HOME"]) / "run"


@pytest.fixture
def console(platform: Platform) -> str:
    return str(platform.status["console"]).rstrip("/")


def called(platform: Platform, **headers: str) -> Answer:
    """A tool call of the reader."""
    answer = platform.call("tools/call", {"name": "list-databases", "arguments": {}}, user="reader", headers=headers)
    assert answer.status == 200, answer.text
    return answer


def trace_of(platform: Platform, answer: Answer) -> dict[str, object]:
    found: dict[str, object] = json.loads(platform.invoke("trace", answer.headers["x-correlation-id"], "--json").stdout)
    return found


def test_the_id_of_an_answer_leads_to_its_trace_and_the_servers_line(platform: Platform, console: str) -> None:
    """One request, by X-Correlation-Id: policies, backend, server. The caller's trace goes on, its token is masked."""
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = called(platform, traceparent=given)
    trace = trace_of(platform, answer)
    token, text = platform.token("reader"), json.dumps(trace)
    assert not [secret for secret in (token, token.rsplit(".", 1)[1], "eyJ") if secret in text]
    summary = trace["summary"]
    assert isinstance(summary, dict)
    assert (summary["tool"], summary["tier"], summary["backend"]) == ("list-databases", "reader", "mongodb-reader-a")
    assert summary["traceparent"].split("-")[1] == given.split("-")[1]
    page = request(f"{console}/requests/{answer.headers['x-correlation-id']}")
    assert page.status == 200
    after = page.text.partition("Server and database")[2]
    assert "aci-mongodb-reader-a" in after
    assert "list-databases" in after


def test_one_trace_from_the_gateway_through_the_server_to_the_database(
    platform: Platform, console: str, receiver: Receiver
) -> None:
    """The gateway's span is the parent of the server's, and that one of the database's; the console names the trace."""
    answer = called(platform)
    _, trace_id, gateway_span, _ = str(trace_of(platform, answer)["summary"]["traceparent"]).split("-")
    spans = receiver.trace(trace_id)
    (call,) = [span for span in spans if span.name == "tools/call list-databases"]
    assert (call.parent, call.service) == (gateway_span, "mongodb")
    commands = [span for span in spans if span.parent == call.id]
    assert "listDatabases admin" in {span.name for span in commands}
    for span in commands:
        assert call.start <= span.start
        assert span.end <= call.end
    assert trace_id in request(f"{console}/requests/{answer.headers['x-correlation-id']}").text


def test_keys_of_traces_and_console_are_in_private_files(platform: Platform) -> None:
    for name in ("trace.json", "console.json", "gateway.json", "secrets.json"):
        assert stat.S_IMODE((run_folder(platform) / name).stat().st_mode) == 0o600, name


def test_traces_are_not_served_by_the_gateways_own_listener(platform: Platform) -> None:
    """And what listens for them answers no HTTP."""
    answer = called(platform)
    identifier = answer.headers["x-correlation-id"]
    for path in ("/trace", f"/trace/{identifier}", "/requests", f"/{identifier}"):
        assert request(platform.gateway + path).status == 404
    port = json.loads((run_folder(platform) / "trace.json").read_text())["port"]
    with pytest.raises(BadStatusLine, match="not a question"):
        request(f"http://127.0.0.1:{port}/")


def test_the_console_opens_with_its_key_only(platform: Platform, console: str) -> None:
    """And for nobody who names this machine otherwise, or comes from another page."""
    parts = urlsplit(console)
    origin = f"http://{parts.netloc}"
    assert request(f"{console}/").status == 200
    assert request(f"{origin}/").status == 403
    assert request(f"{origin}/{'x' * 43}/").status == 403
    assert request(f"{console}/", headers={"Host": "evil.example"}).status == 421
    form = urlencode({"as": "admin", "server": "mongodb", "tool": "whoami"}).encode()
    for foreign in ({}, {"Origin": "https://evil.example"}, {"Origin": platform.gateway}):
        assert request(f"{console}/call", form, foreign).status == 403
    assert request(f"{console}/call", form, {"Origin": origin}).status == 200


def test_the_console_says_nothing_of_its_key_in_its_log(platform: Platform, console: str) -> None:
    request(f"{console}/directory")
    key = urlsplit(console).path.strip("/")
    log = run_folder(platform).parent / "logs" / "console.log"
    assert key not in log.read_text(encoding="utf-8")
