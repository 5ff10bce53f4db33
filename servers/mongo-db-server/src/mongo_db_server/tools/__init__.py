"""One tool per file, one declared operation each. A new tool is a new file and one line here."""

from __future__ import annotations

from typing import Any

from mongo_db_server.toolkit import Declaration
from mongo_db_server.tools.aggregate import aggregate
from mongo_db_server.tools.collection_schema import collection_schema
from mongo_db_server.tools.count import count
from mongo_db_server.tools.delete_many import delete_many
from mongo_db_server.tools.find import find
from mongo_db_server.tools.insert_many import insert_many
from mongo_db_server.tools.list_collections import list_collections
from mongo_db_server.tools.list_databases import list_databases
from mongo_db_server.tools.update_many import update_many

ALL: tuple[Declaration[Any], ...] = (
    list_databases,
    list_collections,
    collection_schema,
    find,
    count,
    aggregate,
    insert_many,
    update_many,
    delete_many,
)
