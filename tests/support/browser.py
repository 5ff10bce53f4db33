"""A person at a browser, as far as signing in goes: follows redirects, fills in the page's form, clicks one button."""

from __future__ import annotations

import html
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any

from tests.support.source_address import FromOwnAddress

TIMEOUT = 60


@dataclass
class Page:
    """One page: where it is, what it said, and its forms."""

    url: str
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)

    def form(self, index: int = 0) -> Form:
        parser = _Forms()
        parser.feed(self.text)
        assert parser.forms, f"no form on {self.url} ({self.status}): {visible(self.text)[:300]}"
        return parser.forms[index]


@dataclass
class Form:
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Browser:
    """Keeps cookies; `open` follows redirects to the last page, `opened` lists every address on the way."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()),
            urllib.request.ProxyHandler({}),
            _Recorder(self.opened),
            FromOwnAddress(),
        )

    def open(self, url: str, data: dict[str, str] | None = None) -> Page:
        self.opened.append(url)
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        answer = self._answer(urllib.request.Request(url, body))
        with answer:
            return Page(answer.url, answer.status, answer.read().decode(), dict(answer.headers))

    def _answer(self, request: urllib.request.Request) -> Any:
        """The page, whatever its status; a limit (429) is waited out once, as a person would."""
        answer = self._once(request)
        if answer.status == 429 and answer.headers.get("Retry-After", "").isdecimal():
            time.sleep(int(answer.headers["Retry-After"]))
            answer = self._once(request)
        return answer

    def _once(self, request: urllib.request.Request) -> Any:
        try:
            return self._opener.open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            return error

    def click(self, page: Page, name: str, value: str) -> Page:
        """Presses the page's button of that name and value; it must be there."""
        form = page.form()
        assert (name, value) in form.buttons, f"no button {name}={value} on {page.url}; it has {form.buttons}"
        action = urllib.parse.urljoin(page.url, html.unescape(form.action))
        return self.open(action, {**form.fields, name: value})

    def sign_in(self, authorization_url: str, user: str) -> Page:
        """From the address a client opens to the page it is sent back to."""
        page = self.click(self.open(authorization_url), "user", user)
        while 'value="accept"' in page.text:
            page = self.click(page, "consent", "accept")
        return page


class _Recorder(urllib.request.HTTPRedirectHandler):
    def __init__(self, opened: list[str]) -> None:
        self._opened = opened

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        self._opened.append(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(values.get("action", "")))
        elif self.forms and tag == "input" and values.get("name"):
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif self.forms and tag == "button":
            self.forms[-1].buttons.append((values.get("name", ""), values.get("value", "")))


def visible(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))
