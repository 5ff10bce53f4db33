"""The configuration file: what it may say, and what it must not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from emulators.base import live
from emulators.base.errors import ConfigError, EmulatorError
from emulators.mongodb.__main__ import configuration, take_users
from emulators.mongodb.config import Config, User
from emulators.mongodb.dispatch import Server
from emulators.mongodb.errors import MongoError
from emulators.mongodb.scram import Credentials

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
        ({}, "needs `users` or `users_file`"),
        ({"users": [], "users_file": "x"}, "and not both"),
        ({"users": {}}, "must be a list"),
        ({"users": [], "prot": 1}, "has the unknown key 'prot'; it knows data_dir, host"),
        ({"users": [], "host": "0.0.0.0"}, "listens on 127.0.0.1 only"),
        ({"users": [{**USER, "role": "admin"}]}, "must be one of readWrite, read"),
        ({"users": [{**USER, "password": ""}]}, "is not empty"),
        ({"users": [{"name": "x"}]}, "needs exactly"),
    ],
)
def test_mistakes_are_one_sentence(given, message):
    with pytest.raises(EmulatorError, match=message):
        Config.parse(given)


def test_users_in_a_file_of_their_own(tmp_path):
    """Which is read again while it runs."""
    file = tmp_path / "users.json"
    file.write_text(json.dumps([USER]))
    config = Config.parse({"users_file": str(file)})
    assert (config.users_file, config.users) == (file, (User(**USER),))


@pytest.mark.parametrize("text", [None, "{", "{}", '[{"name": "x"}]'])
def test_a_users_file_that_says_nothing_useful(tmp_path, text):
    file = tmp_path / "users.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(MongoError, match=r"users\.json must be a JSON list of users, and is not"):
        Config.parse({"users_file": str(file)})


@pytest.mark.parametrize("text", ["{", '[{"name": "x"}]'])
def test_nonsense_leaves_the_users_as_they_were(tmp_path, text):
    """And is not confirmed: whoever wrote it learns that it does not count."""
    file = tmp_path / "users.json"
    file.write_text(json.dumps([USER]))
    server = Server(None, Credentials(Config.parse({"users_file": str(file)}).users))
    take_users(server, file)
    held = dict(server.credentials._by_name)
    file.write_text(text)
    take_users(server, file)
    assert server.credentials._by_name == held
    assert not live.is_taken({str(file): text})


@pytest.mark.parametrize(("text", "message"), [("{", "cannot be read"), ("[]", "must be a JSON object, not a list")])
def test_a_file_that_is_no_configuration(tmp_path, text, message):
    (tmp_path / "mongo.json").write_text(text)
    with pytest.raises(ConfigError, match=message):
        Config.load(tmp_path / "mongo.json")


def test_flags_say_the_same_as_a_file(tmp_path):
    file = tmp_path / "users.json"
    file.write_text(json.dumps([USER]))
    found = configuration(["--port", "0", "--data-dir", "d", "--users-file", str(file), "--seed"])
    assert found == Config.parse({"port": 0, "data_dir": "d", "users_file": str(file), "seed": True})
    assert configuration([]) == Config("127.0.0.1", 27017, None, (), seed=False)


def test_a_file_and_flags_together_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        configuration(["--config", "mongo.json", "--port", "5"])
    assert "leave --port out" in capsys.readouterr().err


def test_the_readmes_configurations_are_ones():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    passwords, tokens = (
        Config.parse(json.loads(shown)) for shown in re.findall(r"```json\n(.*?)```", readme, re.DOTALL)
    )
    assert [user.role for user in passwords.users] == ["readWrite", "read"]
    assert [user.role for user in tokens.users] == ["root"]
    assert tokens.oidc is not None
