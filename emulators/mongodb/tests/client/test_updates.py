"""Updates, and what they leave behind. Expectations follow the manual's page of each operator."""

from __future__ import annotations

import datetime as dt

import pymongo
import pymongo.errors
import pytest
from bson import Decimal128, Int64, ObjectId

START = {"_id": 1, "n": 5, "s": "x", "o": {"p": 1}, "l": [3, 1, 2], "docs": [{"k": 1, "v": 1}, {"k": 2, "v": 2}]}
# update → the fields that change; None for a field that goes away
UPDATES = [
    ({"$set": {"n": 6, "o.q": 2}}, {"n": 6, "o": {"p": 1, "q": 2}}),
    ({"$set": {"new.deep.field": 1}}, {"new": {"deep": {"field": 1}}}),
    ({"$set": {"l.1": 9}}, {"l": [3, 9, 2]}),
    ({"$set": {"l.4": 9}}, {"l": [3, 1, 2, None, 9]}),
    ({"$set": {"docs.0.v": 9}}, {"docs": [{"k": 1, "v": 9}, {"k": 2, "v": 2}]}),
    ({"$unset": {"n": ""}}, {"n": None}),
    ({"$unset": {"l.0": ""}}, {"l": [None, 1, 2]}),
    ({"$unset": {"absent": ""}}, {}),
    ({"$inc": {"n": 2}}, {"n": 7}),
    ({"$inc": {"n": -0.5}}, {"n": 4.5}),
    ({"$inc": {"n": Int64(1)}}, {"n": Int64(6)}),
    ({"$inc": {"n": 2147483647}}, {"n": Int64(2147483652)}),
    ({"$inc": {"absent": 3, "o.p": 1}}, {"o": {"p": 2}, "absent": 3}),
    ({"$mul": {"n": 2}}, {"n": 10}),
    ({"$mul": {"n": Decimal128("1.5")}}, {"n": Decimal128("7.5")}),
    ({"$mul": {"absent": 4}}, {"absent": 0}),
    ({"$min": {"n": 3}}, {"n": 3}),
    ({"$min": {"n": 9}}, {}),
    ({"$max": {"n": 9, "absent": 1}}, {"n": 9, "absent": 1}),
    ({"$max": {"n": "text is above numbers"}}, {"n": "text is above numbers"}),
    ({"$rename": {"n": "m"}}, {"n": None, "m": 5}),
    ({"$rename": {"o.p": "p"}}, {"o": {}, "p": 1}),
    ({"$rename": {"absent": "m"}}, {}),
    ({"$setOnInsert": {"n": 0}}, {}),
    ({"$push": {"l": 4}}, {"l": [3, 1, 2, 4]}),
    ({"$push": {"l": [4]}}, {"l": [3, 1, 2, [4]]}),
    ({"$push": {"absent": 1}}, {"absent": [1]}),
    ({"$push": {"l": {"$each": [9, 8], "$position": 1}}}, {"l": [3, 9, 8, 1, 2]}),
    ({"$push": {"l": {"$each": [9, 8], "$position": -1}}}, {"l": [3, 1, 9, 8, 2]}),
    ({"$push": {"l": {"$each": [0], "$sort": 1, "$slice": 2}}}, {"l": [0, 1]}),
    ({"$push": {"l": {"$each": [], "$sort": -1}}}, {"l": [3, 2, 1]}),
    ({"$push": {"l": {"$each": [7], "$slice": -2}}}, {"l": [2, 7]}),
    (
        {"$push": {"docs": {"$each": [{"k": 0, "v": 0}], "$sort": {"v": -1}, "$slice": 2}}},
        {"docs": [{"k": 2, "v": 2}, {"k": 1, "v": 1}]},
    ),
    ({"$addToSet": {"l": 1}}, {}),
    ({"$addToSet": {"l": 4.0}}, {"l": [3, 1, 2, 4.0]}),
    ({"$addToSet": {"l": {"$each": [1, 4, 4]}}}, {"l": [3, 1, 2, 4]}),
    ({"$addToSet": {"docs": {"v": 1, "k": 1}}}, {"docs": [{"k": 1, "v": 1}, {"k": 2, "v": 2}, {"v": 1, "k": 1}]}),
    ({"$pop": {"l": 1}}, {"l": [3, 1]}),
    ({"$pop": {"l": -1}}, {"l": [1, 2]}),
    ({"$pull": {"l": 1}}, {"l": [3, 2]}),
    ({"$pull": {"l": {"$gte": 2}}}, {"l": [1]}),
    ({"$pull": {"l": {"$in": [1, 2]}}}, {"l": [3]}),
    ({"$pull": {"docs": {"v": {"$gt": 1}}}}, {"docs": [{"k": 1, "v": 1}]}),
    ({"$pull": {"docs": {"k": 1, "v": 1}}}, {"docs": [{"k": 2, "v": 2}]}),
    ({"$pullAll": {"l": [1, 3]}}, {"l": [2]}),
    ({"$bit": {"n": {"and": 4}}}, {"n": 4}),
    ({"$bit": {"n": {"xor": 1}}}, {"n": 4}),
    ({"$set": {"docs.$[].v": 0}}, {"docs": [{"k": 1, "v": 0}, {"k": 2, "v": 0}]}),
    ({"$inc": {"l.$[]": 10}}, {"l": [13, 11, 12]}),
    ({"$inc": {"n": 1}, "$set": {"s": "y"}, "$push": {"l": 0}}, {"n": 6, "s": "y", "l": [3, 1, 2, 0]}),
    ([{"$set": {"n": {"$add": ["$n", "$o.p"]}}}, {"$unset": "s"}], {"n": 6, "s": None}),
    ([{"$replaceWith": {"$mergeObjects": ["$$ROOT", {"s": {"$toUpper": "$s"}}]}}], {"s": "X"}),
]


