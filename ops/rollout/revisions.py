"""Releases of apps: a new revision beside the one that has the calls, which go to it step by step, and back.

What Terraform is told stands in images.json: `traffic` leaves an earlier revision its share, and `newest` is what the
newest revision runs where an earlier one serves ("Traffic splitting in Azure Container Apps", 2023-03-28).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from emulators.base.files import read_object
from emulators.base.state import State
from ops.azure import az
from ops.cli.steps import Step, until
from ops.config.environment import Environment
from ops.config.servers import App, apps
from ops.errors import NotDeployedError
from ops.images import images_json
from ops.images.images_json import Entries
from ops.rollout.session import Session
from twin import control

#: Percent of the calls that the earlier revision keeps: until the new one is ready, then while the gateway is asked.
STEPS = (100, 50)
_TIMEOUT = 600.0  # seconds in which a new revision must be ready
_PAUSE = 5.0
_LOCAL_TIMEOUT = 90.0


def released(environment: Environment, before: Mapping[str, Any], after: Entries) -> list[App]:
    """Return the apps that run an image and are to run another."""
    return [
        app
        for app in apps(environment).values()
        if (was := before.get(app.server) or {}).get("digest")
        and after.get(app.server, was).get("digest") != was["digest"]
    ]


def serving(session: Session, wanted: Collection[App]) -> dict[str, str]:
    """Return the suffix of the revision that has the calls of each app that is deployed."""
    found: dict[str, str] = {}
    names = {app.name for app in wanted}
    shown = State.from_show_json(session.space.terraform.show(session.space.stage(2)))
    for resource in shown.of_type("azurerm_container_app"):
        if resource["name"] in names:
            weights = resource.block("ingress").get("traffic_weight") or ()
            held = next((w["revision_suffix"] for w in weights if not w.get("latest_revision") and w["percentage"]), "")
            found[resource["name"]] = held or str(resource["latest_revision_name"]).rpartition("--")[2]
    return found


def hold(session: Session, held: Mapping[str, str], weight: int) -> None:
    """Leave each of these apps' revisions `weight` percent of its calls, at Terraform's next plan."""
    path, known = session.space.images_file, apps(session.environment)
    entries = {name: dict(entry) for name, entry in images_json.read(path, session.runner).items()}
    for name, suffix in held.items():
        entry = entries[known[name].server]
        entry["traffic"] = {**(entry.get("traffic") or {}), known[name].tier: {"revision": suffix, "weight": weight}}
    images_json.change(path, entries, session.runner)


def release(session: Session) -> None:
    """Let the newest revisions have all calls, at Terraform's next plan."""
    path = session.space.images_file
    entries = images_json.read(path, session.runner)
    if entries:
        images_json.change(
            path, {name: images_json.without_traffic(entry) for name, entry in entries.items()}, session.runner
        )


