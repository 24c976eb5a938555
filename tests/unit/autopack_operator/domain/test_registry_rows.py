"""From a status to the registry's rows: the same status, the same rows; any status, rows that fit."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.autopack_operator.builders import SHA, BatchBuilder, RunBuilder, stamp

from autopack.registry.events import RunEvent
from autopack_operator.domain.registry_rows import batch_event, earlier_attempt_event, run_event


def event(builder: RunBuilder) -> RunEvent:
    return run_event(builder.view(), "lab")


def at_version(builder: RunBuilder, version: str) -> RunBuilder:
    builder._body["metadata"]["resourceVersion"] = version
    return builder


def test_a_run_of_a_batch_gives_its_row() -> None:
    builder = RunBuilder("many-a").owner("RunBatch", "many", "b-1").uid("u-1").running()
    found = run_event(at_version(builder, "77").view(), "lab")
    facts = found.facts
    assert (found.scope, found.version) == ("u-1", 77)
    assert (facts.run_id, facts.batch_id, facts.installation, facts.attempt) == ("many-a", "many", "lab", 1)
    assert (str(facts.state), facts.reason, facts.base_sha) == ("Running", "CommandRunning", SHA)
    assert facts.conditions is not None
    assert [(each["type"], each["status"]) for each in facts.conditions] == [
        ("AnchorApproved", "True"),
        ("LeaseHeld", "True"),
    ]


def test_what_agents_used_is_in_the_rows_of_run_and_batch() -> None:
    used = {"requests": 2, "inputTokens": 10, "costUSD": "0.50", "source": "agent"}
    facts = event(RunBuilder().running().status(usage=used | {"totalTokens": 10}, summary="Done.")).facts
    assert (facts.usage, facts.summary) == (used, "Done.")
    batch = batch_event(BatchBuilder().status(usage=used).view(), "lab")
    assert batch.facts.usage == used
    assert event(RunBuilder().running()).facts.usage is None


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ({"agent": {"name": "codex", "model": "m"}, "prompt": "Fix\n\n  it."}, ("codex", "m", "Fix it.")),
        ({"agent": {"name": "codex"}, "promptFrom": {"file": "docs/t.md"}}, ("codex", None, "docs/t.md")),
        ({"promptFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}, (None, None, "k of ConfigMap c")),
        ({"prompt": "x" * 300}, (None, None, "x" * 279 + "\u2026")),
        ({}, (None, None, None)),
        ({"agent": "codex", "prompt": 7, "promptFrom": []}, (None, None, None)),
    ],
)
def test_who_is_asked_what_is_in_the_row_as_it_begins(spec: dict[str, Any], shown: tuple[str | None, ...]) -> None:
    facts = event(RunBuilder().running().spec(**spec)).facts
    assert (facts.agent, facts.model, facts.prompt) == shown


def test_a_long_prompt_is_the_same_row_before_and_after_the_end() -> None:
    rows = [event(RunBuilder().uid("u-1").spec(prompt=" \n" * 250 + "x" * 900).status(phase=phase)) for phase in PHASES]
    assert len({row.facts.prompt for row in rows}) == 1


PHASES = ("Running", "Succeeded")


def test_a_status_that_is_seen_again_is_the_same_step_whatever_else_was_written_to_the_run() -> None:
    builder = RunBuilder().uid("u-1").running()
    first, second = event(at_version(builder, "5")), event(at_version(builder.generation(2), "9"))
    assert (first.sequence, first.facts) == (second.sequence, second.facts)
    assert (first.version, second.version) == (5, 9)


def test_a_change_that_is_in_no_column_is_no_new_step() -> None:
    before, after = [event(RunBuilder().uid("u-1").running().status(podUID=uid)) for uid in ("pod-1", "pod-2")]
    assert before.sequence == after.sequence


def test_a_status_that_took_note_of_an_edited_spec_is_no_new_step() -> None:
    lease = {"type": "LeaseHeld", "status": "True", "reason": "Acquired", "lastTransitionTime": stamp()}
    before, after = [
        RunBuilder()
        .uid("u-1")
        .running()
        .status(observedGeneration=seen, conditions=[lease | {"observedGeneration": seen}])
        for seen in (1, 2)
    ]
    assert event(before).sequence == event(after).sequence


def test_steps_are_numbered_in_the_order_of_a_runs_life_within_one_second() -> None:
    life = [
        RunBuilder().status(phase="Pending", reason="WaitingForVolume"),
        RunBuilder().attempt(1),
        RunBuilder().running(),
        RunBuilder().running().status(phase="Finishing"),
        RunBuilder().attempt(1).status(phase="Pending", reason="Retrying"),
        RunBuilder().attempt(2),
        RunBuilder().attempt(2).status(phase="Succeeded", finishedAt=stamp()),
    ]
    numbers = [event(step).sequence for step in life]
    assert numbers == sorted(set(numbers))


def test_a_later_second_comes_later_whatever_the_phase() -> None:
    done = RunBuilder().attempt(1).status(phase="Succeeded", finishedAt=stamp(5))
    assert event(RunBuilder().running()).sequence < event(done).sequence < 1 << 63


def test_markup_escapes_and_nul_in_a_forged_status_become_inert_text() -> None:
    forged = (
        RunBuilder().attempt(1).status(phase="Failed", reason="a\0b", message="\x1b[31m<script>\u202e", artifacts="x\0")
    )
    facts = event(forged).facts
    assert (facts.reason, facts.message, facts.artifacts) == ("a\\x00b", "\\x1b[31m<script>\\u202e", "x\\x00")


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Wonderful", "message": "m" * 2048, "reason": "r" * 128},
        {"startedAt": "yesterday", "finishedAt": "2026-01-01T00:00:00"},
        {"attempt": -3},
        {"attempt": 10_000, "phase": "Running"},
        {},
    ],
)
def test_any_status_gives_a_row_that_fits(status: dict[str, Any]) -> None:
    found = event(RunBuilder().status(**status))
    assert 0 <= found.sequence < 1 << 63
    assert found.facts.reason == (status.get("reason") or None)
    assert found.facts.attempt >= 0


def test_a_batch_gives_its_counters() -> None:
    status = {"phase": "Running", "total": 3, "active": 2, "succeeded": 1, "effectiveWorkers": 2, "startedAt": stamp()}
    found = batch_event(BatchBuilder("many", workers=9).uid("b-1").status(**status).view(), "lab")
    facts = found.facts
    assert (found.scope, facts.batch_id, facts.state, facts.installation) == ("b-1", "many", "Running", "lab")
    assert (facts.total, facts.active, facts.succeeded, facts.failed, facts.workers) == (3, 2, 1, 0, 2)


def record(attempt: object = 1, **more: object) -> dict[str, object]:
    left = {"head": "f" * 40, "snapshot": None, "exitCode": 3, "manifestSha256": "e" * 64, "ref": "refs/runs/u/a1/x"}
    return {"uid": "u-1", "attempt": attempt, "branch": "autopack/one", "baseSha": SHA, "commit": left} | more


def test_an_earlier_attempt_is_told_by_the_volumes_record_and_never_changes_the_runs_row() -> None:
    run = RunBuilder().uid("u-1").attempt(2).view()
    found = earlier_attempt_event(run, record(), "lab")
    assert found is not None
    assert (found.scope, found.version, found.facts.attempt, found.facts.exit_code) == ("u-1", -1, 1, 3)
    assert (found.facts.base_sha, found.facts.head_sha) == (SHA, "f" * 40)
    assert found.sequence < run_event(run, "lab").sequence


@pytest.mark.parametrize(
    "document",
    [record(2), record(0), record("1"), record(uid="u-2"), {}],
)
def test_what_is_no_earlier_attempt_of_this_run_is_left_out(document: dict[str, object]) -> None:
    assert earlier_attempt_event(RunBuilder().uid("u-1").attempt(2).view(), document, "lab") is None


def test_what_an_earlier_attempt_says_in_another_form_is_left_out() -> None:
    document = record(commit="x", branch=3, baseSha=None)
    found = earlier_attempt_event(RunBuilder().uid("u-1").attempt(2).view(), document, "lab")
    assert found is not None
    assert (found.facts.exit_code, found.facts.branch, found.facts.base_sha) == (None, None, None)