def changed(fields):
    expected = {name: fields.get(name, value) for name, value in START.items()}
    expected |= {name: value for name, value in fields.items() if name not in START}
    gone = {name for name, value in fields.items() if value is None}
    return {name: value for name, value in expected.items() if name not in gone}


@pytest.mark.parametrize(("update", "fields"), UPDATES, ids=[str(update)[:90] for update, _ in UPDATES])
def test_what_an_update_leaves(collection, exactly, update, fields):
    collection.insert_one(START)
    result = collection.update_one({"_id": 1}, update)
    assert (result.matched_count, result.modified_count) == (1, int(bool(fields)))
    exactly(changed(fields), collection.find_one())


FAILURES = [
    ({"$inc": {"s": 1}}, 14),
    ({"$inc": {"n": "1"}}, 14),
    ({"$inc": {"n": 2**63 - 1}}, 2),
    ({"$push": {"n": 1}}, 2),
    ({"$addToSet": {"s": 1}}, 2),
    ({"$pop": {"n": 1}}, 14),
    ({"$pop": {"l": 2}}, 9),
    ({"$pull": {"n": 1}}, 2),
    ({"$set": {"n.x": 1}}, 28),
    ({"$set": {"l.x": 1}}, 28),
    ({"$set": {"_id": 2}}, 66),
    ({"$unset": {"_id": ""}}, 66),
    ({"$set": {"n": 1}, "$inc": {"n": 1}}, 40),
    ({"$set": {"o": 1, "o.p": 2}}, 40),
    ({"$frob": {"n": 1}}, 9),
    ({"$rename": {"n": "n"}}, 2),
    ({"$set": {"docs.$.v": 1}}, 2),
    ({"$set": {"docs.$[x].v": 1}}, 2),
    ({"$set": {"n.$[]": 1}}, 2),
    ({"$set": {"": 1}}, 56),
    ({"$set": {"a..b": 1}}, 56),
    ({"$bit": {"d": {"and": 1.5}}}, 2),
    ([{"$match": {}}], 72),
]


@pytest.mark.parametrize(("update", "code"), FAILURES, ids=[str(update) for update, _ in FAILURES])
def test_updates_that_fail_change_nothing(collection, exactly, update, code):
    collection.insert_one(START)
    with pytest.raises((pymongo.errors.WriteError, pymongo.errors.OperationFailure)) as caught:
        collection.update_one({"_id": 1}, update)
    assert caught.value.code == code
    exactly(START, collection.find_one())


def test_the_positional_operator_changes_the_element_that_matched(collection):
    collection.insert_one(START)
    collection.update_one({"docs.k": 2}, {"$set": {"docs.$.v": 9}})
    collection.update_one({"l": {"$gt": 2}}, {"$set": {"l.$": 30}})
    collection.update_one({"docs": {"$elemMatch": {"k": 1, "v": 1}}}, {"$inc": {"docs.$.v": 10}})
    found = collection.find_one()
    assert (found["docs"], found["l"]) == ([{"k": 1, "v": 11}, {"k": 2, "v": 9}], [30, 1, 2])


def test_array_filters(collection):
    collection.insert_many([START, {**START, "_id": 2}])
    update, filters = {"$set": {"docs.$[big].v": 0, "l.$[two]": 22}}, [{"big.v": {"$gt": 1}}, {"two": 2}]
    result = collection.update_many({}, update, array_filters=filters)
    assert result.modified_count == 2
    for found in collection.find():
        assert (found["docs"], found["l"]) == ([{"k": 1, "v": 1}, {"k": 2, "v": 0}], [3, 1, 22])


