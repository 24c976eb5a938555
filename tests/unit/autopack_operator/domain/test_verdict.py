"""How an attempt ended, read from its pod."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.autopack_operator.builders import NOW, PodBuilder, RunBuilder, committed

from autopack_operator.domain.run.transitions import observed
from autopack_operator.domain.run.verdict import (
    FailureClass,
    Verdict,
    in_the_light_of,
    of_stopped_pod,
    of_stuck_pod,
)

RUN = RunBuilder("one").attempt(1).view()


def pod() -> PodBuilder:
    return PodBuilder(RUN)


def summary(verdict: Verdict) -> tuple[str, str, FailureClass]:
    return verdict.phase, verdict.reason, verdict.failure


def test_exit_code_zero_is_success() -> None:
    assert summary(of_stopped_pod(pod().ended(0).view())) == ("Succeeded", "Completed", FailureClass.NONE)


def test_another_exit_code_is_the_agents_failure() -> None:
    verdict = of_stopped_pod(pod().ended(7).view())
    assert summary(verdict) == ("Failed", "CommandFailed", FailureClass.AGENT)
    assert verdict.exit_code == 7


def test_out_of_memory_is_the_infrastructures_failure() -> None:
    verdict = of_stopped_pod(pod().ended(137, reason="OOMKilled").view())
    assert summary(verdict) == ("Failed", "OOMKilled", FailureClass.INFRASTRUCTURE)


@pytest.mark.parametrize("reason", ["StartError", "ContainerCannotRun", "ContainerStatusUnknown"])
def test_a_command_that_the_runtime_could_not_start_or_lost_did_not_fail(reason: str) -> None:
    verdict = of_stopped_pod(pod().ended(128, reason=reason).view())
    assert summary(verdict) == ("Failed", reason, FailureClass.INFRASTRUCTURE)


def test_a_node_that_was_taken_by_a_more_important_pod_is_the_infrastructures_failure() -> None:
    preempted = pod().ended(143).with_condition("DisruptionTarget", "True", reason="PreemptionByScheduler")
    verdict = of_stopped_pod(preempted.view())
    assert summary(verdict) == ("Failed", "PreemptionByScheduler", FailureClass.INFRASTRUCTURE)


@pytest.mark.parametrize("reason", ["UnexpectedAdmissionError", "OutOfmemory", "NodeAffinity"])
def test_a_pod_that_its_node_does_not_admit_is_the_infrastructures_failure(reason: str) -> None:
    refused = pod().scheduled().status(phase="Failed", reason=reason, message="no")
    assert summary(of_stopped_pod(refused.view())) == ("Failed", reason, FailureClass.INFRASTRUCTURE)


@pytest.mark.parametrize(
    ("how", "code", "expected"), [("Error", 20, "WorktreeFailed"), ("OOMKilled", 137, "WorktreeOOMKilled")]
)
def test_a_worktree_that_could_not_be_made_is_the_infrastructures_failure(how: str, code: int, expected: str) -> None:
    failed = pod().container("workspace", terminated={"exitCode": code, "reason": how}).status(phase="Failed")
    assert summary(of_stopped_pod(failed.view())) == ("Failed", expected, FailureClass.INFRASTRUCTURE)


def test_a_keeper_that_crashes_does_not_fail_a_command_that_succeeded() -> None:
    crashing = pod().ended(0).container("keeper", waiting={"reason": "CrashLoopBackOff"}).view()
    assert crashing.stopped
    assert of_stopped_pod(crashing).phase == "Succeeded"


def test_a_pod_on_a_lost_node_is_not_taken_for_stopped() -> None:
    """The garbage collector sets the phase; that a container runs is what the node said last."""
    assert not pod().running().status(phase="Failed").deleting().view().stopped


def test_a_command_that_ended_because_its_pod_was_deleted_did_not_fail() -> None:
    verdict = of_stopped_pod(pod().ended(143).deleting().view())
    assert summary(verdict) == ("Failed", "PodDeleted", FailureClass.INFRASTRUCTURE)


def test_a_command_that_ended_well_while_its_pod_was_deleted_succeeded() -> None:
    assert of_stopped_pod(pod().ended(0).deleting().view()).phase == "Succeeded"


@pytest.mark.parametrize(
    ("exit_code", "complete", "expected"),
    [
        (0, True, ("Succeeded", "Completed", FailureClass.NONE)),
        (143, True, ("Failed", "PodLost", FailureClass.INFRASTRUCTURE)),
        (0, False, ("Failed", "PodLost", FailureClass.INFRASTRUCTURE)),
        (None, True, ("Failed", "PodLost", FailureClass.INFRASTRUCTURE)),
    ],
)
def test_a_vanished_pod_is_judged_by_what_its_keeper_wrote(
    exit_code: int | None, complete: bool, expected: tuple[str, str, FailureClass]
) -> None:
    work = committed(complete=complete, exit_code=exit_code)
    assert summary(in_the_light_of(work, None)) == expected


def test_a_verdict_over_a_pod_stands_whatever_the_keeper_wrote() -> None:
    verdict = of_stopped_pod(pod().ended(7).view())
    assert in_the_light_of(committed(exit_code=0), verdict) == verdict


@pytest.mark.parametrize("reason", ["DiskQuotaExceeded", "Idle"])
@pytest.mark.parametrize(
    "verdict", [None, of_stopped_pod(pod().ended(143).view()), of_stopped_pod(pod().ended().view())]
)
def test_a_run_that_was_stopped_says_why_however_its_command_ended(verdict: Verdict | None, reason: str) -> None:
    work = replace(committed(exit_code=143), stop_reason=reason)
    assert summary(in_the_light_of(work, verdict)) == ("Failed", reason, FailureClass.AGENT)


def test_a_run_that_was_evicted_meanwhile_was_evicted() -> None:
    evicted = of_stopped_pod(pod().ended(137).status(phase="Failed", reason="Evicted").view())
    assert in_the_light_of(replace(committed(), stop_reason="DiskQuotaExceeded"), evicted) == evicted


def waiting(reason: str) -> PodBuilder:
    return pod().scheduled().container("run", waiting={"reason": reason, "message": "why"})


def test_an_image_that_cannot_be_pulled_ends_the_attempt_after_a_while() -> None:
    view = waiting("ImagePullBackOff").view()
    assert of_stuck_pod(view, waited=59, patience=60) is None
    verdict = of_stuck_pod(view, waited=60, patience=60)
    assert verdict is not None
    assert summary(verdict) == ("Failed", "ImagePullFailed", FailureClass.INFRASTRUCTURE)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('secret "agent" not found', "SecretMissing"),
        ("couldn't find key api-key in Secret lab/agent", "SecretMissing"),
        ('configmap "tools" not found', "ConfigMapMissing"),
        ("couldn't find key mcp.json in ConfigMap lab/tools", "ConfigMapMissing"),
        ("container has runAsNonRoot and image will run as root", "CreateContainerConfigError"),
    ],
)
def test_a_variable_that_cannot_be_set_is_told_from_what_else_is_wrong(message: str, reason: str) -> None:
    stuck = pod().scheduled().container("run", waiting={"reason": "CreateContainerConfigError", "message": message})
    verdict = of_stuck_pod(stuck.view(), waited=60, patience=60)
    assert verdict is not None
    assert summary(verdict) == ("Failed", reason, FailureClass.INFRASTRUCTURE)
    assert message in verdict.message
    assert observed(RUN, stuck.view(), NOW).reason == reason


@pytest.mark.parametrize(
    ("exit_code", "reason"), [(20, "WorktreeFailed"), (21, "SecretMissing"), (22, "ConfigMapMissing")]
)
def test_the_workspace_container_says_what_it_could_not_do(exit_code: int, reason: str) -> None:
    failed = pod().scheduled().status(phase="Failed")
    failed.container("workspace", terminated={"exitCode": exit_code, "reason": "Error", "message": "why"})
    verdict = of_stopped_pod(failed.view())
    assert (summary(verdict), verdict.message) == (("Failed", reason, FailureClass.INFRASTRUCTURE), "why")
    # An earlier pod of the attempt may have run the command to its end, unseen.
    assert in_the_light_of(committed(exit_code=0), verdict).phase == "Succeeded"


def test_an_impossible_image_name_ends_the_attempt_at_once() -> None:
    assert of_stuck_pod(waiting("InvalidImageName").view(), waited=0, patience=60) is not None


def test_a_container_that_is_being_created_is_waited_for() -> None:
    assert of_stuck_pod(waiting("ContainerCreating").view(), waited=1e6, patience=60) is None