def back(session: Session, server: str, goal: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry with which the calls go back to the revisions that run `goal`, as no new ones are made.

    Where one of them is gone the entry is `goal` itself: a new revision of the earlier image.
    """
    suffixes = {
        app.tier: revision_of(session, app, str(goal["digest"]))
        for app in apps(session.environment).values()
        if app.server == server
    }
    if not suffixes or not all(suffixes.values()):
        return dict(goal)
    traffic = {tier: {"revision": suffix, "weight": 100} for tier, suffix in suffixes.items()}
    return {**goal, "newest": entry.get("newest") or entry["digest"], "traffic": traffic}


def revision_of(session: Session, app: App, digest: str) -> str:
    """Return the suffix of the app's youngest revision that runs the image, made active; empty where there is none."""
    environment = session.environment
    if session.ports is not None:
        kept = read_object(environment.home / "run" / "revisions.json").get(app.name) or ()
        found = [one["name"] for one in kept if one["template"]["container"][0]["image"].endswith(digest)]
        return found[-1].rpartition("--")[2] if found else ""
    listed = session.runner.run(az.look(*_revisions(environment, app), "--all", expected=[])) or []
    fitting = [one for one in listed if str(one["properties"]["template"]["containers"][0]["image"]).endswith(digest)]
    if not fitting:
        return ""
    youngest = max(fitting, key=lambda one: str(one["properties"]["createdTime"]))
    if not youngest["properties"]["active"]:
        session.runner.run(
            az.step("containerapp", "revision", "activate", *_in(environment), "--revision", youngest["name"])
        )
    return str(youngest["name"]).rpartition("--")[2]


def require_ready(session: Session, wanted: Collection[App]) -> None:
    """Wait until each app's newest revision is ready; NotDeployedError where one is not."""
    for app in wanted:
        wait = _wait_until_ready if session.ports is None else _wait_locally
        session.runner.run(wait(session.environment, app))


def _wait_until_ready(environment: Environment, app: App) -> Step[None]:
    show = ("containerapp", "show", *_in(environment), "--name", app.name)
    names = (*show, "--query", "properties.[latestRevisionName, latestReadyRevisionName]")
    same = (*show, "--query", "properties.latestRevisionName == properties.latestReadyRevisionName")

    def act() -> None:
        deadline = time.monotonic() + _TIMEOUT
        while (found := az.run(*names))[0] != found[1]:
            if time.monotonic() > deadline:
                raise NotDeployedError(
                    f"revision {found[0]} of app {app.name} is not ready after {_TIMEOUT:.0f} s, so the calls stay "
                    f"with {found[1] or 'none'}; see `invoke logs --env {environment.name}`, then "
                    f"`invoke rollback --env {environment.name}`"
                )
            time.sleep(_PAUSE)

    return Step(act, None, (until(f'[ "$({az.command(*same, "--output", "tsv")})" = true ]', _PAUSE),))


def _wait_locally(environment: Environment, app: App) -> Step[None]:
    run = environment.home / "run"

    def act() -> None:
        deadline = time.monotonic() + _LOCAL_TIMEOUT
        while control.status(environment.home) is not None:  # what does not run is waited for when it starts
            kept = read_object(run / "revisions.json").get(app.name) or [{"name": ""}]
            newest = kept[-1]["name"]
            held = read_object(run / "apps.status.json").get(app.name) or {}
            states = [one["state"] for name, one in held.get("replicas", {}).items() if name.startswith(f"{newest}.")]
            if "healthy" in states:
                return
            if "failed" in states or time.monotonic() > deadline:
                raise NotDeployedError(
                    f"revision {newest} of app {app.name} is not ready ({', '.join(states) or 'not started'}), so the "
                    f"calls stay with {held.get('latest') or 'none'}; see `invoke logs`, then `invoke rollback`"
                )
            time.sleep(0.1)

    return Step(act, None)


def deactivate_old(session: Session, wanted: Collection[App]) -> None:
    """End what has no calls: Azure keeps the minimum of replicas of each active revision, and their cost.

    "Revisions in Azure Container Apps": one stays active until somebody deactivates it. Locally it ends by itself.
    """
    if session.ports is not None:
        return
    for app in wanted:
        idle: list[str] = session.runner.run(Step(partial(_idle, session.environment, app), []))
        for name in idle:
            session.runner.run(
                az.step("containerapp", "revision", "deactivate", *_in(session.environment), "--revision", name)
            )


def _idle(environment: Environment, app: App) -> list[str]:
    latest = az.run(
        "containerapp", "show", *_in(environment), "--name", app.name, "--query", "properties.latestRevisionName"
    )
    return [
        str(revision["name"])
        for revision in az.run(*_revisions(environment, app)) or []
        if revision["properties"]["active"]
        and not revision["properties"].get("trafficWeight")
        and revision["name"] != latest
    ]


def _revisions(environment: Environment, app: App) -> tuple[str, ...]:
    return ("containerapp", "revision", "list", *_in(environment), "--name", app.name)


def _in(environment: Environment) -> tuple[str, ...]:
    return ("--resource-group", environment.need("RESOURCE_GROUP"))