def test_an_array_filter_that_is_not_used_is_an_error(collection):
    collection.insert_one(START)
    with pytest.raises(pymongo.errors.WriteError) as caught:
        collection.update_one({}, {"$set": {"n": 1}}, array_filters=[{"x": 1}])
    assert caught.value.code == 9


def test_the_current_date(collection):
    collection.insert_one({"_id": 1})
    collection.update_one({"_id": 1}, {"$currentDate": {"at": True, "stamp": {"$type": "timestamp"}}})
    found = collection.find_one()
    assert abs(found["at"] - dt.datetime.now(dt.UTC).replace(tzinfo=None)) < dt.timedelta(minutes=5)
    assert type(found["stamp"]).__name__ == "Timestamp"


def test_replacing_keeps_the_identity(collection, exactly):
    collection.insert_one(START)
    assert collection.replace_one({"n": 5}, {"only": 1}).modified_count == 1
    exactly({"_id": 1, "only": 1}, collection.find_one())
    with pytest.raises(pymongo.errors.WriteError) as caught:
        collection.replace_one({"_id": 1}, {"_id": 2})
    assert caught.value.code == 66


def test_an_update_that_changes_nothing_modifies_nothing(collection):
    collection.insert_one(START)
    result = collection.update_one({}, {"$set": {"n": 5, "o": {"p": 1}}})
    assert (result.matched_count, result.modified_count) == (1, 0)
    assert collection.update_one({}, {"$set": {"n": 5.0}}).modified_count == 1


UPSERTS = [
    ({"_id": 7, "a": 1}, {"$set": {"b": 2}}, {"_id": 7, "a": 1, "b": 2}),
    ({"_id": 7, "a": {"$gt": 1}}, {"$setOnInsert": {"c": 3}}, {"_id": 7, "c": 3}),
    ({"_id": {"$eq": 7}, "$and": [{"x.y": 1}]}, {"$inc": {"n": 5}}, {"_id": 7, "x": {"y": 1}, "n": 5}),
    ({"_id": 7}, {"replaced": True}, {"_id": 7, "replaced": True}),
    ({"_id": 7}, [{"$set": {"two": {"$add": [1, 1]}}}], {"_id": 7, "two": 2}),
]


@pytest.mark.parametrize(("query", "update", "expected"), UPSERTS, ids=[str(item[:2]) for item in UPSERTS])
def test_upserting(collection, exactly, query, update, expected):
    replace = isinstance(update, dict) and not any(name.startswith("$") for name in update)
    result = (collection.replace_one if replace else collection.update_one)(query, update, upsert=True)
    assert (result.upserted_id, result.matched_count) == (7, 0)
    exactly([expected], list(collection.find()))


def test_an_upsert_without_an_identity_makes_one(collection):
    result = collection.update_one({"a": 1}, {"$set": {"b": 1}}, upsert=True)
    assert isinstance(result.upserted_id, ObjectId)
    assert next(iter(collection.find_one())) == "_id"


def test_updating_many(collection):
    collection.insert_many([{"_id": n, "a": n % 2} for n in range(6)])
    result = collection.update_many({"a": 1}, {"$inc": {"a": 10}})
    assert (result.matched_count, result.modified_count, collection.count_documents({"a": 11})) == (3, 3, 3)


def test_deleting(collection):
    collection.insert_many([{"_id": n, "a": n % 2} for n in range(6)])
    assert collection.delete_one({"a": 1}).deleted_count == 1
    assert collection.delete_many({"a": 1}).deleted_count == 2
    assert collection.delete_many({"a": 5}).deleted_count == 0
    assert [row["_id"] for row in collection.find()] == [0, 2, 4]


def test_find_and_modify(collection):
    collection.insert_many([{"_id": n, "rank": -n} for n in range(3)])
    before = collection.find_one_and_update({}, {"$inc": {"rank": 1}}, sort=[("rank", 1)])
    assert before == {"_id": 2, "rank": -2}
    after = collection.find_one_and_update(
        {"_id": 2}, {"$set": {"x": 1}}, projection={"_id": 0, "x": 1}, return_document=pymongo.ReturnDocument.AFTER
    )
    assert after == {"x": 1}
    assert collection.find_one_and_replace({"_id": 0}, {"new": 1}) == {"_id": 0, "rank": 0}
    assert collection.find_one_and_delete({"_id": 0}) == {"_id": 0, "new": 1}
    assert collection.find_one_and_delete({"_id": 0}) is None
    made = collection.find_one_and_update({"_id": 9}, {"$set": {"a": 1}}, upsert=True, return_document=True)
    assert made == {"_id": 9, "a": 1}


