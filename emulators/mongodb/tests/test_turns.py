"""Nobody waits for somebody else's long command."""

from __future__ import annotations

import dataclasses
import threading
import time

from emulators.mongodb.dispatch import COMMANDS, GiveUp, execute
from emulators.mongodb.turns import Turns


def test_the_turn_goes_to_whoever_waited_longest():
    turns, order, started = Turns(), [], []
    turns.acquire()

    def work(number):
        started.append(number)
        turns.acquire()
        order.append(number)
        turns.release()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        while len(started) <= number:
            time.sleep(0.001)
        time.sleep(0.02)
    turns.release()
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]


def test_giving_way_lets_those_who_wait_go_first():
    turns, order = Turns(), []
    turns.acquire()
    waiting = threading.Thread(target=lambda: (turns.acquire(), order.append("other"), turns.release()))
    waiting.start()
    while not turns._waiting:
        time.sleep(0.001)
    turns.give_way()
    order.append("mine")
    turns.release()
    waiting.join(10)
    assert order == ["other", "mine"]


def test_what_is_done_is_not_done_again(server, reader, monkeypatch):
    """A slow machine gives a command up after its handler too, and a sign-in that was taken once is gone."""
    calls = []

    def slowly(call):
        calls.append(call.name)
        time.sleep(0.02)
        return {"ok": 1.0}

    known = COMMANDS["ping"]
    monkeypatch.setitem(COMMANDS, "ping", dataclasses.replace(known, handler=slowly))
    reply = execute(server, reader, {"ping": 1, "$db": "admin"}, give_way=GiveUp(), slice_seconds=0.01)
    assert (reply, calls) == ({"ok": 1.0}, ["ping"])
