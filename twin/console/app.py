"""The pages' routes. What decides who may come in is guard.py, what is shown is pages/."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from emulators.base.errors import EmulatorError
from twin.console.config import Config
from twin.console.guard import App, Guard
from twin.console.pages.directory import directory_page
from twin.console.pages.overview import overview
from twin.console.pages.request_trace import trace_page
from twin.console.pages.requests import FILTERS, requests_page
from twin.console.pages.tools import Choice, tools_page
from twin.console.people import People, claims
from twin.console.sources import Sources

_STYLE = Path(__file__).parent / "style.css"
T = TypeVar("T")


def create_app(config: Config, port: int) -> App:
    """`port`: where it really listens, which is what browsers must name."""
    pages = _Pages(config)
    routes = [
        Route("/", pages.overview),
        Route("/call", pages.choose, methods=["GET"]),
        Route("/call", pages.call, methods=["POST"]),
        Route("/requests", pages.requests),
        Route("/requests/{id}", pages.trace),
        Route("/directory", pages.directory),
        Route("/style.css", _style),
    ]
    return Guard(Starlette(routes=routes), config.key, port)


async def _style(request: Request) -> Response:
    return PlainTextResponse(_STYLE.read_text(encoding="utf-8"), media_type="text/css")


class _Pages:
    def __init__(self, config: Config) -> None:
        self._root = f"/{config.key}"
        self._sources = Sources(config)
        self._people = People()

    async def overview(self, request: Request) -> Response:
        found = self._sources
        return HTMLResponse(overview(self._root, found.status(), found.offer(), found.slots()))

    async def requests(self, request: Request) -> Response:
        found, problem = await _tried(self._sources.requests, [])
        show = request.query_params.get("show", "")
        live = request.query_params.get("live") == "1"
        show = show if show in FILTERS else ""
        people = self._sources.people()
        return HTMLResponse(requests_page(self._root, found, people, show=show, live=live, problem=problem))

    async def trace(self, request: Request) -> Response:
        identifier = request.path_params["id"]
        found, problem = await _tried(lambda: self._sources.trace(identifier), None)
        audit = await run_in_threadpool(self._sources.audit, identifier.lower()) if found is not None else []
        page = trace_page(self._root, found, audit, self._sources.people(), problem)
        return HTMLResponse(page, 200 if found is not None else 404)

    async def directory(self, request: Request) -> Response:
        found, problem = await _tried(self._sources.directory, None)
        return HTMLResponse(directory_page(self._root, found, problem))

    async def choose(self, request: Request) -> Response:
        query = request.query_params
        choice = await run_in_threadpool(self._listed, dict(query))
        return HTMLResponse(tools_page(self._root, choice))

    async def call(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=10))
        choice = await run_in_threadpool(self._called, given)
        return HTMLResponse(tools_page(self._root, choice))

    def _listed(self, given: dict[str, str]) -> Choice:
        """Signs in and lists the tools, where somebody was chosen."""
        offer = self._sources.offer()
        servers = sorted(offer.endpoints) if offer is not None else []
        server = given.get("server", "")
        choice = Choice(servers, server if server in servers else next(iter(servers), ""), self._sources.users())
        if given.get("as") not in choice.people:
            return choice
        choice = replace(choice, user=given["as"], tool=given.get("tool", ""), arguments=given.get("arguments", ""))
        try:
            offer = self._sources.need_offer()
            token = claims(self._people.token(offer, choice.user))
            listed = self._people.tools(offer, choice.server, choice.user)
            if listed.status == 401:  # the issuer has other keys now: sign in anew, once
                self._people.forget()
                listed = self._people.tools(offer, choice.server, choice.user)
        except EmulatorError as error:
            return replace(choice, problem=str(error))
        return replace(choice, listed=listed, claims=token)

    def _called(self, given: dict[str, str]) -> Choice:
        choice = self._listed(given)
        if choice.problem or not choice.tool or choice.listed is None:
            return choice
        try:
            arguments = json.loads(choice.arguments or "{}")
        except ValueError as error:
            return replace(choice, problem=f"The arguments are not JSON: {error}.")
        if not isinstance(arguments, dict):
            return replace(choice, problem="The arguments are a JSON object, in braces.")
        try:
            offer = self._sources.need_offer()
            answer = self._people.call(offer, choice.server, choice.user, choice.tool, arguments)
        except EmulatorError as error:
            return replace(choice, problem=str(error))
        return replace(choice, answer=answer)


async def _tried(ask: Callable[[], T], otherwise: Any) -> tuple[T, str]:
    """What was found and "", or the alternative and why."""
    try:
        return await run_in_threadpool(ask), ""
    except EmulatorError as error:
        return otherwise, str(error)
