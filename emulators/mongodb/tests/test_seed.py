"""The sample data: the same everywhere, coherent, and never planted over anything."""

from __future__ import annotations

import datetime as dt

import pytest
from bson import Decimal128

from emulators.mongodb.__main__ import build
from emulators.mongodb.config import Config
from emulators.mongodb.seed import collections


@pytest.fixture(scope="module")
def data():
    return collections()


def test_it_is_the_same_on_every_call(data):
    assert collections() == data


def test_its_sizes(data):
    assert {name: len(documents) for name, documents in data.items()} == {
        "services": 24,
        "deployments": 360,
        "incidents": 48,
        "costs": 288,
    }


def test_everything_refers_to_a_service_that_exists(data):
    names = {service["_id"] for service in data["services"]}
    referred = {item["service"] for name in ("deployments", "incidents", "costs") for item in data[name]}
    needed = {other for service in data["services"] for other in service["dependsOn"]}
    assert referred | needed <= names


def test_incidents_follow_the_deployment_that_caused_them(data):
    deployed = {item["_id"]: item for item in data["deployments"]}
    caused = [item for item in data["incidents"] if item["deployment"] is not None]
    assert caused
    for incident in caused:
        assert incident["openedAt"] > deployed[incident["deployment"]]["finishedAt"]
        assert incident["service"] == deployed[incident["deployment"]]["service"]


def test_identities_are_unique_and_dates_lie_in_the_past(data):
    for documents in data.values():
        assert len({document["_id"] for document in documents}) == len(documents)
    assert max(item["finishedAt"] for item in data["deployments"]) < dt.datetime(2026, 11, 23)


def test_amounts_are_the_sum_of_their_parts(data):
    for row in data["costs"]:
        parts = sum(value.to_decimal() for value in row["breakdown"].values())
        assert row["amount"] == Decimal128(str(parts))


def configuration(directory, *, seed):
    return Config.parse({"users": [], "data_dir": str(directory), "seed": seed})


def test_it_is_planted_once_and_only_where_there_was_nothing(tmp_path):
    server = build(configuration(tmp_path, seed=True))
    server.store.drop("platform", "costs")
    server.store.flush()
    server.store.close()
    again = build(configuration(tmp_path, seed=True))
    assert [collection.name for collection in again.store.collections("platform")] == [
        "deployments",
        "incidents",
        "services",
    ]
    again.store.close()


def test_it_is_not_planted_unasked(tmp_path):
    server = build(configuration(tmp_path, seed=False))
    assert server.store.database_names() == []
    server.store.close()
