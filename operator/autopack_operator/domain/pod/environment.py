"""The environment variables of a run's containers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from autopack.agents.formats import OutputFormat
from autopack_operator.domain.api.bindings import BoundEnv
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec, DatabaseMode
from autopack_operator.domain.pod import bound_files, gateway
from autopack_operator.domain.pod.paths import ROOT, STOP_FILE, TMP, PodPaths
from autopack_operator.domain.pod.settings import PodSettings
from autopack_operator.domain.quantities import whole
from autopack_operator.domain.run.agent_policy import agent_of
from autopack_operator.domain.views import Attempt, RunView

_IDENTITY = {"EMAIL": "autopack-run@invalid"}
"""Who commits, in any repository, where neither git's settings nor its own variables say it (git-commit-tree(1)). The
name is that of the account.
"""


def _everywhere(run: RunView, attempt: Attempt, paths: PodPaths) -> dict[str, str]:
    return {
        "AUTOPACK_RUN_ID": run.name,
        "AUTOPACK_RUN_UID": run.uid,
        "AUTOPACK_ATTEMPT": str(attempt.number),
        "AUTONOMOUS_RUNS_DIR": ROOT,
        "AUTOPACK_WORKSPACE": paths.workspace,
        "AUTOPACK_ARTIFACTS": str(paths.files.artifacts),
        "PYTHONUTF8": "1",
        "HOME": TMP,
    }


def of_workspace(
    run: RunView, spec: AutopackRunSpec, attempt: Attempt, paths: PodPaths, branch: str, profile: RunProfileSpec
) -> list[JsonDict]:
    """Return what the workspace container is told."""
    told = _for_git(run, attempt, paths, branch) | {"AUTOPACK_REF": spec.source.ref}
    return literal(told | bound_files.expected(profile))


def of_keeper(
    run: RunView,
    spec: AutopackRunSpec,
    profile: RunProfileSpec,
    attempt: Attempt,
    paths: PodPaths,
    branch: str,
    settings: PodSettings,
) -> list[JsonDict]:
    """Return what the keeper is told."""
    env = _for_git(run, attempt, paths, branch) | {
        "AUTOPACK_SNAPSHOT_SECONDS": str(settings.snapshot_seconds),
        "AUTOPACK_STOP_FILE": STOP_FILE,
    }
    if profile.disk_quota is not None:
        env["AUTOPACK_DISK_QUOTA_BYTES"] = str(whole(profile.disk_quota))
    if (agent := agent_of(spec, profile)) is not None and agent.output is not OutputFormat.TEXT:
        env["AUTOPACK_AGENT_OUTPUT"] = agent.output
    return literal(env)


def of_command(
    run: RunView,
    spec: AutopackRunSpec,
    profile: RunProfileSpec,
    attempt: Attempt,
    paths: PodPaths,
    settings: PodSettings,
) -> list[JsonDict]:
    """Return the environment of the user's command. Where a name is set more than once, the last one holds: first what
    leads to the gateway, which is no secret, and what the profile gives to all of its runs, then the run's own, then
    the agent's, whose key would otherwise go to whatever address a run names, and ours over all, because the isolation
    hangs on them.
    """
    reserved = _everywhere(run, attempt, paths)
    if spec.database_mode is DatabaseMode.PER_RUN_SQLITE:
        reserved["DATABASE_URL"] = f"sqlite:///{paths.files.artifacts}/{run.name}.db"
    if spec.has_prompt:
        reserved["AUTOPACK_PROMPT_FILE"] = str(paths.files.prompt)
    if spec.agent is not None:
        reserved |= {"AUTOPACK_AGENT": spec.agent.name, "AUTOPACK_MODEL": spec.agent.model or ""}
    secret: list[JsonDict] = []
    if spec.database_mode is DatabaseMode.POSTGRES and profile.database is not None:
        chosen = {"name": profile.database.secret_name, "key": profile.database.key}
        secret = [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": chosen}}]
    agent = agent_of(spec, profile)
    agents = bound(agent.env if agent is not None else ())
    own = literal({var.name: var.value for var in spec.env})
    first = literal(_IDENTITY | bound_files.trust(profile) | gateway.variables(profile, settings))
    env = _last_wins(first, bound(profile.env), own, agents, literal(reserved), secret)
    # Left to the image: the entrypoint looks there for what to bring along, and then sets it to the command's own.
    return [entry for entry in env if entry["name"] != "HOME"]


def _last_wins(*groups: list[JsonDict]) -> list[JsonDict]:
    return list({entry["name"]: entry for group in groups for entry in group}.values())


def bound(env: Iterable[BoundEnv]) -> list[JsonDict]:
    """Return what an administrator binds to values and keys, as a container has it; the kubelet reads the keys."""
    return [
        {"name": var.name, "value": verbatim(var.value or "")}
        if var.value_from is None
        else {"name": var.name, "valueFrom": var.value_from.model_dump(by_alias=True, exclude_none=True)}
        for var in env
    ]


def _for_git(run: RunView, attempt: Attempt, paths: PodPaths, branch: str) -> dict[str, str]:
    return _everywhere(run, attempt, paths) | {
        "AUTOPACK_MIRROR": paths.mirror,
        "AUTOPACK_SHA": attempt.sha,
        "AUTOPACK_BRANCH": branch,
        "AUTOPACK_KEPT": str(paths.files.kept),
    }


def literal(env: Mapping[str, str]) -> list[JsonDict]:
    """Return variables whose values reach the process as they are."""
    return [{"name": name, "value": verbatim(value)} for name, value in env.items()]


def verbatim(text: str) -> str:
    """Return `text` so that the kubelet leaves it alone: it expands "$(X)", and "$$" is its escape."""
    return text.replace("$", "$$")
