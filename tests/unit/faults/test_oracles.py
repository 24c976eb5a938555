"""Each oracle is silent about a good record, and speaks up about the bug that is planted into it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.faults.records import UID, Plant, about_poison, committed, good, pod, run, seen, sent

from faults.ledger import Execution
from faults.oracles import judge
from faults.plan import Fault, Kind, Match, Plan
from faults.poison import lateness
from faults.record import Poison, Record


def a_second_life_before_the_first_ended(record: Record) -> None:
    record.evidence.executions.append(Execution("t1", UID, 2, "t1-a2", first=2.5, last=4.0, alive=False))
    record.evidence.commits[UID, 2] = replace(record.evidence.commits[UID, 1])


def two_pods_at_once(record: Record) -> None:
    record.history.insert(4, seen(2.5, pod("Running", 2), "ADDED"))


def one_workspace_for_two_attempts(record: Record) -> None:
    record.history.append(seen(5, pod("Succeeded", 2, workspace="workspaces/t1/a1")))


def another_manifest_later(record: Record) -> None:
    record.history.append(seen(5, run("Succeeded", **committed("def"))))


def a_manifest_that_was_never_taken_in(record: Record) -> None:
    record.evidence.commits[UID, 1].manifest = "other"


def an_attempt_that_goes_back(record: Record) -> None:
    record.history += [seen(5, run("Succeeded", 3)), seen(6, run("Succeeded", 1))]


def a_pod_that_nobody_claimed(record: Record) -> None:
    record.history.append(seen(5, pod("Pending", 3), "ADDED"))


def an_end_that_changes(record: Record) -> None:
    record.history.append(seen(5, run("Failed")))


def no_end(record: Record) -> None:
    record.error = "the end of t1 did not happen within 90 s"


def taken_in_while_it_runs(record: Record) -> None:
    record.evidence.commits[UID, 1].alive = True


def a_line_lost(record: Record) -> None:
    record.evidence.commits[UID, 1].lines = ("one",)


def a_line_lost_from_the_folder(record: Record) -> None:
    del record.evidence.commits[UID, 1]
    record.evidence.stored[UID, 1] = ["two"]


def work_never_taken_in(record: Record) -> None:
    del record.evidence.commits[UID, 1]


def a_lease_left(record: Record) -> None:
    record.final["Leases"] = 1


def a_pod_left(record: Record) -> None:
    record.final["Pod ~-a1"] = {"phase": "Running"}


def a_finalizer(record: Record) -> None:
    record.history[0].body["metadata"]["finalizers"] = ["autopack.dev/x"]


def a_foreign_object_changed(record: Record) -> None:
    record.decoys[1]["Pod foreign"] = {"spec": 2}


def a_foreign_object_gone(record: Record) -> None:
    del record.decoys[1]["Pod foreign"]


def a_write_after_the_end(record: Record) -> None:
    record.sent.append(sent(9))


def a_loop_of_writes(record: Record) -> None:
    record.sent += [sent(1)] * 100


def another_end(record: Record) -> None:
    record.final["AutopackRun ~"] = {"phase": "Failed"}


def something_missing_at_the_end(record: Record) -> None:
    del record.final["Pod ~-a1"]


def a_poison_that_is_tried_all_the_time(record: Record) -> None:
    record.poison = Poison([about_poison(0.1 * number) for number in range(40)], seconds=4.0)


def a_poison_whose_status_flips(record: Record) -> None:
    states = [seen(at, run("Preparing", reason=reason)) for at, reason in enumerate(["PodNameTaken", "Waiting"] * 3)]
    record.poison = Poison(seen=states, seconds=4.0)


def a_poison_that_is_given_up(record: Record) -> None:
    record.poison = Poison(phase="Failed")


def a_poison_that_is_gone(record: Record) -> None:
    record.poison = Poison(phase="")


def a_run_that_waits_for_the_poison(record: Record) -> None:
    record.sent = [sent(21), sent(24)]
    record.idle_from = 24.0
    record.poison = Poison([about_poison(at, "get") for at in (2, 7, 12, 17)], seconds=25.0)


PLANTED: list[tuple[Plant, str]] = [
    (a_second_life_before_the_first_ended, "one_execution_at_a_time"),
    (two_pods_at_once, "one_live_pod"),
    (one_workspace_for_two_attempts, "own_workspace"),
    (another_manifest_later, "committed_never_changes"),
    (a_manifest_that_was_never_taken_in, "committed_never_changes"),
    (an_attempt_that_goes_back, "fenced"),
    (a_pod_that_nobody_claimed, "fenced"),
    (an_end_that_changes, "terminal_is_final"),
    (no_end, "terminal_is_final"),
    (taken_in_while_it_runs, "work_is_saved_first"),
    (a_line_lost, "acknowledged_lines_are_there"),
    (a_line_lost_from_the_folder, "acknowledged_lines_are_there"),
    (work_never_taken_in, "every_execution_is_taken_in"),
    (a_lease_left, "no_orphans"),
    (a_pod_left, "no_orphans"),
    (a_finalizer, "no_orphans"),
    (a_foreign_object_changed, "foreigners_are_untouched"),
    (a_foreign_object_gone, "foreigners_are_untouched"),
    (a_write_after_the_end, "idle_writes_nothing"),
    (a_loop_of_writes, "writes_are_bounded"),
    (a_poison_that_is_tried_all_the_time, "poison_is_no_loop"),
    (a_poison_whose_status_flips, "poison_is_no_loop"),
    (a_poison_that_is_given_up, "poison_stays"),
    (a_poison_that_is_gone, "poison_stays"),
    (a_run_that_waits_for_the_poison, "nobody_waits_for_poison"),
    (another_end, "same_end"),
    (something_missing_at_the_end, "same_end"),
]


def verdicts(record: Record) -> set[str]:
    return {text.split(":")[0] for text in judge(record, good().final, undisturbed_writes=2)}


def test_a_good_record_is_found_good() -> None:
    assert judge(good(), good().final, undisturbed_writes=2) == []


@pytest.mark.parametrize(("plant", "oracle"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_the_planted_bug_is_found(plant: Plant, oracle: str) -> None:
    record = good()
    plant(record)
    assert oracle in verdicts(record)


def test_a_deleted_run_need_not_be_taken_in() -> None:
    record = good()
    del record.evidence.commits[UID, 1]
    record.history.append(seen(5, run("Running"), "DELETED"))
    record.final = {"Leases": 0}
    assert judge(record, {"Leases": 0}, undisturbed_writes=2) == []


def test_a_poison_may_be_looked_at_now_and_then() -> None:
    record = good()
    record.poison = Poison([about_poison(at) for at in (0.0, 5.0, 10.0)], [seen(0, run("Preparing"))], seconds=12.0)
    assert judge(record, good().final, undisturbed_writes=2) == []


def test_each_new_process_may_decide_about_the_poison_again() -> None:
    record = good()
    record.restarts = 1
    record.poison = Poison([about_poison(at / 10) for at in range(20)], seconds=2.0)
    assert judge(record, good().final, undisturbed_writes=2) == []


def test_a_run_that_the_plan_itself_hides_does_not_wait_for_the_poison() -> None:
    record = good()
    a_run_that_waits_for_the_poison(record)
    record.late = 15.0
    assert judge(record, good().final, undisturbed_writes=2) == []


@pytest.mark.parametrize(("kind", "late"), [(Kind.EVENT_HOLD, 3.0), (Kind.EVENT_DROP, 8.0), (Kind.DELAY, 0.0)])
def test_only_what_happens_to_events_hides_an_object(kind: Kind, late: float) -> None:
    match = Match(verb="ADDED", resource="autopackruns", name="~")
    fault = Fault(kind=kind, match=match, seconds=3.0)
    assert lateness(Plan(workload="success", category="watches", fault=fault, resync_seconds=5)) == late


FULL_DISK_ENDS = {"AutopackRun ~": {"phase": "Succeeded"}, "AutopackRun ~-later": {"phase": "Succeeded"}}


def after_a_full_disk(name: str, reason: str) -> set[str]:
    record = good()
    record.final |= FULL_DISK_ENDS | {name: {"phase": "Failed", "reason": reason}}
    wanted = good().final | FULL_DISK_ENDS
    return {text.split(":")[0] for text in judge(record, wanted, undisturbed_writes=2, kind=Kind.DISK_FULL)}


def test_a_run_that_meets_a_full_disk_may_fail_for_a_named_reason() -> None:
    assert after_a_full_disk("AutopackRun ~", "WorktreeFailed") == set()


def test_a_run_that_meets_a_full_disk_may_not_fail_without_one() -> None:
    assert after_a_full_disk("AutopackRun ~", "ManifestMismatch") == {"named_end"}


def test_a_run_beside_a_full_disk_may_not_fail() -> None:
    assert after_a_full_disk("AutopackRun ~-later", "WorktreeFailed") == {"named_end"}
