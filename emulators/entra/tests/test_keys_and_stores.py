"""Keys on disk, rollover, and single-use tokens."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from emulators.base.errors import EmulatorError
from emulators.entra.keys import FILE, KeyRing
from emulators.entra.stores import LIMIT, LapsedTokenError, SingleUse, SpentTokenError, UnknownTokenError
from emulators.entra.tests.driver import Clock


def test_keys_survive_a_restart(tmp_path: Path) -> None:
    """Same public keys, same subjects, and sealed records open."""
    first = KeyRing.open(tmp_path)
    second = KeyRing.open(tmp_path)
    assert second.public() == first.public()
    assert second.pairwise("app", "user") == first.pairwise("app", "user")
    assert second.unseal(first.seal({"a": 1})) == {"a": 1}


def test_the_key_file_is_its_owners_only(tmp_path: Path) -> None:
    """Mode 0600, also after a rollover."""
    ring = KeyRing.open(tmp_path)
    ring.rotate()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_broken_key_file_says_how_to_mend_it(tmp_path: Path) -> None:
    """Not overwritten: somebody may want it."""
    (tmp_path / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(EmulatorError, match="delete the file"):
        KeyRing.open(tmp_path)


def test_a_rollover_signs_with_a_key_that_was_published_before() -> None:
    """Clients that cached the keys go on; tokens signed before still verify; the oldest key goes in the end."""
    ring = KeyRing.in_memory()
    cached, old = ring.public(), ring.sign({"n": 1})
    ring.rotate()
    new = ring.sign({"n": 2})
    assert (
        jwt.decode(new, KeySet.import_key_set({"keys": cached}), algorithms=["RS256"]).header["kid"] == cached[1]["kid"]
    )
    assert jwt.decode(old, KeySet.import_key_set({"keys": ring.public()}), algorithms=["RS256"]).claims == {"n": 1}
    ring.rotate()
    assert cached[0]["kid"] not in {key["kid"] for key in ring.public()}


def test_keys_that_cannot_be_kept_are_not_used(tmp_path: Path) -> None:
    """As on a full disk: what a restart would not find again signs nothing, and the next rollover is a whole one."""
    ring = KeyRing.open(tmp_path)
    published, partial = ring.public(), tmp_path / FILE.replace(".json", ".partial")
    partial.mkdir()  # in the place of the file that is written first
    with pytest.raises(EmulatorError, match="signing keys stay as they were"):
        ring.rotate()
    assert ring.public() == published
    assert KeyRing.open(tmp_path).public() == published
    partial.rmdir()
    ring.rotate()
    assert KeyRing.open(tmp_path).public() == ring.public() != published


def test_sealed_records_of_another_issuer_do_not_open() -> None:
    """Nor does anything that was never sealed."""
    ring = KeyRing.in_memory()
    assert ring.unseal(KeyRing.in_memory().seal({"a": 1})) is None
    assert [ring.unseal(text) for text in ("", "a", "a.b.c.d.e", ring.sign({"a": 1}))] == [None] * 4


def test_a_single_use_token_works_once_and_in_time() -> None:
    """Unknown, spent and lapsed are told apart."""
    clock = Clock()
    store: SingleUse[str] = SingleUse(clock, 10)
    first, second = store.issue("a"), store.issue("b")
    assert store.redeem(first) == "a"
    with pytest.raises(SpentTokenError):
        store.redeem(first)
    clock.now += 10
    with pytest.raises(LapsedTokenError):
        store.redeem(second)
    with pytest.raises(UnknownTokenError):
        store.redeem("never")


def test_a_store_does_not_grow_without_bound() -> None:
    """The oldest go first, and old ones are forgotten."""
    clock = Clock()
    store: SingleUse[int] = SingleUse(clock, 10)
    tokens = [store.issue(number) for number in range(LIMIT + 1)]
    with pytest.raises(UnknownTokenError):
        store.redeem(tokens[0])
    assert store.redeem(tokens[-1]) == LIMIT
    clock.now += 21
    store.issue(0)
    with pytest.raises(UnknownTokenError):
        store.redeem(tokens[-2])


def test_tokens_are_not_kept_in_clear() -> None:
    """Whoever reads the memory of the store finds hashes."""
    store: SingleUse[str] = SingleUse(Clock(), 10)
    token = store.issue("value")
    assert token not in repr(store.__dict__)
