"""Real programs sign in through the whole browser flow: a headless Chromium presses the buttons.

What each does is kept in ops/clients/registrations.py, from which docs/clients.md is generated; here it is held true.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from emulators.base.state import State
from ops.clients import connect
from ops.clients.registrations import REGISTRATIONS, Kind
from tests.conformance.desktop import PEOPLE, Desktop
from tests.conformance.programs import HERE, MODEL_ONLY, PROGRAMS, TOLD_AGAIN, WITHOUT_A_STORE
from tests.support.chromium import Chromium
from tests.support.clocked_platform import clocked
from tests.support.platform_under_test import Platform

HOUR = 3600
PICTURES = Path("results") / "clients"
#: A page of the Inspector draws what it knows a moment after it has loaded.
PATIENCE = 20.0


@pytest.fixture(scope="module")
def entries(platform: Platform) -> dict[str, str]:
    """The name of each entry of mcp_clients, by its id in Entra ID."""
    state = State.load(Path(platform.variables["TWIN_HOME"]) / "run" / "state.json")
    values = {value["name"]: value["value"] for value in state.of_type("azurerm_api_management_named_value")}
    return {value: name.removeprefix("client-") for name, value in values.items() if name.startswith("client-")}


def kind(desktop: Desktop) -> Kind:
    """How the program made itself known: what it sent as its client id says so."""
    (client_id,) = parse_qs(urlsplit(desktop.opened[0]).query)["client_id"]
    return "document" if client_id.startswith("https://") else "registration"


def test_every_program_that_is_said_to_run_runs_here() -> None:
    """The table's word for it, and nothing else than these."""
    said = {name for name, client in REGISTRATIONS.items() if client.way == "real run"}
    assert said >= {*PROGRAMS, "inspector"}
    assert said - {*PROGRAMS, "inspector"} <= {"opencode"}  # its vendor's package is for one processor


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in MODEL_ONLY])
def test_a_reader_signs_in_lists_and_calls(
    name: str, platform: Platform, chromium: Chromium, tmp_path: Path, entries: dict[str, str]
) -> None:
    """With nothing but the endpoint: a browser once, the tools of the tier, and the database's answer."""
    desktop = Desktop(tmp_path / "home", chromium, "reader")
    place = {"database": "platform", "collection": "services"}
    seen = PROGRAMS[name](desktop, platform.endpoint, "count", place)
    assert seen.tools is not None
    assert "count" in seen.tools
    assert "insert-many" not in seen.tools
    assert '"count":' in str(seen.answer)
    assert len(desktop.opened) == 1
    sent = parse_qs(urlsplit(desktop.opened[0]).query)
    client = REGISTRATIONS[name]
    assert kind(desktop) == client.kind
    assert (sent["resource"], sent["code_challenge_method"]) == ([platform.endpoint], ["S256"])
    if client.kind == "registration":
        assert entries[sent["client_id"][0]] == client.entry
    assert ("offline_access" in sent["scope"][0].split()) is client.refreshes


@pytest.mark.parametrize("name", ["codex", "typescript-client"])
def test_an_outsider_signs_in_and_is_told_why_it_ends_there(
    name: str, platform: Platform, chromium: Chromium, tmp_path: Path
) -> None:
    """In the gateway's own words, which name whom to ask; the browser opens once, not again and again."""
    desktop = Desktop(tmp_path / "home", chromium, "outsider")
    with pytest.raises(AssertionError, match="holds no role on this server: ask its owner for"):
        PROGRAMS[name](desktop, platform.endpoint, "whoami", {})
    assert len(desktop.opened) == 1


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in WITHOUT_A_STORE])
async def test_an_administrator_signs_in_and_stays_signed_in(
    name: str, platform: Platform, chromium: Chromium, tmp_path: Path, entries: dict[str, str]
) -> None:
    """And after the hour of the access token: without a browser where the program asked for a refresh token."""
    desktop, client = Desktop(tmp_path / "home", chromium, "admin"), REGISTRATIONS[name]
    async with clocked(platform) as served:
        seen = await asyncio.to_thread(PROGRAMS[name], desktop, served.endpoint, "whoami", {})
        if name not in MODEL_ONLY:
            assert "write" in (seen.tools or ())
            assert "here" in str(seen.answer)
        assert kind(desktop) == client.kind
        (redeemed,) = parse_qs(served.client.forms[-1].decode())["client_id"]
        assert entries[redeemed] == client.entry
        served.clock.move(1.5 * HOUR)
        if name in TOLD_AGAIN:
            with pytest.raises(AssertionError, match="auth required"):
                await asyncio.to_thread(PROGRAMS[name], desktop, served.endpoint, "whoami", {})
            assert served.refreshes() == 0
            return
        await asyncio.to_thread(PROGRAMS[name], desktop, served.endpoint, "whoami", {})
        assert served.refreshes() == (1 if client.refreshes else 0)
        assert len(desktop.opened) == (1 if client.refreshes else 2)


def test_the_inspector_s_page_signs_in_lists_and_calls(platform: Platform, chromium: Chromium, tmp_path: Path) -> None:
    """The first command that `invoke connect --client inspector` prints, to the letter, and then with the mouse."""
    printed = platform.invoke("connect", "--client", "inspector").stdout.splitlines()
    assert printed[0].split() == connect.inspect_in_browser(platform.endpoint)
    assert printed[1].split() == connect.inspect_in_terminal(platform.endpoint)
    desktop = Desktop(tmp_path / "home", chromium, "reader")
    with desktop.started(tuple(printed[0].split()), cwd=HERE) as (process, said):
        wait(lambda: bool(desktop.addresses()) or process.poll() is not None, said)
        chromium.look(width=1280, dark=False)
        chromium.open(desktop.addresses()[0])
        switch = "input[type=checkbox][aria-label^='Connect or disconnect']"
        wait(lambda: bool(chromium.run(f'!!document.querySelector("{switch}")')), chromium.text)
        chromium.run(f'document.querySelector("{switch}").click()')
        wait(lambda: PEOPLE["reader"] in chromium.text(), chromium.text)
        desktop.press_buttons()
        wait(lambda: "Authentication succeeded" in chromium.text(), chromium.text)
        chromium.screenshot(PICTURES / "inspector-signed-in.png")
        press(chromium, "label", "Tools")
        wait(lambda: "list-databases" in chromium.text(), chromium.text)
        assert "insert-many" not in chromium.text()
        press(chromium, "button", "whoami")
        press(chromium, "button", "Execute Tool")
        wait(lambda: '"confirmation_seconds"' in chromium.text(), chromium.text)
        assert '"reader"' in chromium.text()
        chromium.screenshot(PICTURES / "inspector-called.png")


def wait(until: object, said: object) -> None:
    """Until it is true; AssertionError with what is shown then."""
    assert callable(until)
    assert callable(said)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(AssertionError):  # between two documents there is nothing to ask
            if until():
                return
        time.sleep(0.1)
    raise AssertionError(f"not seen within {PATIENCE:g} s; there is:\n{said()}")


def press(chromium: Chromium, selector: str, text: str) -> None:
    """Click within a page that draws itself, once it has the element."""
    found = f"[...document.querySelectorAll('{selector}')].find(e => e.innerText.includes('{text}'))"
    wait(lambda: bool(chromium.run(f"!!({found})")), chromium.text)
    chromium.run(f"{found}.click()")
