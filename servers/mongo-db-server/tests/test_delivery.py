from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from mongo_db_server.delivery import Response, cancel_on_disconnect


async def never() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


async def hung_up() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def test_a_call_ends_when_its_caller_has_gone() -> None:
    """The work is cancelled, and over, before anything else happens."""
    ended = []

    async def work() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return 1

    assert await cancel_on_disconnect(work(), hung_up) is None
    assert ended == [True]


async def test_a_caller_who_stays_gets_his_answer() -> None:
    """Short or long, with nothing but the end of the body received."""

    async def work(seconds: float) -> int:
        await asyncio.sleep(seconds)
        return 7

    assert [await cancel_on_disconnect(work(seconds), never) for seconds in (0, 0.1)] == [7, 7]


async def test_what_fails_fails() -> None:
    """An error is not mistaken for a caller who has gone."""

    async def work() -> int:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        await cancel_on_disconnect(work(), never)


async def test_a_stop_of_the_server_stops_the_work() -> None:
    """Cancelling the request cancels what it runs."""
    ended = []

    async def work() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return 1

    request = asyncio.ensure_future(cancel_on_disconnect(work(), never))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await asyncio.sleep(0)
    assert ended == [True]


async def test_progress_makes_a_stream() -> None:
    """Without progress the answer is a document; with it, events that end with the answer."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await Response(send, None).end(b"{}")
    assert [message.get("body") for message in sent] == [None, b"{}"]
    sent.clear()
    response = Response(send, "t")
    await response.progress(1, 2, "half")
    await response.end(b'{"id":1}')
    assert sent[0]["headers"][0] == (b"content-type", b"text/event-stream")
    events = [json.loads(message["body"].split(b"data: ")[1]) for message in sent[1:3]]
    assert events[0]["params"] == {"progressToken": "t", "progress": 1, "total": 2, "message": "half"}
    assert (events[1], sent[-1].get("more_body", False)) == ({"id": 1}, False)
