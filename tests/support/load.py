"""Readers that call a platform while it is changed."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from tests.support.platform_under_test import Answer, Platform

NO_ANSWER = 0  # the status of a call that nothing answered


def under_load(platform: Platform, change: Callable[[], object], pause: float = 0.05) -> list[Answer]:
    """What four readers were answered from before the change until after it.

    `pause`: seconds between two calls of one; what changes needs the processor too.
    """
    done = Event()
    platform.token("reader")

    def reader(number: int) -> list[Answer]:
        found = []
        while not done.is_set():
            time.sleep(pause)
            found.append(list_databases(platform, number))
        return found

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(reader, number) for number in range(4)]
        try:
            change()
        finally:
            done.set()
        return [answer for one in readers for answer in one.result()]


def failed(answers: list[Answer]) -> list[tuple[int, str]]:
    """Status and text of each that is no tool's result."""
    return [
        (a.status, a.text)
        for a in answers
        if a.status != 200 or "result" not in a.json or a.json["result"].get("isError")
    ]


def list_databases(platform: Platform, number: int = 0) -> Answer:
    """One call of a reader; NO_ANSWER where nothing answers."""
    try:
        return platform.call("tools/call", {"name": "list-databases", "arguments": {}}, user="reader", id=number)
    except (urllib.error.URLError, OSError) as error:
        return Answer(NO_ANSWER, {}, str(error))
