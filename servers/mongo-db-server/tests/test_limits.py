from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
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


async def test_first_document_too_large_is_explained() -> None:
    """An empty page is never mistaken for an empty result."""
    page = await collect(documents(1, "x" * 100), documents=LIMIT, asked=5, max_bytes=50)
    assert page.documents == []
    assert page.cut is not None
    assert page.cut.startswith("The first document alone is 114 bytes and `max_bytes` is 50")


def test_limits_come_from_the_settings(environment: dict[str, str], use_environment: Any) -> None:
    """Each limit is a setting."""
    use_environment(environment | {"MCP_DOCUMENTS_DEFAULT": "7", "MCP_WRITE_BATCH_CEILING": "9"})
    limits = Limits.of(load())
    assert (limits.documents, limits.write_batch) == (Limit(7, 10_000, "MCP_DOCUMENTS_CEILING"), 9)
