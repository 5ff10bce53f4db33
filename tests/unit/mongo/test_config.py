"""The configuration file: what it may say, and what it must not."""

from __future__ import annotations

import json

import pytest

from twin.errors import MongoError
from twin.mongo.config import Config

USER = {"name": "account", "password": "secret", "role": "read"}


def test_a_whole_configuration(tmp_path):
    path = tmp_path / "mongo.json"
    path.write_text(json.dumps({"host": "127.0.0.1", "port": 5, "data_dir": "d", "users": [USER], "seed": True}))
    config = Config.load(path)
    assert (config.host, config.port, str(config.data_dir), config.seed) == ("127.0.0.1", 5, "d", True)
    assert (config.users[0].name, config.users[0].role) == ("account", "read")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs `users`"),
        ({"users": [], "prot": 1}, "has only the fields"),
        ([], "has only the fields"),
        ({"users": [], "host": "0.0.0.0"}, "listens on 127.0.0.1 only"),
        ({"users": [{**USER, "role": "admin"}]}, "must be one of readWrite, read"),
        ({"users": [{**USER, "password": ""}]}, "is not empty"),
        ({"users": [{"name": "x"}]}, "needs exactly"),
    ],
)
def test_mistakes_are_one_sentence(given, message):
    with pytest.raises(MongoError, match=message):
        Config.parse(given)


def test_a_file_that_is_no_json(tmp_path):
    (tmp_path / "mongo.json").write_text("{")
    with pytest.raises(MongoError, match="cannot be read"):
        Config.load(tmp_path / "mongo.json")