def test_ordered_inserts_stop_at_the_first_error_and_unordered_ones_go_on(collection):
    documents = [{"_id": 1}, {"_id": 1}, {"_id": 2}, {"_id": 2}]
    with pytest.raises(pymongo.errors.BulkWriteError) as ordered:
        collection.insert_many(documents)
    assert ([error["index"] for error in ordered.value.details["writeErrors"]], ordered.value.details["nInserted"]) == (
        [1],
        1,
    )
    collection.delete_many({})
    with pytest.raises(pymongo.errors.BulkWriteError) as unordered:
        collection.insert_many(documents, ordered=False)
    details = unordered.value.details
    assert ([error["index"] for error in details["writeErrors"]], details["nInserted"]) == ([1, 3], 2)
    assert details["writeErrors"][0]["code"] == 11000


def test_a_mixed_bulk(collection):
    operations = [
        pymongo.InsertOne({"_id": 1, "a": 1}),
        pymongo.InsertOne({"_id": 2, "a": 1}),
        pymongo.UpdateMany({"a": 1}, {"$inc": {"a": 1}}),
        pymongo.UpdateOne({"_id": 3}, {"$set": {"a": 3}}, upsert=True),
        pymongo.ReplaceOne({"_id": 1}, {"b": 1}),
        pymongo.DeleteOne({"_id": 2}),
    ]
    result = collection.bulk_write(operations)
    counts = (result.inserted_count, result.matched_count, result.modified_count, result.deleted_count)
    assert (counts, result.upserted_ids) == ((2, 3, 3, 1), {3: 3})
    assert list(collection.find().sort("_id")) == [{"_id": 1, "b": 1}, {"_id": 3, "a": 3}]


def test_unique_indexes_say_what_clashed(collection):
    collection.create_index([("a.b", 1), ("c", -1)], unique=True)
    collection.insert_one({"_id": 1, "a": {"b": "x"}, "c": 1})
    with pytest.raises(pymongo.errors.DuplicateKeyError) as caught:
        collection.insert_one({"_id": 2, "a": {"b": "x"}, "c": 1.0})
    details = caught.value.details
    assert (details["code"], details["keyPattern"]) == (11000, {"a.b": 1, "c": -1})
    assert details["keyValue"] == {"a.b": "x", "c": 1}
    collection.insert_one({"_id": 3, "a": {"b": "x"}, "c": 2})
    with pytest.raises(pymongo.errors.DuplicateKeyError):
        collection.update_one({"_id": 3}, {"$set": {"c": 1}})


def test_uniqueness_of_arrays_missing_fields_and_sparse_indexes(collection):
    collection.create_index("tags", unique=True)
    collection.insert_many([{"_id": 1, "tags": ["a", "b", "a"]}, {"_id": 2}])
    for document in ({"tags": "b"}, {"tags": ["c", "b"]}, {}, {"tags": None}):
        with pytest.raises(pymongo.errors.DuplicateKeyError):
            collection.insert_one(document)
    collection.drop_index("tags_1")
    collection.create_index("tags", unique=True, sparse=True)
    collection.insert_many([{}, {}])
    with pytest.raises(pymongo.errors.DuplicateKeyError):
        collection.insert_one({"tags": "a"})


def test_a_partial_index_is_unique_among_what_it_covers(collection):
    collection.create_index("a", unique=True, partialFilterExpression={"live": True})
    collection.insert_many([{"a": 1}, {"a": 1}, {"a": 1, "live": True}])
    with pytest.raises(pymongo.errors.DuplicateKeyError):
        collection.insert_one({"a": 1, "live": True})


def test_a_unique_index_cannot_be_built_over_duplicates(collection):
    collection.insert_many([{"a": 1}, {"a": 1}])
    with pytest.raises(pymongo.errors.DuplicateKeyError):
        collection.create_index("a", unique=True)
    assert set(collection.index_information()) == {"_id_"}


def test_validators(collection):
    database = collection.database
    schema = {"bsonType": "object", "required": ["name"], "properties": {"age": {"bsonType": "int", "minimum": 0}}}
    database.create_collection("people", validator={"$jsonSchema": schema})
    database["people"].insert_one({"_id": 1, "name": "Ada", "age": 36})
    for document in ({"age": 1}, {"name": "x", "age": -1}, {"name": "x", "age": 1.5}):
        with pytest.raises(pymongo.errors.WriteError) as caught:
            database["people"].insert_one(document)
        assert caught.value.code == 121
    with pytest.raises(pymongo.errors.WriteError):
        database["people"].update_one({"_id": 1}, {"$set": {"age": "old"}})
