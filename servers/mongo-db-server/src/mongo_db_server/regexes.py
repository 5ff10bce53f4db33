"""Regular expressions that a database could spend its life on.

MongoDB's engine (PCRE2) backtracks, and `maxTimeMS` is looked at between documents, not within one match. So the work
of an expression is calculated before it is sent: how many steps an engine that backtracks takes at most on a text of
`TEXT` characters. What would take more than `MOST_STEPS` is refused, and so is what cannot be calculated: references,
recursion, conditions, callouts and whatever else `regex_syntax` does not know.

Two numbers describe each part of an expression: `paths`, in how many ways it can match from one place, which is how
often what follows is tried; and `steps`, what trying all of them costs. One behind the other, paths multiply;
alternatives add; a repetition has one path for each number of rounds, to the power of those that a round has. Paths
stay few where an engine cannot lose its way: where the next character tells whether a repetition goes on
("1-unambiguity", Brüggemann-Klein and Wood 1998), where alternatives exclude each other, and in atomic groups.
"""

from __future__ import annotations

from dataclasses import dataclass

from mongo_db_server.errors import RefusedError
from mongo_db_server.regex_syntax import (
    NOTHING,
    Alternation,
    Atomic,
    Characters,
    Look,
    Node,
    Repetition,
    Sequence,
    UnknownSyntaxError,
    parse,
)

TEXT = 100  # characters of the text for which the work is calculated
MOST_STEPS = 5 * TEXT**4  # four open repetitions that take each other's text


@dataclass(frozen=True)
class _Cost:
    paths: int
    steps: int


@dataclass(frozen=True)
class _After:
    """What comes behind a part: the characters that it can begin with, and how many alternatives are tried to see that
    it cannot. At the end of the expression nothing comes, because the match is found."""

    first: Characters
    width: int


_END = _After(NOTHING, 1)
_TOO_MUCH = _Cost(MOST_STEPS + 1, MOST_STEPS + 1)


def check_regex(pattern: str, max_length: int, options: str = "") -> None:
    """Raises RefusedError for an expression that is too long, not known, or too much work."""
    if len(pattern) > max_length:
        raise RefusedError(f"A regular expression is longer than {max_length} characters (`MCP_REGEX_LENGTH_CEILING`).")
    try:
        steps = steps_of(parse(pattern, extended="x" in options, multiline="m" in options))
    except UnknownSyntaxError as error:
        raise RefusedError(
            f"A regular expression holds {error}: its work cannot be told beforehand. Write it without."
        ) from None
    if steps > MOST_STEPS:
        raise RefusedError(
            "A regular expression can take too long: it can match the same text in too many ways. Put fewer "
            "repetitions in a row or into each other, let what follows a repetition begin with a character that the "
            "repetition does not hold, or anchor it (^)."
        )


def steps_of(node: Node) -> int:
    """How many steps a search takes at most: from each place of the text, unless the expression is anchored."""
    return _cost(node, _END).steps * (1 if _anchored(node) else TEXT)


def _anchored(node: Node) -> bool:
    if isinstance(node, Sequence):
        return bool(node.parts) and _anchored(node.parts[0])
    if isinstance(node, Alternation):
        return all(map(_anchored, node.branches))
    if isinstance(node, Atomic):
        return _anchored(node.inner)
    return isinstance(node, Look) and node.start


def _cost(node: Node, after: _After) -> _Cost:
    if isinstance(node, Characters):
        return _Cost(1, 1)
    if isinstance(node, Look):
        return _Cost(1, 1 if node.inner is None else _cost(node.inner, _END).steps)
    if isinstance(node, Atomic):
        return _Cost(1, _cost(node.inner, _END).steps)
    if isinstance(node, Alternation):
        each = [_cost(branch, after) for branch in node.branches]
        paths = [cost.paths for cost in each]
        return _capped(max(paths) if node.exclusive else sum(paths), sum(cost.steps for cost in each))
    if isinstance(node, Sequence):
        return _one_after_another(node.parts, after)
    return _repeated(node, after)


def _capped(paths: int, steps: int) -> _Cost:
    return _TOO_MUCH if max(paths, steps) > MOST_STEPS else _Cost(paths, steps)


def _one_after_another(parts: tuple[Node, ...], after: _After) -> _Cost:
    """From the last part to the first, because each must know what follows it."""
    whole = _Cost(1, 0)
    for part in reversed(parts):
        cost = _cost(part, after)
        whole = _capped(cost.paths * whole.paths, cost.steps + cost.paths * whole.steps)
        after = _After(part.first | after.first, part.width + after.width) if part.empty else _before(part)
    return _Cost(whole.paths, max(whole.steps, 1))


def _before(node: Node) -> _After:
    return _After(node.first, node.width)


def _repeated(node: Repetition, after: _After) -> _Cost:
    """Behind each round comes another one, or what follows. Where the next character tells which, there is one way out;
    otherwise one for each number of rounds."""
    inner = node.inner
    one = _cost(inner, _After(inner.first | after.first, inner.width + after.width))
    rounds = TEXT if node.most is None else node.most if inner.empty else min(node.most, TEXT)
    told = not inner.empty and inner.first.disjoint(after.first)
    exits = 1 if told else max(rounds - node.least, 0) + 1
    if one.paths == 1:
        return _capped(exits, rounds * (one.steps + after.width) + 1)
    paths = steps = 0
    ways = 1  # through the rounds so far
    for number in range(rounds + 1):
        if number >= min(node.least, rounds):
            paths = ways if told else paths + ways
        steps += ways * (one.steps + after.width)
        ways *= one.paths
        if max(paths, steps) > MOST_STEPS:
            return _TOO_MUCH
    return _capped(paths, steps)
