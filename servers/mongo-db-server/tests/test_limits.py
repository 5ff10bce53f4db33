from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mongo_db_server import paging
from mongo_db_server.errors import InvalidCallError
from mongo_db_server.limits import Limit, Limits, collect
from mongo_db_server.settings import load

LIMIT = Limit(2, 5, "MCP_DOCUMENTS_CEILING")


async def documents(count: int, text: str = "x") -> AsyncIterator[dict[str, Any]]:
    for number in range(count):
        yield {"n": number, "t": text}


@pytest.mark.parametrize(("asked", "granted"), [(None, 2), (1, 1), (5, 5), (6, 5), (10**9, 5)])
def test_ceiling_holds_whatever_is_asked(asked: int | None, granted: int) -> None:
    """Nothing asked means the default; nothing asked exceeds the ceiling."""
    assert LIMIT.grant(asked) == granted


@pytest.mark.parametrize(("available", "returned", "cut"), [(1, 1, False), (2, 2, False), (3, 2, True)])
async def test_document_limit_says_so_only_when_it_cut(available: int, returned: int, cut: bool) -> None:
    """Exactly as many as granted is all there is; one more is cut off and said."""
    page = await collect(documents(available), documents=LIMIT, asked=None, max_bytes=1000)
    assert (len(page.documents), page.cut is not None) == (returned, cut)


async def test_default_and_ceiling_are_told_apart() -> None:
    """A caller learns whether asking for more would help."""
    by_default = await collect(documents(9), documents=LIMIT, asked=None, max_bytes=1000)
    at_ceiling = await collect(documents(9), documents=LIMIT, asked=9, max_bytes=1000)
    assert by_default.cut == "Stopped at 2 documents; there are more. Raise `limit` (up to 5) or narrow the query."
    assert at_ceiling.cut == (
        "Stopped at 5 documents, this server's ceiling (`MCP_DOCUMENTS_CEILING`); there are more."
    )


async def test_byte_limit_counts_utf8_of_the_answer() -> None:
    """A page never exceeds its bytes, and says where it stopped."""
    page = await collect(documents(5, "é" * 10), documents=LIMIT, asked=5, max_bytes=70)
    assert page.size == len('{"n":0,"t":"éééééééééé"}'.encode()) * 2 == 68
    assert page.cut == "Stopped after 2 documents at `max_bytes` (70); there are more. Return fewer fields."


async def sized(*sizes: int) -> AsyncIterator[dict[str, Any]]:
    for number, size in enumerate(sizes):
        yield {"_id": number, "t": "x" * size}


async def test_a_document_larger_than_a_page_is_named_and_passed() -> None:
    """An empty page is never mistaken for an empty result, and no page ends where it began."""
    page = await collect(sized(100, 1), documents=LIMIT, asked=5, max_bytes=50)
    assert page.documents == [{"_id": 0, "$outsized": {"bytes": 116}}, {"_id": 1, "t": "x"}]
    assert (page.end, page.more, page.complete) == (2, False, False)
    assert page.cut is not None
    assert page.cut.startswith("The first document alone is 116 bytes and `max_bytes` is 50: only its `_id` is shown")


@given(st.lists(st.integers(0, 200), min_size=1, max_size=12), st.integers(1, 120))
async def test_every_page_gets_on(sizes: list[int], max_bytes: int) -> None:
    """Whatever the documents' sizes, following the pages comes to the end and past each document once."""
    seen, offset = [], 0
    for _ in sizes:

        async def rest(start: int = offset) -> AsyncIterator[dict[str, Any]]:
            async for document in sized(*sizes):
                if document["_id"] >= start:
                    yield document

        page = await collect(rest(), documents=LIMIT, asked=3, max_bytes=max_bytes, offset=offset)
        assert page.end > offset
        seen += [document["_id"] for document in page.documents]
        offset = page.end
        if not page.more:
            break
    assert seen == list(range(len(sizes)))


async def test_an_enormous_id_is_not_shown() -> None:
    """The `_id` may be what is large."""
    page = await collect(_of({"_id": {"x": "y" * 2000}}), documents=LIMIT, asked=5, max_bytes=50)
    assert page.documents == [{"$outsized": {"bytes": 2016}}]


async def _of(document: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield document


def test_a_cursor_lets_what_is_shown_change() -> None:
    """Projection, form and sizes may change from page to page; `1.0` is `1`; the query may not change."""
    asked = {"filter": {"a": 1}, "skip": 0, "projection": None, "ejson": "relaxed", "limit": None}
    cursor = paging.cursor_at(7, "find", asked)
    changed = {**asked, "filter": {"a": 1.0}, "projection": {"a": 1}, "ejson": "canonical", "limit": 9}
    assert paging.offset_of(cursor, "find", changed) == 7
    with pytest.raises(InvalidCallError, match="another query"):
        paging.offset_of(cursor, "find", {**asked, "filter": {"a": 2}})


def test_limits_come_from_the_settings(environment: dict[str, str], use_environment: Any) -> None:
    """Each limit is a setting."""
    use_environment(environment | {"MCP_DOCUMENTS_DEFAULT": "7", "MCP_WRITE_BATCH_CEILING": "9"})
    limits = Limits.of(load())
    assert (limits.documents, limits.write_batch) == (Limit(7, 10_000, "MCP_DOCUMENTS_CEILING"), 9)
