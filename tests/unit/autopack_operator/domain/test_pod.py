"""The pod of an attempt: restricted, apart from others, with nothing in it that a run's author may not choose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.autopack_operator.builders import PROFILE, SETTINGS, SHA, RunBuilder

from autopack_operator.domain.api.profile import Database, RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.pod.manifest import SAVE_SECONDS, run_pod
from autopack_operator.domain.views import Attempt

ATTEMPT = Attempt(1, "n-demo", SHA, "workspaces/one/a1-00000000", "one/a1-00000000", ".kept/one/a1-00000000")


def spec(**fields: object) -> AutopackRunSpec:
    base: dict[str, Any] = {"source": {"repository": "demo"}, "command": ["work"]}
    return AutopackRunSpec.model_validate(base | fields)


def make(
    settings: Any = SETTINGS, profile: RunProfileSpec = PROFILE, attempt: Attempt = ATTEMPT, **fields: object
) -> dict[str, Any]:
    return run_pod(RunBuilder("one").view(), spec(**fields), profile, attempt, settings, "autopack/one")


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["spec"]["initContainers"], *pod["spec"]["containers"]]


def environment(pod: dict[str, Any], name: str) -> dict[str, str]:
    container = next(each for each in containers(pod) if each["name"] == name)
    return {item["name"]: item["value"] for item in container["env"]}


def test_every_container_is_restricted() -> None:
    pod = make()
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(pod):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_no_token_is_mounted() -> None:
    assert make()["spec"]["automountServiceAccountToken"] is False


def test_only_folders_of_the_attempt_are_writable() -> None:
    for container in containers(make()):
        claims = [mount for mount in container["volumeMounts"] if mount["name"] == "runs"]
        writable = [mount["subPath"] for mount in claims if not mount.get("readOnly")]
        # The command cannot write what the keeper writes down of it: only its git dir and how it ended.
        kept = f"{ATTEMPT.kept}/run" if container["name"] == "run" else ATTEMPT.kept
        assert sorted(writable) == sorted([ATTEMPT.artifacts, ATTEMPT.workspace, kept])
        assert [m["subPath"] for m in claims if m.get("readOnly")] == [".repos/n-demo/mirror.git"]


def test_what_the_commands_container_has_of_the_keepers_files_lies_where_the_keeper_sees_it() -> None:
    def mounted(name: str) -> dict[str, str]:
        container = next(each for each in containers(make()) if each["name"] == name)
        return {m["mountPath"]: m["subPath"] for m in container["volumeMounts"] if m["name"] == "runs"}

    assert mounted("keeper")["/autopack/.kept/one"] == ATTEMPT.kept
    assert mounted("run")["/autopack/.kept/one/run"] == f"{ATTEMPT.kept}/run"
    assert environment(make(), "keeper")["AUTOPACK_KEPT"] == "/autopack/.kept/one"
    command = make()["spec"]["containers"][0]["command"]
    assert command[command.index("--exit-file") + 1] == "/autopack/.kept/one/run/exit.json"


def test_an_attempt_prepared_before_our_files_lay_apart_runs_as_it_would_have_then() -> None:
    pod = make(attempt=replace(ATTEMPT, kept=ATTEMPT.artifacts))
    for container in containers(pod):
        claims = [m for m in container["volumeMounts"] if m["name"] == "runs" and not m.get("readOnly")]
        assert sorted(mount["subPath"] for mount in claims) == [ATTEMPT.artifacts, ATTEMPT.workspace]
    assert environment(pod, "keeper")["AUTOPACK_KEPT"] == "/autopack/one"
    command = pod["spec"]["containers"][0]["command"]
    assert command[command.index("--exit-file") + 1] == "/autopack/one/exit.json"


def test_the_users_variables_cannot_replace_ours() -> None:
    pod = make(env=[{"name": "AUTOPACK_RUN_ID", "value": "another"}, {"name": "OWN", "value": "x"}])
    env = environment(pod, "run")
    assert (env["AUTOPACK_RUN_ID"], env["OWN"]) == ("one", "x")


def test_the_image_says_where_its_home_is_and_the_entrypoint_where_the_commands_is() -> None:
    pod = make(env=[{"name": "HOME", "value": "/etc"}])
    assert "HOME" not in environment(pod, "run")
    command = pod["spec"]["containers"][0]["command"]
    assert command[command.index("--home") + 1] == environment(pod, "workspace")["HOME"] == "/tmp"


def test_the_command_has_an_account_whatever_the_image_knows() -> None:
    mounts = make()["spec"]["containers"][0]["volumeMounts"]
    files = {
        m["mountPath"]: (m["name"], m["subPath"], m["readOnly"]) for m in mounts if m["mountPath"].startswith("/etc")
    }
    assert files == {"/etc/passwd": ("bin", "passwd", True), "/etc/group": ("bin", "group", True)}


def test_who_commits_is_said_by_the_run_or_else_by_us() -> None:
    assert environment(make(), "run")["EMAIL"] == "autopack-run@invalid"
    assert environment(make(env=[{"name": "EMAIL", "value": "a@b"}]), "run")["EMAIL"] == "a@b"


def test_a_dollar_sign_reaches_the_command_as_it_is() -> None:
    pod = make(command=["sh", "-c", "echo $(HOME) $$"], env=[{"name": "PRICE", "value": "$(X)"}])
    # The kubelet turns "$$" into "$" and expands only "$(NAME)".
    assert pod["spec"]["containers"][0]["args"][2] == "echo $$(HOME) $$$$"
    assert environment(pod, "run")["PRICE"] == "$$(X)"


@pytest.mark.parametrize(("mode", "expected"), [("None", None), ("PerRunSQLite", "sqlite:////autopack/one/one.db")])
def test_database_url(mode: str, expected: str | None) -> None:
    assert environment(make(databaseMode=mode), "run").get("DATABASE_URL") == expected


def test_the_database_is_named_and_never_read() -> None:
    profile = PROFILE.model_copy(update={"database": Database(secret_name="pg", key="dsn")})
    pod = make(profile=profile, databaseMode="Postgres", env=[{"name": "DATABASE_URL", "value": "theirs"}])
    entries = [item for item in pod["spec"]["containers"][0]["env"] if item["name"] == "DATABASE_URL"]
    assert entries == [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "pg", "key": "dsn"}}}]
    assert "pg" not in str(pod["spec"]["initContainers"])


@pytest.mark.parametrize(("seconds", "passed_on"), [(7, "7s"), (0, "1ms")])
def test_a_command_gets_its_grace_period_and_the_keeper_time_after_it(seconds: int, passed_on: str) -> None:
    pod = make(terminationGracePeriodSeconds=seconds)
    command = pod["spec"]["containers"][0]["command"]
    assert command[command.index("--kill-after") + 1] == passed_on
    assert pod["spec"]["terminationGracePeriodSeconds"] == seconds + SAVE_SECONDS


@pytest.mark.parametrize(("seconds", "told"), [(None, []), (600, ["--idle-after", "600s"])])
def test_an_idle_command_is_stopped_where_the_run_asks_for_it(seconds: int | None, told: list[str]) -> None:
    command = make(idleTimeoutSeconds=seconds)["spec"]["containers"][0]["command"]
    assert command[command.index("--changes-file") + 2 : -1] == told


def test_only_the_keeper_can_ask_for_the_commands_stop() -> None:
    by_container = {
        container["name"]: next(m for m in container["volumeMounts"] if m["name"] == "bin")["readOnly"]
        for container in containers(make())
    }
    assert by_container == {"workspace": False, "keeper": False, "run": True}


def test_a_quota_is_told_to_the_keeper_and_bounds_the_temporary_files() -> None:
    pod = make(profile=PROFILE.model_copy(update={"disk_quota": "2Gi"}))
    assert environment(pod, "keeper")["AUTOPACK_DISK_QUOTA_BYTES"] == str(2 << 30)
    assert {"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}} in pod["spec"]["volumes"]
    assert "AUTOPACK_DISK_QUOTA_BYTES" not in environment(make(), "keeper")


def test_read_write_once_puts_the_pod_where_the_volume_service_is() -> None:
    assert "affinity" not in make()["spec"]
    once = make(replace(SETTINGS, read_write_once=True, volume_labels={"a": "b"}))
    term = once["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]
    assert term == {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "kubernetes.io/hostname"}
