"""The containers of a run's pod: our two helpers, and the user's command in the wrapper that keeps its output."""

from __future__ import annotations

from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.pod import environment, gateway, mounts, security
from autopack_operator.domain.pod.launch import launch_of
from autopack_operator.domain.pod.paths import CHANGES_FILE, ENTRYPOINT, STOP_FILE, TMP, PodPaths
from autopack_operator.domain.pod.settings import PodSettings
from autopack_operator.domain.run.profile_policy import image_of
from autopack_operator.domain.run.verdict import RUN_CONTAINER
from autopack_operator.domain.views import Attempt

_HELPER_REQUESTS = {"cpu": "10m", "memory": "32Mi"}
_HELPER_LIMITS = {"memory": "512Mi"}


def helper(
    name: str,
    profile: RunProfileSpec,
    env: list[JsonDict],
    attempt: Attempt,
    paths: PodPaths,
    settings: PodSettings,
) -> JsonDict:
    """Return one of our own containers: `workspace` or `keeper`, a command of autopack-runtime."""
    return {
        "name": name,
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": ["autopack-runtime", name],
        "env": env,
        "resources": {
            "requests": _HELPER_REQUESTS | profile.helper_resources.requests,
            "limits": _HELPER_LIMITS | profile.helper_resources.limits,
        },
        "securityContext": security.of_container(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts.of_helper(name, profile, attempt, paths),
    }


def command(
    spec: AutopackRunSpec,
    profile: RunProfileSpec,
    env: list[JsonDict],
    attempt: Attempt,
    paths: PodPaths,
    settings: PodSettings,
) -> JsonDict:
    """Return the container of the user's command."""
    launch = launch_of(spec, profile, paths.files)
    return {
        "name": RUN_CONTAINER,
        "image": image_of(spec, profile),
        "imagePullPolicy": profile.image_pull_policy,
        "command": [*_wrapper(spec, paths), *gateway.options(profile, settings), *launch.options, "--"],
        "args": [environment.verbatim(word) for word in launch.words],
        "workingDir": paths.workspace,
        "env": env,
        "resources": profile.resources.model_dump(exclude_defaults=True),
        "securityContext": security.of_container(),
        "volumeMounts": mounts.of_command(RUN_CONTAINER, profile, attempt, paths, settings, asked=spec.has_prompt),
    }


def _wrapper(spec: AutopackRunSpec, paths: PodPaths) -> list[str]:
    # To the entrypoint, 0 would mean to wait forever.
    grace = f"{spec.termination_grace_period_seconds}s" if spec.termination_grace_period_seconds else "1ms"
    idle = [] if spec.idle_timeout_seconds is None else ["--idle-after", f"{spec.idle_timeout_seconds}s"]
    return [
        ENTRYPOINT,
        "--home",
        TMP,
        "--logs",
        f"{paths.files.artifacts}/logs",
        "--exit-file",
        str(paths.files.exit_file),
        "--stop-file",
        STOP_FILE,
        "--kill-after",
        grace,
        "--changes-file",
        CHANGES_FILE,
        *idle,
    ]
