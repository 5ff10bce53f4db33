"""One tool per file, one declared operation each. A new tool is a new file and one line here."""

from __future__ import annotations

from typing import Any

from mongo_db_server.toolkit import Declaration
from mongo_db_server.tools.aggregate import aggregate
from mongo_db_server.tools.aggregate_db import aggregate_db
from mongo_db_server.tools.bulk_write import bulk_write
from mongo_db_server.tools.collection_indexes import collection_indexes
from mongo_db_server.tools.collection_schema import collection_schema
from mongo_db_server.tools.collection_storage_size import collection_storage_size
from mongo_db_server.tools.count import count
from mongo_db_server.tools.create_collection import create_collection
from mongo_db_server.tools.create_index import create_index
from mongo_db_server.tools.db_stats import db_stats
from mongo_db_server.tools.delete_many import delete_many
from mongo_db_server.tools.distinct import distinct
from mongo_db_server.tools.drop_collection import drop_collection
from mongo_db_server.tools.drop_database import drop_database
from mongo_db_server.tools.drop_index import drop_index
from mongo_db_server.tools.explain import explain
from mongo_db_server.tools.export import export
from mongo_db_server.tools.find import find
from mongo_db_server.tools.find_and_modify import find_and_modify
from mongo_db_server.tools.insert_many import insert_many
from mongo_db_server.tools.list_collections import list_collections
from mongo_db_server.tools.list_databases import list_databases
from mongo_db_server.tools.rename_collection import rename_collection
from mongo_db_server.tools.sample import sample
from mongo_db_server.tools.server_logs import server_logs
from mongo_db_server.tools.update_many import update_many
from mongo_db_server.tools.vector_search import vector_search
from mongo_db_server.tools.whoami import whoami

ALL: tuple[Declaration[Any], ...] = (
    list_databases,
    list_collections,
    collection_schema,
    collection_indexes,
    collection_storage_size,
    db_stats,
    find,
    sample,
    count,
    distinct,
    aggregate,
    aggregate_db,
    vector_search,
    explain,
    export,
    server_logs,
    whoami,
    insert_many,
    update_many,
    find_and_modify,
    delete_many,
    bulk_write,
    create_collection,
    rename_collection,
    drop_collection,
    create_index,
    drop_index,
    drop_database,
)
