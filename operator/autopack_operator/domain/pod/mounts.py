"""The volumes of a run's pod, and what each container sees of them."""

from __future__ import annotations

from collections.abc import Iterator

from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.mounted import Scratch
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.pod import bound_files, gateway
from autopack_operator.domain.pod.paths import BIN, TMP, PodPaths
from autopack_operator.domain.pod.settings import PodSettings
from autopack_operator.domain.run.verdict import WORKSPACE_CONTAINER
from autopack_operator.domain.views import Attempt

BIN_SIZE = "64Mi"


def volumes(profile: RunProfileSpec, settings: PodSettings) -> list[JsonDict]:
    """Return the pod's volumes."""
    return [
        {"name": "runs", "persistentVolumeClaim": {"claimName": settings.claim}},
        {"name": "bin", "emptyDir": {"sizeLimit": BIN_SIZE}},
        {"name": "tmp", "emptyDir": {"sizeLimit": profile.disk_quota} if profile.disk_quota else {}},
        *bound_files.volumes(profile),
        *gateway.volumes(profile, settings),
        *({"name": name, "emptyDir": _limits(scratch)} for name, scratch in _scratch(profile)),
    ]


def _scratch(profile: RunProfileSpec) -> Iterator[tuple[str, Scratch]]:
    return ((f"scratch-{number}", scratch) for number, scratch in enumerate(profile.scratch))


def _limits(scratch: Scratch) -> JsonDict:
    return scratch.model_dump(by_alias=True, exclude_none=True, exclude={"path"})


def of_helper(name: str, profile: RunProfileSpec, attempt: Attempt, paths: PodPaths) -> list[JsonDict]:
    """Return the mounts of our container of that name, which may write all that is the attempt's."""
    mounts = _common(name, attempt, paths, bin_read_only=False)
    if paths.files.kept != paths.files.artifacts:
        mounts.append({"name": "runs", "mountPath": str(paths.files.kept), "subPath": attempt.kept})
    return mounts + bound_files.of_workspace(profile) if name == WORKSPACE_CONTAINER else mounts


def of_command(
    name: str, profile: RunProfileSpec, attempt: Attempt, paths: PodPaths, settings: PodSettings, *, asked: bool
) -> list[JsonDict]:
    """Return the mounts of the container of the user's command, which may read what it is `asked`, if anything."""
    mounts = _common(name, attempt, paths, bin_read_only=True)
    mounts += [
        {"name": "bin", "mountPath": f"/etc/{file}", "subPath": file, "readOnly": True} for file in ("passwd", "group")
    ]
    if paths.files.kept != paths.files.artifacts:
        place = paths.files.run_side
        mounts.append({"name": "runs", "mountPath": str(place), "subPath": f"{attempt.kept}/{place.name}"})
    if asked:
        place = paths.files.prompt.parent
        given = {"name": "runs", "mountPath": str(place), "subPath": f"{attempt.kept}/{place.name}", "readOnly": True}
        mounts.append(given)
    scratch = [{"name": volume, "mountPath": scratch.path} for volume, scratch in _scratch(profile)]
    return mounts + bound_files.of_command(profile) + gateway.of_command(profile, settings) + scratch


def _common(container: str, attempt: Attempt, paths: PodPaths, *, bin_read_only: bool) -> list[JsonDict]:
    return [
        {
            "name": "runs",
            "mountPath": paths.mirror,
            "subPath": f".repos/{attempt.repository_key}/mirror.git",
            "readOnly": True,
        },
        {"name": "runs", "mountPath": paths.workspace, "subPath": attempt.workspace},
        {"name": "runs", "mountPath": str(paths.files.artifacts), "subPath": attempt.artifacts},
        {"name": "tmp", "mountPath": TMP, "subPath": container},
        {"name": "bin", "mountPath": BIN, "readOnly": bin_read_only},
    ]
