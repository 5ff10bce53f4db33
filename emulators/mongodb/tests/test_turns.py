"""Nobody waits for somebody else's long command."""

from __future__ import annotations

import threading
import time

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
