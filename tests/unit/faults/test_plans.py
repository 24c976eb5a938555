"""Plans: stored as JSON, derived from what was recorded, fired at exactly the request or event they name."""

from __future__ import annotations

import pytest

from faults.calls import Call
from faults.injector import Injector
from faults.plan import Fault, Kind, Match, Plan, Plans
from faults.recipes import (
    RUNNING,
    Undisturbed,
    database_plans,
    disk_plans,
    memory_plans,
    node_plans,
    plans,
    real_plans,
    sample,
)

STATUS = Match(verb="update", resource="autopackruns/status", name="~", nth=2)
POD = Match(verb="create", resource="pods", name="~-a1")
ADDED = Match(verb="ADDED", resource="pods", name="~-a1")
LIFE = Undisturbed([POD, STATUS, STATUS, STATUS], [ADDED], {})


def injector(fault: Fault | None) -> Injector:
    return Injector(trial="t1", fault=fault)


def test_it_fires_at_the_nth_request_of_that_kind_and_once() -> None:
    planned = injector(Fault(kind=Kind.DELAY, match=STATUS))
    call = Call("update", "autopackruns/status", "t1")
    assert [planned.on_call(call, "o") is not None for _ in range(4)] == [False, True, False, False]
    assert planned.fired


def test_requests_of_another_trial_do_not_count() -> None:
    planned = injector(Fault(kind=Kind.DELAY, match=POD))
    assert planned.on_call(Call("create", "pods", "t2-a1"), "o") is None
    assert planned.on_call(Call("create", "pods", "t1-a1"), "o") is not None


def test_a_plan_that_names_a_reason_counts_only_statuses_with_it() -> None:
    planned = injector(Fault(kind=Kind.DELAY, match=STATUS.model_copy(update={"nth": 1, "reason": "Retrying"})))
    calls = [Call("update", "autopackruns/status", "t1", reason) for reason in ("Claimed", "Retrying", "Completed")]
    assert [planned.on_call(call, "o") is not None for call in calls] == [False, True, False]


def test_events_and_requests_do_not_mix() -> None:
    planned = injector(Fault(kind=Kind.EVENT_DROP, match=ADDED))
    assert planned.on_call(Call("ADDED", "pods", "t1-a1"), "o") is None
    assert planned.on_event("ADDED", "pods", "t1-a1") is not None


def test_the_requests_of_a_life_are_numbered_without_renewals_of_leadership() -> None:
    recorder = injector(None)
    calls = [
        Call("create", "pods", "t1-a1"),
        Call("update", "leases", "leader"),
        Call("get", "pods", "t1-a1"),
        Call("update", "autopackruns/status", "t1"),
        Call("update", "autopackruns/status", "t1"),
    ]
    for call in calls:
        recorder.on_call(call, "o")
    assert recorder.calls() == [POD, STATUS.model_copy(update={"nth": 1}), STATUS]


def test_every_mutating_request_meets_every_kind_of_fault() -> None:
    made = plans({"success": LIFE})
    for match in (POD, STATUS):
        kinds = {str(plan.fault).split(" at ")[0] for plan in made if plan.fault.match == match}
        assert {
            "kill-before", "kill-after", "kill-late", "reset-before", "reset-after", "delay",
            "status 409", "status 410", "status 429", "status 500", "status 503",
        } <= kinds  # fmt: skip


def test_over_a_few_events_every_kind_of_watch_fault_is_played() -> None:
    events = [ADDED, *(ADDED.model_copy(update={"verb": "MODIFIED", "nth": nth}) for nth in (1, 2))]
    made = plans({"success": Undisturbed([], events, {})})
    assert {plan.fault.kind for plan in made if plan.category == "watches"} == {kind for kind in Kind if kind.on_event}


def test_real_pods_meet_only_what_comes_in_any_case() -> None:
    made = real_plans({"success": LIFE}, 100)
    assert {plan.fault.match for plan in made} == {POD, RUNNING}
    assert all(plan.real for plan in made)


@pytest.mark.parametrize(("made", "reason"), [(memory_plans(), "Retrying"), (disk_plans(), "DiskQuotaExceeded")])
def test_the_operator_is_killed_around_the_write_of_an_outcome_of_real_pods(made: list[Plan], reason: str) -> None:
    kinds = {plan.fault.kind for plan in made if plan.fault.match.reason == reason}
    assert {Kind.KILL_BEFORE, Kind.KILL_AFTER, Kind.KILL_LATE} <= kinds
    assert all(plan.real for plan in made)


def test_the_disk_is_full_at_each_stage_of_an_attempt() -> None:
    full = [plan.fault.match for plan in disk_plans() if plan.fault.kind is Kind.DISK_FULL]
    assert [match.reason or match.resource for match in full] == ["attempts", "pods", "CommandRunning", "commits"]


def test_every_component_of_the_cluster_is_killed() -> None:
    made = node_plans({"success": LIFE})
    assert {plan.fault.component for plan in made} == {"kubelet", "containerd", "kube-apiserver", "etcd"}


def test_the_database_fails_in_every_way_with_and_without_a_kill_and_at_the_latest_at_the_last_status() -> None:
    made = database_plans({"success": LIFE, "cancel": LIFE})
    assert {plan.workload for plan in made} == {"success"}
    assert {plan.fault.match for plan in made} == {POD, STATUS}
    for match in (POD, STATUS):
        faults = {(plan.fault.kind, plan.fault.also_kill) for plan in made if plan.fault.match == match}
        assert faults == {(kind, kill) for kind in Kind if kind.of_database for kill in (False, True)}


def test_a_workload_without_a_status_has_no_plans_for_the_database() -> None:
    assert database_plans({"success": Undisturbed([POD], [], {})}) == []


def test_the_same_recording_gives_the_same_plans() -> None:
    assert plans({"success": LIFE}) == plans({"success": LIFE})


def test_a_sample_has_every_lively_category() -> None:
    made = plans({"success": LIFE})
    chosen = sample(made, 10)
    assert len(chosen) < len(made)
    assert {plan.category for plan in chosen} == {plan.category for plan in made} - {"dead watches"}


def test_plans_survive_being_stored() -> None:
    made = Plans(plans=plans({"success": LIFE}))
    assert Plans.model_validate_json(made.model_dump_json()) == made


def test_only_what_came_every_time_is_relied_on() -> None:
    other = Undisturbed([POD], [], {})
    assert LIFE.common(other) == Undisturbed([POD], [], {})


@pytest.mark.parametrize("text", ['{"plans": [{"workload": "x"}]}', '{"plan": []}'])
def test_a_file_that_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Plans.model_validate_json(text)


def test_a_plan_says_in_words_what_it_does() -> None:
    plan = Plan(workload="batch", category="errors", fault=Fault(kind=Kind.STATUS, match=POD, code=500))
    assert str(plan) == "errors: batch, status 500 at create pods ~-a1 #1"
