"""Runs with a queue's name are Kueue's to admit, as its integration of plain pods expects them."""

from __future__ import annotations

from typing import Any

from tests.unit.autopack_operator.builders import NOW, PROFILE, SETTINGS, BatchBuilder, PodBuilder, RunBuilder, prepared

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.batch.children import run_manifest
from autopack_operator.domain.pod.manifest import run_pod
from autopack_operator.domain.run.transitions import observed
from autopack_operator.domain.run.verdict import of_stuck_pod

GATE = {"reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates"}


def pod_of(builder: RunBuilder) -> dict[str, Any]:
    run = builder.view()
    return run_pod(run, AutopackRunSpec.model_validate(run.spec), PROFILE, prepared(), SETTINGS, "autopack/one")


def test_a_run_with_a_queue_gets_a_pod_that_waits_for_its_admission() -> None:
    pod = pod_of(RunBuilder().queue("team"))
    assert pod["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team"
    assert pod["metadata"]["labels"]["kueue.x-k8s.io/managed"] == "true"
    assert pod["spec"]["schedulingGates"] == [{"name": "kueue.x-k8s.io/admission"}]


def test_a_run_without_a_queue_is_nothing_to_kueue() -> None:
    pod = pod_of(RunBuilder())
    assert not [label for label in pod["metadata"]["labels"] if "kueue" in label]
    assert "schedulingGates" not in pod["spec"]


def test_the_queue_of_a_batch_is_that_of_its_runs() -> None:
    batch = BatchBuilder().queue("team").view()
    spec = RunBatchSpec.model_validate(batch.spec)
    assert run_manifest(batch, spec, 0, spec.runs[0])["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team"


def test_a_pod_that_waits_for_its_admission_is_no_failure_and_says_what_it_waits_for() -> None:
    run = RunBuilder().attempt().view()
    pod = PodBuilder(run).with_condition("PodScheduled", "False", **GATE).view()
    assert of_stuck_pod(pod, 1e6, 60) is None
    status = observed(run, pod, NOW)
    assert (status.phase, status.reason, status.message) == ("Preparing", "SchedulingGated", GATE["message"])
