"""Sequences: who says what to whom, from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tools.diagrams.svg import WIDTH, Box, Canvas, wrap

_TOP, _STEP, _ACTOR = 16, 46, 152


@dataclass(frozen=True)
class Message:
    """From one lane to another (by position); an answer is dashed. From a lane to itself: what it does alone."""

    source: int
    target: int
    text: str
    answer: bool = False


def draw(
    title: str, description: str, actors: Sequence[tuple[str, str]], messages: Sequence[Message | str], note: str = ""
) -> str:
    """The SVG. Actors are (name, colour); a string between messages is a heading over those that follow."""
    canvas = Canvas(title, description)
    pitch = (WIDTH - 32 - _ACTOR) / (len(actors) - 1)
    lanes = [16 + _ACTOR / 2 + position * pitch for position in range(len(actors))]
    for x, (name, kind) in zip(lanes, actors, strict=True):
        canvas.box(x - _ACTOR / 2, _TOP, _ACTOR, name, [], kind)
    y, number = _TOP + 72.0, 0
    for message in messages:
        if isinstance(message, str):
            canvas.note(20, y + 4, message, style="label")
            canvas.line((16, y + 12), (WIDTH - 16, y + 12))
            y += 40
            continue
        number += 1
        y += _message(canvas, lanes, message, number, y)
    for x in lanes:
        canvas.line((x, _TOP + 37), (x, y - 14))
    if note:
        canvas.text(16, y + 10, note, "note")
        y += 24
    return canvas.render(y)


def _message(canvas: Canvas, lanes: Sequence[float], message: Message, number: int, y: float) -> float:
    """Draws one; how much room it took."""
    text = f"{number}  {message.text}"
    start, end = lanes[message.source], lanes[message.target]
    if message.source == message.target:
        room = 210.0
        left = min(max(start - room / 2, 16), WIDTH - 16 - room)
        lines = wrap(text, room - 16, 12)
        box = Box(left, y - 16, room, 17 * len(lines) + 10)
        canvas.patch(box)
        for row, line in enumerate(lines):
            canvas.text(left + room / 2, y + 17 * row, line, "small", "middle")
        return box.height + 22
    lines = wrap(text, max(abs(end - start), 170) - 16, 12)
    for row, line in enumerate(lines):
        canvas.note((start + end) / 2, y + 17 * row, line, "middle")
    level = y + 17 * (len(lines) - 1) + 10
    canvas.arrow((start, level), (end, level), dashed=message.answer)
    return _STEP + 17 * (len(lines) - 1)
