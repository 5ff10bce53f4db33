"""Who may use the console, and what every answer carries."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.base.markup import h, join
from twin.console.guard import HEADERS, MAX_BODY, Guard

KEY = "a-key-of-this-home-only"
HOST = "127.0.0.1:8082"


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(scope["root_path"]).encode()})


async def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    given = {"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
    encoded = [(name.encode(), value.encode()) for name, value in given.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": encoded}
    await Guard(inner, KEY, 8082)(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, sent[1]["body"].decode()


async def test_the_address_opens_the_console() -> None:
    assert (await ask(f"/{KEY}/"))[::2] == (200, f"/{KEY}")


@pytest.mark.parametrize("path", ["/", "/wrong/", f"/{KEY[:-1]}/", f"/x/{KEY}/", "", f"//{KEY}/"])
async def test_without_the_key_nothing_opens(path: str) -> None:
    """What is said does not help to guess it."""
    status, _, text = await ask(path)
    assert (status, KEY in text) == (403, False)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8082", "127.0.0.1:9999", "127.0.0.1", ""])
async def test_other_names_of_this_machine_are_refused(host: str) -> None:
    """DNS rebinding: a page of another name that resolves to this machine."""
    assert (await ask(f"/{KEY}/", host=host))[0] == 421


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9999", "https://evil.example", "null", "http://localhost:8082"])
async def test_forms_of_other_pages_are_refused(origin: str) -> None:
    """Even of another port of this machine."""
    assert (await ask(f"/{KEY}/call", "POST", origin=origin))[0] == 403


async def test_a_form_without_origin_is_refused() -> None:
    assert (await ask(f"/{KEY}/call", "POST"))[0] == 403


async def test_its_own_forms_are_taken() -> None:
    assert (await ask(f"/{KEY}/call", "POST", origin=f"http://{HOST}"))[0] == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_links_of_other_pages_are_refused(site: str) -> None:
    assert (await ask(f"/{KEY}/call", sec_fetch_site=site))[0] == 403


@pytest.mark.parametrize(
    "headers", [{"content_length": str(MAX_BODY + 1)}, {"content_length": "x"}, {"transfer_encoding": "chunked"}]
)
async def test_bodies_are_bounded(headers: dict[str, str]) -> None:
    assert (await ask(f"/{KEY}/call", "POST", origin=f"http://{HOST}", **headers))[0] == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_other_methods_are_refused(method: str) -> None:
    assert (await ask(f"/{KEY}/", method))[0] == 405


async def test_health_needs_no_key_and_says_nothing() -> None:
    assert (await ask("/healthz"))[::2] == (200, "ok")


@pytest.mark.parametrize("path", [f"/{KEY}/", "/wrong/", "/healthz"])
async def test_every_answer_forbids_scripts_frames_and_caches(path: str) -> None:
    headers = (await ask(path))[1]
    assert {name: headers[name.lower()] for name in HEADERS} == HEADERS
    assert "script-src" not in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]


def test_text_is_escaped_and_markup_is_not_escaped_twice() -> None:
    found = h("p", "<b>", h("i", "a&b"), ["x", None, 3], class_="q", title='"quoted"', hidden=False)
    assert found == '<p class="q" title="&quot;quoted&quot;">&lt;b&gt;<i>a&amp;b</i>x3</p>'
    assert join(found, "<") == f"{found}&lt;"
