"""The few calls of the Docker SDK that the runtime makes, remembered. What an engine does with them is not imitated."""

from __future__ import annotations

import io
import tarfile
from types import SimpleNamespace
from typing import Any

from docker.errors import ImageNotFound


class FakeContainer:
    """`exits`: what waiting for its end does."""

    def __init__(self, engine: FakeEngine, **created: Any) -> None:
        self.created = created
        self.files: dict[str, bytes] = {}
        self.status = "running"
        self._engine = engine

    def put_archive(self, folder: str, archive: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member)
                assert content is not None
                self.files[folder + member.name] = content.read()

    def start(self) -> None:
        self._engine.did.append("start")

    def stop(self, timeout: int) -> None:
        self._engine.did.append("stop")

    def remove(self, v: bool, force: bool) -> None:
        assert v, "anonymous volumes would stay"
        self._engine.did.append("remove")
        self._engine.present.remove(self)

    def reload(self) -> None:
        """Its status is what the test says."""

    def logs(self, stream: bool, follow: bool) -> list[bytes]:
        return []

    def wait(self, timeout: None) -> dict[str, int]:
        return {"StatusCode": 14}


class FakeEngine:
    """`did`: what was asked of it, in order. `present`: its containers; `held`: its volumes' names and labels."""

    def __init__(self, *images: str) -> None:
        self.did: list[str] = []
        self.present: list[FakeContainer] = []
        self.held: dict[str, dict[str, str]] = {}
        self.api = SimpleNamespace(timeout=0.0)
        self.images = SimpleNamespace(get=self._image)
        self.containers = SimpleNamespace(create=self._create, list=self._list)
        self.volumes = SimpleNamespace(create=self._hold, list=self._volumes)
        self._images = images

    def close(self) -> None:
        self.did.append("close")

    def _image(self, name: str) -> None:
        if name not in self._images:
            raise ImageNotFound(f"No such image: {name}")

    def _create(self, image: str, command: list[str], **settings: Any) -> FakeContainer:
        self.did.append("create")
        self.present.append(FakeContainer(self, image=image, command=command, **settings))
        return self.present[-1]

    def _list(self, all: bool, filters: dict[str, str], ignore_removed: bool) -> list[FakeContainer]:
        assert all, "a container that is stopped would be overlooked"
        return [found for found in self.present if _has(found.created["labels"], filters)]

    def _hold(self, name: str, labels: dict[str, str]) -> None:
        self.held.setdefault(name, labels)

    def _volumes(self, filters: dict[str, str]) -> list[Any]:
        return [
            SimpleNamespace(remove=lambda force, name=name: self._drop(name))
            for name, labels in self.held.items()
            if _has(labels, filters)
        ]

    def _drop(self, name: str) -> None:
        self.did.append("remove volume")
        del self.held[name]


def _has(labels: dict[str, str], filters: dict[str, Any]) -> bool:
    wanted = [filters["label"]] if isinstance(filters["label"], str) else filters["label"]
    return all(labels.get(name) == value for name, _, value in (pair.partition("=") for pair in wanted))
