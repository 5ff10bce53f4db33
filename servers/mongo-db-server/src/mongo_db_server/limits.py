"""How much one call may ask for: defaults when the caller says nothing, ceilings whatever the caller says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from mongo_db_server import ejson

if TYPE_CHECKING:
    from mongo_db_server.settings import Settings

# (done, total, message): reports the progress of a call.
Report = Callable[[float, float | None, str], Awaitable[None]]
REPORT_EVERY = 250  # documents


@dataclass(frozen=True)
class Limit:
    """One limit; `setting` is the ceiling's name, which messages tell the caller."""

    default: int
    ceiling: int
    setting: str

    def grant(self, asked: int | None) -> int:
        return self.default if asked is None else min(asked, self.ceiling)


@dataclass(frozen=True)
class Limits:
    documents: Limit
    bytes: Limit
    time_ms: Limit
    sample: int
    write_batch: int
    pipeline_stages: int
    sample_default: int = 50

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            Limit(settings.mcp_documents_default, settings.mcp_documents_ceiling, "MCP_DOCUMENTS_CEILING"),
            Limit(settings.mcp_bytes_default, settings.mcp_bytes_ceiling, "MCP_BYTES_CEILING"),
            Limit(settings.mcp_time_ms_default, settings.mcp_time_ms_ceiling, "MCP_TIME_MS_CEILING"),
            settings.mcp_sample_ceiling,
            settings.mcp_write_batch_ceiling,
            settings.mcp_pipeline_stages_ceiling,
            min(settings.mcp_sample_default, settings.mcp_sample_ceiling),
        )


@dataclass
class Page:
    """What fitted: encoded documents, their size as UTF-8 JSON in bytes, and a sentence about what was cut off."""

    documents: list[Any] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    size: int = 0
    cut: str | None = None
    offset: int = 0  # documents that came before this page
    more: bool = False

    @property
    def end(self) -> int:
        return self.offset + len(self.documents)


async def collect(
    source: AsyncIterator[Any],
    *,
    documents: Limit,
    asked: int | None,
    max_bytes: int,
    form: ejson.Form = "relaxed",
    offset: int = 0,
    report: Report | None = None,
) -> Page:
    """Reads documents until a limit is reached. The source must offer one more document than `documents` grants, or
    what was cut off cannot be told from what does not exist."""
    page, granted = Page(offset=offset), documents.grant(asked)
    async for document in source:
        if report is not None and page.documents and len(page.documents) % REPORT_EVERY == 0:
            await report(len(page.documents), granted, f"{len(page.documents)} documents read")
        if len(page.documents) == granted:
            page.more = True
            page.cut = _document_cut(granted, documents)
            break
        encoded = ejson.encode(document, form)
        text = ejson.dumps(encoded)
        size = len(text) if text.isascii() else len(text.encode())
        if page.size + size > max_bytes:
            page.more = True
            page.cut = _byte_cut(len(page.documents), size, max_bytes)
            break
        page.documents.append(encoded)
        page.texts.append(text)
        page.size += size
    return page


def _document_cut(granted: int, limit: Limit) -> str:
    if granted >= limit.ceiling:
        return f"Stopped at {granted} documents, this server's ceiling (`{limit.setting}`); there are more."
    return f"Stopped at {granted} documents; there are more. Raise `limit` (up to {limit.ceiling}) or narrow the query."


def _byte_cut(returned: int, size: int, max_bytes: int) -> str:
    if not returned:
        return (
            f"The first document alone is {size} bytes and `max_bytes` is {max_bytes}: "
            "return fewer fields or raise `max_bytes`."
        )
    return f"Stopped after {returned} documents at `max_bytes` ({max_bytes}); there are more. Return fewer fields."
