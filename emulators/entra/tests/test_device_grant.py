"""The device flow."""

from __future__ import annotations

from typing import Any

import pytest

from emulators.entra.tests.driver import CLIENT, SCOPE, STRANGER, Driver, claims, refused

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def start(driver: Driver) -> dict[str, Any]:
    found: dict[str, Any] = driver.post("devicecode", {"client_id": CLIENT, "scope": f"{SCOPE} offline_access"}).json()
    return found


def poll(driver: Driver, device: dict[str, Any], client_id: str = CLIENT) -> Any:
    return driver.token(grant_type=GRANT, client_id=client_id, device_code=device["device_code"])


def test_a_person_signs_the_device_in(driver: Driver) -> None:
    """Pending until the code was typed and an account was picked, then tokens, once."""
    device = start(driver)
    assert device["verification_uri"] in device["message"]
    assert refused(poll(driver, device)) == 70016
    shown = driver.http.post("/devicelogin", data={"user_code": device["user_code"].lower()})
    assert "Are you trying to sign in to" in shown.text
    assert "You have signed in" in driver.press(shown, user="reader").text
    body = poll(driver, device).json()
    assert claims(body["access_token"])["preferred_username"] == "reader@twin.example"
    assert driver.refresh(body["refresh_token"]).status_code == 200
    assert refused(poll(driver, device)) == 70018


def test_a_declined_device_hears_so(driver: Driver) -> None:
    """authorization_declined."""
    device = start(driver)
    shown = driver.http.post("/devicelogin", data={"user_code": device["user_code"]})
    assert "Cancelled" in driver.press(shown, cancel="1").text
    answer = poll(driver, device)
    assert (refused(answer), answer.json()["error"]) == (70017, "authorization_declined")


def test_a_device_code_expires(driver: Driver) -> None:
    """expired_token for the device, and the user code is void."""
    device = start(driver)
    driver.clock.now += 900
    assert driver.http.post("/devicelogin", data={"user_code": device["user_code"]}).status_code == 400
    assert poll(driver, device).json()["error"] == "expired_token"


def test_a_device_code_belongs_to_its_client(driver: Driver) -> None:
    """Another client polls in vain, and the sign-in stays available to the right one."""
    device = start(driver)
    assert refused(poll(driver, device, STRANGER)) == 70018
    assert refused(poll(driver, device)) == 70016


@pytest.mark.parametrize("code", ["", "WRONG", "<script>"])
def test_a_wrong_user_code_asks_again(driver: Driver, code: str) -> None:
    """The page says so and shows the form; nothing of the input comes back."""
    shown = driver.http.post("/devicelogin", data={"user_code": code})
    assert (shown.status_code, "Check the code" in shown.text, "<script" in shown.text) == (400, True, False)


def test_only_public_clients_use_the_device_flow(driver: Driver) -> None:
    """fallback_public_client_enabled decides; AADSTS7000218 otherwise."""
    assert refused(driver.post("devicecode", {"client_id": STRANGER, "scope": SCOPE})) == 7000218
