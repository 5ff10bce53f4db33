"""What one call of `invoke deploy` asks for, and which options do not go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.config.environment import Environment
from ops.errors import UsageError
from ops.rollout import target_images
from ops.terraform import saved_plan


@dataclass(frozen=True)
class Request:
    """What is asked of one deployment; without arguments, all of it.

    `images` maps servers to a digest or a tag that exists: they are not built. `plan` is a folder that
    `invoke plan --out` wrote: what it holds is applied, or nothing is.
    """

    stages: Sequence[int] = (1, 2)
    images: Mapping[str, str] = field(default_factory=dict)
    plan: Path | None = None

    @property
    def builds(self) -> bool:
        return self.plan is None and tuple(self.stages) == (1, 2)


def parse(environment: Environment, stage: str | None, target_image: Sequence[str], plan: str | None) -> Request:
    """Read what the command line asks for; UsageError for what does not fit together."""
    stages = parse_stage(stage)
    if plan and target_image:
        raise UsageError(
            "--plan applies what was planned, images included; give --target-image to `invoke plan --out` instead"
        )
    check_images(stages, target_image)
    folder = Path(plan).resolve() if plan else None
    if folder and not stage:
        stages = saved_plan.stages(folder)
    for number in stages if folder else ():
        saved_plan.load(folder or Path(), environment, number)
    if folder and not stages:
        raise UsageError(f"--plan {folder} holds no plan; make one with `invoke plan --env {environment.name} --out …`")
    return Request(stages, target_images.parse(target_image, environment), folder)


def parse_stage(text: str | None) -> Sequence[int]:
    """Read `--stage`; None means both."""
    if text is None:
        return (1, 2)
    if text not in ("1", "2"):
        raise UsageError(f"--stage {text!r} must be 1 or 2")
    return (int(text),)


def check_images(stages: Sequence[int], target_image: Sequence[str]) -> None:
    """Raise UsageError where images are named and none would be run."""
    if target_image and 2 not in stages:
        raise UsageError("--target-image is about stage 2, and --stage 1 runs no image; leave one of the two out")
