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
_SHOWN_ID = 1_024  # characters of an `_id` that is shown for a whole document


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
    complete: bool = True  # whether no document was kept back or shortened because of its size

    @property
    def end(self) -> int:
        return self.offset + len(self.documents)

    def add(self, encoded: Any, text: str, size: int) -> None:
        self.documents.append(encoded)
        self.texts.append(text)
        self.size += size


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
    what was cut off cannot be told from what does not exist.

    A page that begins always gets on: of a document that alone exceeds `max_bytes` its `_id` and size are shown."""
    page, granted, outsized = Page(offset=offset), documents.grant(asked), 0
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
        if page.size + size <= max_bytes:
            page.add(encoded, text, size)
            continue
        page.complete = False
        if page.documents:
            page.more = True
            page.cut = f"Stopped after {len(page.documents)} documents at `max_bytes` ({max_bytes}); there are more."
            if size > max_bytes:
                page.cut += f" The next one alone is {size} bytes."
            page.cut += " Return fewer fields."
            break
        shown = _outsized(encoded, size)
        page.add(shown, ejson.dumps(shown), 0)
        outsized = size
    if outsized:
        page.cut = _outsized_cut(outsized, max_bytes) + (f" {page.cut}" if page.cut else "")
    return page


def _outsized(encoded: Any, size: int) -> dict[str, Any]:
    """What is shown of a document that is larger than a page."""
    shown: dict[str, Any] = {"$outsized": {"bytes": size}}
    if isinstance(encoded, dict) and len(ejson.dumps(encoded.get("_id"))) <= _SHOWN_ID:
        shown = {name: encoded[name] for name in ("_id",) if name in encoded} | shown
    return shown


def _document_cut(granted: int, limit: Limit) -> str:
    if granted >= limit.ceiling:
        return f"Stopped at {granted} documents, this server's ceiling (`{limit.setting}`); there are more."
    return f"Stopped at {granted} documents; there are more. Raise `limit` (up to {limit.ceiling}) or narrow the query."


def _outsized_cut(size: int, max_bytes: int) -> str:
    return (
        f"The first document alone is {size} bytes and `max_bytes` is {max_bytes}: only its `_id` is shown; to read it "
        "return fewer fields or raise `max_bytes`."
    )
