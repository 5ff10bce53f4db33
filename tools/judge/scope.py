"""What of the suite the emulator is not judged by: whole features that it lacks, and what only MongoDB 8 has.

The emulator says that it is MongoDB 7.0; the suite's expectations are those of 8.2. Each rule is a pattern of a case's
name, which is its path below the suite's folder of tests, `::`, and the test.
"""

from __future__ import annotations

import re

# Refused by name as a whole, or with the command's "no such command" (59); the emulator's README lists them. Of
# collMod's changes of indexes two are there (`hidden`, `expireAfterSeconds`), which its own tests hold.
_OTHER_FEATURES = {
    "change streams": (
        r"^changeStreams/|system-stages/changeStream|stages/changeStreamSplitLargeEvent|position_changeStream"
    ),
    "administration, diagnosis and replication": r"^system/|^auditing/",
    "sessions and transactions": r"^core/sessions/",
    "changing indexes by collMod": (
        r"collMod|indexes/properties/hidden/(test_hidden_(behavior|query_planning)|.*(hide|unhide|reset))"
    ),
    "capped, clustered and time series collections": (
        r"^core/collections/(capped|clustered|timeseries)|time_?series|capped"
    ),
    "creating, changing and compacting collections": r"^core/collections/commands/",
    "plans and their cache": r"^core/query[-_]planning/|stages/planCacheStats|position_planCacheStats",
    "tailable cursors": r"^core/cursors/tailable",
    "Atlas search": (
        r"stages/(search|searchMeta|vectorSearch|listSearchIndexes|rankFusion)"
        r"|position_(search|vectorSearch|rankFusion)"
    ),
    "JavaScript": r"expressions/custom|query/misc/where|accumulators/accumulator/",
    "sessions and queries of a cluster": (
        r"stages/(listSampledQueries|listSessions|queryStats|querySettings|listClusterCatalog|shardedDataDistribution)"
        r"|system-stages/(currentOp|listLocalSessions)|position_(listLocalSessions|querySettings|listClusterCatalog)"
    ),
}
_ONLY_8 = {
    "$sigmoid": r"sigmoid",
    "$concatArrays and $setUnion as accumulators": (
        r"operator/accumulators/.*(concatArrays|setUnion)|window/(concatArrays|setUnion)"
        r"|stages/group.*(concatarrays|setunion)"
    ),
    "bulkWrite": r"/bulkWrite/|bulkWrite",
    "sort in updates": r"commands/update/test_update_sort",
    "conversions of 8.0": (
        r"type/(toUUID|toObject|toArray)/|createObjectId|serializeEJSON|toHashedIndexKey"
        r"|deserializeEJSON|toString_binary"
        r"|type/convert/test_convert_(bindata|byte_order|format|subtype)|type/to(Int|Long|Double|Decimal).*[\[_]binary_"
        r"|object_form|expr_args_to_type|skips_invalid_format|fmt_required|convert_null_validation"
        r"|_for_toString-convert|bin_data_for_to|idempotent_binary|single_binary|binary_under_limit|expr_args_format|bindata"
    ),
    "$scoreFusion": r"scoreFusion",
}
RULES = {name: re.compile(pattern) for name, pattern in (_OTHER_FEATURES | _ONLY_8).items()}


def left_out(case: str) -> str | None:
    """Which feature the case is about that is not judged; None when it counts."""
    return next((name for name, pattern in RULES.items() if pattern.search(case)), None)


def area_of(case: str) -> str:
    """The part of the table that a case counts in: three folders of its path, without the first."""
    parts = case.partition("::")[0].split("/")[1:-1]
    return "/".join(parts[:3] if parts[:2] == ["operator", "expressions"] else parts[:2])
