"""Runs from `kubectl apply` to their end, with the operator's own queue, controller and reconcilers."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.kubelet import Fate
from tests.unit.autopack_operator.app.simulation import Simulation, Story, live
from tests.unit.autopack_operator.builders import PodBuilder, RunBuilder, anchor_text
from tests.unit.autopack_operator.fake_api import Fault, Killed, Moment, Request, no_fault

from autopack_operator.domain.conditions import ConditionType, find
from autopack_operator.domain.views import RunView, VolumeFailure
from autopack_operator.ports.cluster import RejectedError, TransientError

TRANSIENT = VolumeFailure("VolumeUnavailable", "it restarts", transient=True)


def ending(run: RunView) -> tuple[str, str, int]:
    return run.status.phase, run.status.reason, run.status.attempt


def conditions(run: RunView) -> dict[str, str]:
    return {item.type: f"{item.status} {item.reason}" for item in run.status.conditions}


def no_pods(why: str) -> Fault:
    """The API server rejects every pod."""

    def fault(request: Request, moment: Moment) -> None:
        if (request.verb, request.kind, moment) == ("create", "Pod", Moment.BEFORE):
            raise RejectedError(why)

    return fault


def test_a_run_that_succeeds_is_told_by_all_conditions() -> None:
    run = live(stories.success).run()
    assert ending(run) == ("Succeeded", "Completed", 1)
    assert conditions(run) == {
        "AnchorApproved": "True ParallelismAllowed",
        "LeaseHeld": "False Released",
        "PodScheduled": "True Scheduled",
        "WorktreeReady": "True WorktreeCreated",
        "WorkSaved": "True Everything",
        "ArtifactsCommitted": "True Committed",
        "Succeeded": "True Completed",
    }


@pytest.mark.parametrize(
    ("story", "attempts"), [(stories.success, 1), (stories.eviction, 2), (stories.suspend_and_resume, 2)]
)
def test_what_agents_used_is_added_up_over_the_attempts(story: Story, attempts: int) -> None:
    lab = live(story)
    usage = lab.run().status.usage
    assert usage is not None
    assert (usage.requests, usage.total_tokens, usage.turns) == (attempts, 1010 * attempts, None)
    assert (usage.cost_usd, usage.source) == (f"0.{25 * attempts}", "agent")
    assert lab.run().status.summary == f"said by attempt {attempts}"
    assert lab.telemetry.used.requests == attempts
    assert lab.telemetry.used.micro_usd == 250_000 * attempts


def test_a_run_that_never_had_an_attempt_used_nothing() -> None:
    assert live(stories.refusal).run().status.usage is None


def test_the_time_to_a_worktree_is_measured_once_an_attempt() -> None:
    lab = live(stories.eviction)
    assert lab.run().status.attempt == 2
    assert len(lab.telemetry.worktrees) == 2


def test_a_run_that_succeeds_costs_six_writes() -> None:
    written = [request for request in live(stories.success).api.requests if request.kind != "Volume"]
    assert Counter(f"{request.verb} {request.kind}" for request in written) == {
        "acquire Lease": 1,
        "status AutopackRun": 3,
        "create Pod": 1,
        "release Lease": 1,
    }


def crowd(lab: Simulation) -> None:
    lab.crowded = True


def test_a_short_run_is_not_told_to_run_while_requests_wait_for_their_turn() -> None:
    lab = live(stories.success, crowd)
    statuses = [request for request in lab.api.requests if (request.verb, request.kind) == ("status", "AutopackRun")]
    assert len(statuses) == 2
    assert conditions(lab.run()) == conditions(live(stories.success).run())


def test_a_long_run_is_told_to_run_however_many_requests_wait() -> None:
    told: list[str] = []

    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [Fate(seconds=60)]
        lab.apply(RunBuilder())
        await lab.until(lambda: bool(lab.pods()))
        for seconds in (10, 10):
            await asyncio.sleep(seconds)
            told.append(lab.run().status.phase)
        await lab.end()

    live(story, crowd)
    assert told == ["Preparing", "Running"]


def test_each_transition_is_told_once() -> None:
    lab = live(stories.eviction)
    assert lab.events.told == [("one", "Retrying"), ("one", "Completed")]
    assert lab.telemetry.finished == ["Succeeded"]


def test_a_failing_command_fails_its_run_with_its_exit_code() -> None:
    run = live(stories.failure).run()
    assert (*ending(run), run.status.exit_code) == ("Failed", "CommandFailed", 1, 3)


@pytest.mark.parametrize(
    ("fates", "retry", "expected", "pods"),
    [
        ([Fate(eviction=True), Fate()], {}, ("Succeeded", "Completed", 2), 2),
        ([Fate(eviction=True)], {}, ("Failed", "Evicted", 3), 3),
        ([Fate(eviction=True)], {"infrastructure": 0}, ("Failed", "Evicted", 1), 1),
        ([Fate(exit_code=1), Fate()], {"agent": 1}, ("Succeeded", "Completed", 2), 2),
        ([Fate(exit_code=1)], {"agent": 1}, ("Failed", "CommandFailed", 2), 2),
        ([Fate(exit_code=1), Fate(eviction=True), Fate()], {"agent": 1}, ("Succeeded", "Completed", 3), 3),
        ([Fate(exit_code=75), Fate()], {"agent": 1, "exitCodes": [75]}, ("Succeeded", "Completed", 2), 2),
        ([Fate(exit_code=1), Fate()], {"agent": 1, "exitCodes": [75]}, ("Failed", "CommandFailed", 1), 1),
        ([Fate(eviction=True), Fate()], {"exitCodes": [75]}, ("Succeeded", "Completed", 2), 2),
    ],
)
def test_an_attempt_is_retried_by_its_class_of_failure(
    fates: list[Fate], retry: dict[str, int], expected: tuple[str, str, int], pods: int
) -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = fates
        lab.apply(RunBuilder().spec(retry=retry))
        await lab.end()

    lab = live(story)
    assert ending(lab.run()) == expected
    assert lab.pods() == [f"one-a{number + 1}" for number in range(pods)]


def test_a_pod_whose_image_cannot_be_had_is_given_up_and_removed() -> None:
    lab = live(stories.missing_image)
    assert (ending(lab.run()), lab.pods()) == (("Succeeded", "Completed", 2), ["one-a2"])


def test_a_refused_run_gets_nothing_made() -> None:
    lab = live(stories.refusal)
    assert ending(lab.run()) == ("Refused", "AnchorAbsent", 0)
    assert conditions(lab.run()) == {"AnchorApproved": "False AnchorAbsent", "Succeeded": "False AnchorAbsent"}
    assert {request.verb for request in lab.api.requests} == {"release", "status"}


def test_an_anchor_in_a_configmap_is_found() -> None:
    async def story(lab: Simulation) -> None:
        lab.api.add({"kind": "ConfigMap", "metadata": {"name": "project"}, "data": {"anchor.json": anchor_text()}})
        lab.apply(RunBuilder().anchor("configmap/project"))
        await lab.end()

    assert live(story).run().status.phase == "Succeeded"


def test_a_missing_configmap_refuses_the_run() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder().anchor("configmap/project"))
        await lab.end()

    assert ending(live(story).run()) == ("Refused", "AnchorConfigMapMissing", 0)


def test_a_missing_profile_refuses_the_run() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder().spec(profileRef={"name": "gpu"}))
        await lab.end()

    assert ending(live(story).run()) == ("Refused", "ProfileMissing", 0)


def test_an_invalid_profile_refuses_the_run_and_is_named() -> None:
    async def story(lab: Simulation) -> None:
        lab.api.edit("RunProfile", "default", defaultImage=7)
        lab.apply(RunBuilder())
        await lab.end()

    run = live(story).run()
    assert ending(run) == ("Refused", "ProfileInvalid", 0)
    assert "RunProfile 'default' cannot be read; correct its spec.defaultImage" in run.status.message


def test_a_repository_that_cannot_be_had_fails_the_run_before_any_pod() -> None:
    async def story(lab: Simulation) -> None:
        lab.files.refusals["one"] = VolumeFailure("RefNotFound", "there is no ref nope", transient=False)
        lab.apply(RunBuilder())
        await lab.end()

    lab = live(story)
    assert (ending(lab.run()), lab.pods()) == (("Failed", "RefNotFound", 0), [])


def test_an_outage_of_the_volume_is_told_and_outlasted() -> None:
    told: list[str] = []

    async def story(lab: Simulation) -> None:
        lab.files.refusals["one"] = lab.files.spoiled["one"] = TRANSIENT
        lab.apply(RunBuilder())
        for answers in (lab.files.refusals, lab.files.spoiled):
            await asyncio.sleep(stories.A_WHILE)
            told.append(f"{lab.run().status.phase} {lab.run().status.reason}")
            del answers["one"]
        await lab.end()

    assert live(story).run().status.phase == "Succeeded"
    assert told == ["Pending VolumeUnavailable", "Finishing VolumeUnavailable"]


def test_what_cannot_be_prepared_for_too_long_fails_the_run_with_the_last_sentence() -> None:
    async def story(lab: Simulation) -> None:
        lab.files.refusals["one"] = TRANSIENT
        lab.apply(RunBuilder().spec(prepareTimeoutSeconds=600))
        await asyncio.sleep(500)
        assert lab.run().status.phase == "Pending"
        lab.api.edit("AutopackRun", "one", suspend=True)
        await asyncio.sleep(500)
        lab.api.edit("AutopackRun", "one", suspend=False)
        await asyncio.sleep(500)
        assert lab.run().status.phase == "Pending", "a suspension stops the clock"
        lab.files.refusals["one"] = VolumeFailure("HostUnavailable", "connection refused", transient=True)
        await lab.end()

    run = live(story).run()
    assert ending(run) == ("Failed", "PrepareTimeout", 0)
    assert run.status.message.endswith("spec.prepareTimeoutSeconds, 10m0s: HostUnavailable: connection refused")


def test_what_could_be_prepared_after_all_is_said() -> None:
    async def story(lab: Simulation) -> None:
        lab.files.refusals["one"] = TRANSIENT
        lab.apply(RunBuilder())
        await asyncio.sleep(1700)
        del lab.files.refusals["one"]
        await lab.end()

    run = live(story).run()
    assert ending(run) == ("Succeeded", "Completed", 1)
    assert conditions(run)["Prepared"] == "True Prepared"


def test_work_that_cannot_be_taken_in_fails_the_run_and_says_why() -> None:
    async def story(lab: Simulation) -> None:
        lab.files.spoiled["one"] = VolumeFailure("ManifestMismatch", "report.txt was changed", transient=False)
        lab.apply(RunBuilder())
        await lab.end()

    run = live(story).run()
    assert ending(run) == ("Failed", "ManifestMismatch", 1)
    assert conditions(run)["ArtifactsCommitted"] == "False NotCommitted"
    assert conditions(run)["WorkSaved"] == "Unknown NotCommitted"


def test_a_run_canceled_before_it_starts_gets_no_pod() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder().spec(cancel=True))
        await lab.end()

    lab = live(story)
    assert (ending(lab.run()), lab.pods()) == (("Canceled", "Canceled", 0), [])


def test_a_run_canceled_while_it_runs_is_stopped_once_and_its_work_is_kept() -> None:
    lab = live(stories.cancel_while_running)
    assert (ending(lab.run()), lab.pods()) == (("Canceled", "Canceled", 1), [])
    assert conditions(lab.run())["ArtifactsCommitted"] == "True CommittedPartly"
    assert [request.name for request in lab.api.requests if request.verb == "delete"] == ["one-a1"]


def test_a_run_canceled_between_two_attempts_keeps_what_was_committed() -> None:
    run = live(stories.cancel_before_retry).run()
    assert ending(run) == ("Canceled", "Canceled", 1)
    assert conditions(run)["ArtifactsCommitted"] == "True CommittedPartly"


def test_a_run_whose_pod_is_lost_while_it_is_canceled_is_canceled_all_the_same() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG]
        lab.apply(RunBuilder())
        await asyncio.sleep(stories.A_WHILE)
        lab.api.edit("AutopackRun", "one", cancel=True)
        lab.api.remove("Pod", "one-a1")
        await lab.end()

    run = live(story).run()
    assert ending(run) == ("Canceled", "Canceled", 1)
    assert "PodLost" in run.status.message


def test_a_suspended_run_starts_only_when_it_is_resumed() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder().spec(suspend=True))
        await asyncio.sleep(stories.A_WHILE)
        assert ending(lab.run()) == ("Pending", "Suspended", 0)
        assert [request.kind for request in lab.api.requests] == ["AutopackRun"]
        lab.api.edit("AutopackRun", "one", suspend=False)
        await lab.end()

    assert ending(live(story).run()) == ("Succeeded", "Completed", 1)


def test_a_run_suspended_under_way_goes_on_with_a_new_attempt_that_is_no_retry() -> None:
    run = live(stories.suspend_and_resume).run()
    assert ending(run) == ("Succeeded", "Completed", 2)
    assert (run.status.failures.infrastructure, run.status.failures.agent) == (0, 0)


def test_a_finished_run_is_deleted_when_its_time_is_over() -> None:
    lab = live(stories.time_to_live)
    assert [request.name for request in lab.api.requests if request.verb == "delete"] == ["one"]


def test_a_failed_run_is_not_deleted_by_the_time_to_live_of_successes() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [Fate(exit_code=1)]
        lab.apply(RunBuilder().spec(ttlSecondsAfterFinished={"succeeded": 1}))
        await lab.end()
        await asyncio.sleep(stories.A_WHILE)

    assert live(story).run().status.phase == "Failed"


@pytest.mark.parametrize("seconds", [0.6, 1.0, 5.0])
def test_a_pod_that_a_person_deletes_is_followed_by_a_new_attempt(seconds: float) -> None:
    """Before the node had it, before anything of it was written down, and while its command ran."""

    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG, Fate()]
        lab.apply(RunBuilder())
        await asyncio.sleep(seconds)
        lab.api.ask_to_end("Pod", "one-a1")
        await lab.end()

    lab = live(story)
    assert (ending(lab.run()), lab.pods()) == (("Succeeded", "Completed", 2), ["one-a2"])
    assert lab.run().status.failures.infrastructure == 1


def test_a_run_deleted_under_way_takes_its_pod_and_its_leases_along() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG]
        lab.apply(RunBuilder())
        await asyncio.sleep(stories.A_WHILE)
        lab.api.remove("AutopackRun", "one")
        await asyncio.sleep(stories.A_WHILE)

    assert live(story).summary() == {}


def test_the_work_of_a_run_deleted_under_way_is_taken_in_once_its_pod_is_gone() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG]
        lab.apply(RunBuilder())
        await asyncio.sleep(stories.A_WHILE)
        lab.api.remove("AutopackRun", "one")

    lab = live(story)
    [folder] = lab.files.folders.values()
    assert folder.committed is not None


def test_the_work_of_a_run_deleted_while_the_operator_is_away_is_taken_in_by_the_next() -> None:
    async def story(lab: Simulation) -> None:
        def die_once(request: Request, moment: Moment) -> None:
            lab.api.fault = no_fault
            lab.api.remove("AutopackRun", "one")
            raise Killed

        lab.kubelet.fates["one"] = [stories.LONG]
        lab.apply(RunBuilder())
        await asyncio.sleep(stories.A_WHILE)
        lab.api.fault = die_once
        lab.apply(RunBuilder("two"))
        await lab.end()

    lab = live(story)
    assert len(lab.files.folders) == 2
    assert all(folder.committed is not None for folder in lab.files.folders.values())


def test_a_run_made_anew_under_its_old_name_waits_for_the_old_pod_to_go() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG]
        lab.apply(RunBuilder())
        await asyncio.sleep(stories.A_WHILE)
        lab.kubelet.fates["one"] = [Fate()]
        lab.api.remove("AutopackRun", "one")
        lab.apply(RunBuilder())
        await lab.end()

    lab = live(story)
    assert ending(lab.run()) == ("Succeeded", "Completed", 1)
    assert lab.run().status.workspace == f"workspaces/one/a1-{lab.run().uid[:8]}"


def test_a_foreign_pod_under_the_name_is_told_and_left_alone() -> None:
    async def story(lab: Simulation) -> None:
        stranger = PodBuilder(RunBuilder().uid("somebody-else").view()).body()
        lab.api.add(stranger)
        lab.apply(RunBuilder())
        await asyncio.sleep(stories.A_WHILE)
        assert ending(lab.run()) == ("Preparing", "PodNameTaken", 1)
        lab.api.remove("Pod", "one-a1")
        await lab.end()

    lab = live(story)
    assert ending(lab.run()) == ("Succeeded", "Completed", 1)
    assert "delete" not in {request.verb for request in lab.api.requests}


def test_the_command_of_a_pod_that_was_removed_by_force_gets_time_to_stop_before_anything_else_happens() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG, Fate()]
        lab.apply(RunBuilder().spec(terminationGracePeriodSeconds=100, retry={"backoffSeconds": 0}))
        await asyncio.sleep(stories.A_WHILE)
        lab.api.remove("Pod", "one-a1")
        asked = len(lab.api.requests)
        await asyncio.sleep(100)
        assert {request.kind for request in lab.api.requests[asked:]} <= {"Pod"}
        assert lab.pods() == []
        await lab.end()

    assert ending(live(story).run()) == ("Succeeded", "Completed", 2)


def test_a_pod_that_the_api_server_rejects_fails_its_attempt_and_says_why() -> None:
    async def story(lab: Simulation) -> None:
        lab.api.fault = no_pods("violates PodSecurity")
        lab.apply(RunBuilder().spec(retry={"infrastructure": 0}))
        await lab.end()

    run = live(story).run()
    assert ending(run) == ("Failed", "PodRejected", 1)
    assert run.status.message == "violates PodSecurity"


def test_a_pod_over_the_quota_waits_for_room() -> None:
    async def story(lab: Simulation) -> None:
        lab.api.fault = no_pods("exceeded quota: compute")
        lab.apply(RunBuilder())
        await asyncio.sleep(stories.A_WHILE)
        assert ending(lab.run()) == ("Preparing", "QuotaExceeded", 1)
        lab.api.fault = no_fault
        await lab.end()

    assert ending(live(story).run()) == ("Succeeded", "Completed", 1)


def test_a_lease_that_somebody_else_holds_is_told_waited_for_and_never_taken() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder())
        name = f"run-{lab.run().uid}"
        labels = {"autopack.dev/run-uid": "other", "autopack.dev/attempt": "1"}
        meta = {"name": name, "labels": labels}
        lab.api.add({"kind": "Lease", "metadata": meta, "spec": {"holderIdentity": "other.a1"}})
        await asyncio.sleep(stories.A_WHILE)
        assert ending(lab.run()) == ("Pending", "LeaseConflict", 0)
        lab.api.remove("Lease", name)
        await lab.end()

    lab = live(story)
    assert ending(lab.run()) == ("Succeeded", "Completed", 1)
    assert lab.telemetry.contentions > 0


def test_what_a_command_writes_about_its_end_is_bounded_and_inert() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [Fate(exit_code=1, message="\x1b[31m" + "x" * 4096)]
        lab.apply(RunBuilder())
        await lab.end()

    message = live(story).run().status.message
    assert message.startswith("the command ended with exit code 1: \\x1b[31mxxx")
    assert len(message) <= 1024


def test_a_run_whose_stored_spec_breaks_a_younger_rule_is_stopped_in_order() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG]
        lab.apply(RunBuilder())
        await asyncio.sleep(stories.A_WHILE)
        lab.api.edit("AutopackRun", "one", command=[])
        await lab.end()

    lab = live(story)
    assert (ending(lab.run()), lab.pods()) == (("Refused", "InvalidSpec", 1), [])
    assert lab.run().status.message.startswith("spec.command: ")


def test_a_lost_answer_to_a_retry_does_not_lend_the_first_attempts_work_to_the_second() -> None:
    def lose(request: Request, moment: Moment) -> None:
        if (request.number, moment) == (retrying.number, Moment.AFTER):
            raise TransientError("connection reset")

    written = [request for request in live(stories.eviction).api.requests if request.verb == "status"]
    retrying = written[2]
    lab = live(stories.eviction, lambda lab: setattr(lab.api, "fault", lose))
    assert lab.run().status.commit == f"{2:040x}"


def test_the_attempt_under_way_is_not_said_to_be_committed() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [Fate(eviction=True), Fate()]
        lab.apply(RunBuilder())
        await lab.until(lambda: lab.run().status.attempt == 2)
        condition = find(lab.run().status.conditions, ConditionType.ARTIFACTS_COMMITTED)
        assert condition is not None
        assert (condition.status, condition.reason) == ("False", "AttemptUnderWay")
        await lab.end()

    live(story)


def test_a_deadline_ends_a_run_whatever_retries_are_left() -> None:
    lab = live(stories.deadline)
    run = lab.run()
    assert (ending(run), lab.pods()) == (("Failed", "DeadlineExceeded", 2), ["one-a1"])
    assert run.status.finished_at is not None
    assert conditions(run)["ArtifactsCommitted"] == "True CommittedPartly"


def test_a_deadline_holds_between_two_attempts_as_well() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [Fate(eviction=True)]
        lab.apply(RunBuilder().spec(activeDeadlineSeconds=100, retry={"backoffSeconds": 3000}))
        await asyncio.sleep(stories.A_WHILE)
        assert lab.run().status.reason == "Retrying"
        await asyncio.sleep(stories.A_WHILE)
        assert lab.ended()

    assert ending(live(story).run()) == ("Failed", "DeadlineExceeded", 1)


def test_a_suspension_stops_the_clock_of_the_deadline() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG, Fate(seconds=50)]
        lab.apply(RunBuilder().spec(activeDeadlineSeconds=80))
        await asyncio.sleep(stories.A_WHILE)
        lab.api.edit("AutopackRun", "one", suspend=True)
        await asyncio.sleep(1000)
        lab.api.edit("AutopackRun", "one", suspend=False)
        await lab.end()

    assert ending(live(story).run()) == ("Succeeded", "Completed", 2)


def test_a_run_that_wants_postgres_is_refused_without_a_database_in_its_profile() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder().spec(databaseMode="Postgres"))
        await lab.end()

    assert ending(live(story).run()) == ("Refused", "DatabaseNotConfigured", 0)


def test_a_run_that_wants_postgres_starts_when_its_profile_names_a_database() -> None:
    async def story(lab: Simulation) -> None:
        lab.api.edit("RunProfile", "default", database={"secretName": "postgres"})
        lab.apply(RunBuilder().spec(databaseMode="Postgres"))
        await lab.end()

    assert ending(live(story).run()) == ("Succeeded", "Completed", 1)


def test_a_retry_goes_on_from_the_saved_state_of_the_attempt_before() -> None:
    lab = live(stories.eviction)
    first = lab.files.folders[lab.run().uid, 1].committed
    assert first is not None
    assert (lab.run().status.attempt, lab.run().status.resumed_from) == (2, first.snapshot)
    assert lab.run().status.snapshot == f"{2:039x}5"


def test_a_retry_from_the_source_begins_anew() -> None:
    lab = live(stories.eviction_from_source)
    assert (ending(lab.run()), lab.run().status.resumed_from) == (("Succeeded", "Completed", 2), None)
    assert lab.files.folders[lab.run().uid, 2].attempt.resumed_from is None


def test_a_suspended_run_goes_on_from_its_saved_state_whatever_its_retries_do() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG, Fate()]
        lab.apply(RunBuilder().spec(retry={"startFrom": "Source"}))
        for suspended in (True, False):
            await asyncio.sleep(stories.A_WHILE)
            lab.api.edit("AutopackRun", "one", suspend=suspended)
        await lab.end()

    assert live(story).run().status.resumed_from == f"{1:039x}5"


def test_a_first_attempt_goes_on_from_nothing() -> None:
    assert live(stories.success).run().status.resumed_from is None


def test_a_suspension_costs_two_writes_of_the_status() -> None:
    """That it is asked for, and that it is done, with the clock of the deadline stopped."""
    written: list[Request] = []

    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG]
        lab.apply(RunBuilder().spec(activeDeadlineSeconds=3600))
        await asyncio.sleep(stories.A_WHILE)
        before = len(lab.api.requests)
        lab.api.edit("AutopackRun", "one", suspend=True)
        await asyncio.sleep(stories.A_WHILE)
        written.extend(request for request in lab.api.requests[before:] if request.verb == "status")
        assert lab.run().status.active_since is None

    live(story)
    assert len(written) == 2
