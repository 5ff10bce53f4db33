"""The console as a person uses it: sign in, call a tool, read its trace; looked at in light and dark, narrow and wide.

Screenshots go to results/browser/, for somebody to look at.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.looks import look_at
from tests.support.chromium import Chromium
from tests.support.platform_under_test import Platform

#: What assistive technology needs of a page.
STRUCTURE = """
(() => ({
  lang: document.documentElement.lang,
  headings: document.querySelectorAll('h1').length,
  landmarks: ['header', 'nav', 'main', 'footer'].filter(n => document.querySelector(n)).length,
  scripts: document.querySelectorAll('script').length,
  unlabelled: [...document.querySelectorAll('input:not([type=hidden]), textarea, select')]
    .filter(e => !e.labels.length).length,
  nameless: [...document.querySelectorAll('a, button')].filter(e => !(e.innerText || '').trim()).length,
  current: document.querySelectorAll('header nav a[aria-current=page]').length,
  skipped: [...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])
    .some((level, at, all) => at > 0 && level > all[at - 1] + 1),
}))()
"""
SOUND = {"lang": "en", "headings": 1, "landmarks": 4, "scripts": 0, "unlabelled": 0, "nameless": 0, "current": 1}


def inspect(browser: Chromium, name: str) -> None:
    """Both widths, both colour schemes: a picture each, enough contrast, and nothing that sticks out."""
    assert browser.run(STRUCTURE) == {**SOUND, "skipped": False}
    look_at(browser, name)


def call(browser: Chromium, console: str, person: str, tool: str, arguments: dict[str, Any]) -> None:
    """Signs in and calls, as a person does: by clicking."""
    browser.open(f"{console}/")
    browser.click("header nav a", "Call a tool")
    browser.click("button.person", person)
    browser.click("nav.tools a", tool)
    browser.fill("textarea", json.dumps(arguments))
    browser.click("button.primary")


def test_the_overview_shows_every_part_and_that_it_serves(browser: Chromium, console: str, platform: Platform) -> None:
    browser.open(f"{console}/")
    text = browser.text()
    assert "Every part serves." in text
    for name in ("API Management", "Entra ID", "admin · slot a", "reader · slot a", "Cosmos DB", platform.endpoint):
        assert name in text
    assert text.count("healthy") == 5
    inspect(browser, "overview")


def test_a_reader_signs_in_calls_a_tool_and_reads_its_trace(browser: Chromium, console: str) -> None:
    """From the click to the database, in one request: policies, backend, server, namespace."""
    call(browser, console, "Rae Reader", "find", {"database": "platform", "collection": "incidents", "limit": 2})
    text = browser.text()
    assert "Mcp.Read" in text
    assert '"documents"' in text
    inspect(browser, "call")
    browser.click("a.button", "See what each policy did")
    text = browser.text()
    for wanted in ("validate-jwt", "branch: when[", "mongodb-reader-a", "Rae Reader", "forward-request", "reader"):
        assert wanted in text, wanted
    assert "platform.incidents" in text.partition("Server and database")[2]
    inspect(browser, "trace")


def test_an_outsider_is_told_why_and_sees_which_policy_refused(browser: Chromium, console: str) -> None:
    browser.open(f"{console}/call")
    inspect(browser, "sign-in")
    browser.click("button.person", "Otto Outsider")
    assert "The gateway answered 403" in browser.text()
    browser.click("a.button", "See what each policy did")
    text = browser.text()
    assert "answered 403: no other policy runs" in text
    assert "branch: otherwise" in text
    assert "No server wrote about this request" in text
    inspect(browser, "refusal")


def test_requests_are_listed_and_filtered(browser: Chromium, console: str) -> None:
    """The deployment's own smoke test has asked already."""
    browser.open(f"{console}/requests")
    everything = browser.run("document.querySelectorAll('tbody tr').length")
    inspect(browser, "requests")
    browser.click(".filters a", "Refused")
    refused = browser.run("document.querySelectorAll('tbody tr').length")
    assert 0 < refused < everything
    browser.click("tbody a", "tools/list")
    assert "Policies" in browser.text()


def test_the_directory_shows_who_may_what(browser: Chromium, console: str) -> None:
    browser.open(f"{console}/directory")
    rows = browser.run("[...document.querySelectorAll('tbody tr')].map(row => row.innerText)")
    assert any("Ada Admin" in row and "Mcp.Admin" in row for row in rows)
    assert any("Otto Outsider" in row and "Mcp." not in row for row in rows)
    inspect(browser, "directory")


def test_it_is_used_by_keyboard(browser: Chromium, console: str) -> None:
    """The first stop skips to the content; the next is the navigation; each shows where it is."""
    browser.open(f"{console}/")
    focused = "document.activeElement.innerText"
    browser.press("Tab")
    assert browser.run(focused) == "Skip to content"
    browser.press("Tab")
    assert browser.run(focused) == "Overview"
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_no_page_holds_a_token_or_the_database_s_key(browser: Chromium, console: str, platform: Platform) -> None:
    key = platform.mongodb_uri.partition("://")[2].partition(":")[2].partition("@")[0]
    call(browser, console, "Ada Admin", "whoami", {})
    pages = [str(browser.run("document.documentElement.outerHTML"))]
    browser.click("a.button", "See what each policy did")
    pages.append(str(browser.run("document.documentElement.outerHTML")))
    for path in ("/", "/directory", "/requests"):
        browser.open(console + path)
        pages.append(str(browser.run("document.documentElement.outerHTML")))
    assert len(key) > 20
    for page in pages:
        assert "eyJ" not in page
        assert key not in page


@pytest.mark.parametrize("path", ["/requests/unknown", "/call?as=nobody"])
def test_what_is_not_there_is_said_on_a_page(path: str, browser: Chromium, console: str) -> None:
    browser.open(console + path)
    browser.problems.clear()  # the browser notes that the answer is 404
    assert browser.run("document.querySelectorAll('h1').length") == 1
