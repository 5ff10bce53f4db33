"""What tools share that answer with documents, page by page."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from mongo_db_server.ejson import Form
from mongo_db_server.limits import Page
from mongo_db_server.replies import Reply, Untrusted
from mongo_db_server.toolkit import Arguments, Call, output

DOCUMENTS: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
PAGE = output(
    returned={"type": "integer"},
    documents=DOCUMENTS,
    optional={"cursor": {"type": "string", "description": "Gives the next page; absent on the last one."}},
)


class Answered(Arguments):
    """Limits and form of an answer."""

    limit: int | None = Field(None, ge=1, description="Documents to return. The server's default applies when omitted.")
    max_bytes: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("max_bytes", "responseBytesLimit"),
        description="Largest answer in bytes of Extended JSON.",
    )
    ejson: Form = Field("relaxed", description="`canonical` keeps every BSON type; `relaxed` reads better.")


class Paged(Answered):
    cursor: str | None = Field(
        None,
        max_length=200,
        description="From an earlier answer: goes on where that one ended. Give the query again unchanged; limits, "
        "projection and form may change.",
    )


def page_reply(page: Page, summary: str, arguments: Any, call: Call, name: str = "documents") -> Reply:
    """The page, what was cut off and the cursor that goes on."""
    facts: dict[str, Any] = {"returned": len(page.documents)}
    cut = page.cut
    if (cursor := call.cursor(page, arguments)) is not None:
        facts["cursor"] = cursor
        cut = f'{cut} To read on, repeat the call with "cursor": "{cursor}".'
    return Reply(summary, facts, Untrusted.page(name, page), cut)
