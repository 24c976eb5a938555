"""Where a run's work goes, what its profile has against it, and which step follows: decided from what is stored."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.autopack_operator.builders import PROFILE, SHA, BatchBuilder, RunBuilder, child, later, stamp

from autopack_operator.domain.api.batch import RunBatchSpec, child_spec
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.batch.matrix import items_of
from autopack_operator.domain.conditions import ConditionType, find
from autopack_operator.domain.delivery.decide import LONGEST_DELAY_SECONDS, PATIENCE_SECONDS, decide, delay_seconds
from autopack_operator.domain.delivery.policy import base_of, branch_of, objection
from autopack_operator.domain.delivery.state import digest, under_way, wanted
from autopack_operator.domain.delivery.tally import counted
from autopack_operator.domain.delivery.world import (
    PENDING,
    Ask,
    Delayed,
    Delivered,
    DeliveryMemory,
    DeliveryStep,
    DeliveryWorld,
    NotDelivered,
)
from autopack_operator.domain.run.ttl import Delete, after_the_end
from autopack_operator.domain.run.world import LookUpProfile, Wait, WriteStatus
from autopack_operator.domain.views import RunView

JsonDict = dict[str, Any]
URL = "https://git.example/acme/app.git"
WORK = "f" * 40
SAVED = "e" * 40


def profile(**policy: object) -> RunProfileSpec:
    document = PROFILE.model_dump(by_alias=True, exclude_defaults=True)
    return RunProfileSpec.model_validate(document | {"deliver": policy})


OPEN, STRICT = profile(), profile(approval="Required")


def finished(deliver: JsonDict | None, phase: str = "Succeeded", **status: object) -> RunBuilder:
    run = RunBuilder().spec(source={"url": URL, "ref": "main"}, ttlSecondsAfterFinished={"succeeded": 60})
    if deliver is not None:
        run.spec(deliver=deliver)
    ended = {"commit": WORK, "ref": "refs/runs/1/a1/heads/autopack/one", "snapshot": SAVED, "finishedAt": stamp()}
    return run.attempt().status(phase=phase, reason="Completed", **(ended | status))


def stored(run: RunBuilder, state: str = "Pending", **fields: object) -> RunBuilder:
    deliver = wanted(run.body()["spec"])
    assert deliver is not None
    known = {"state": state, "branch": "agents/one", "target": URL, "commit": WORK, "source": WORK, "since": stamp()}
    return run.status(delivery=known | {"request": digest(deliver)} | fields)


def step(run: RunView, allowed: RunProfileSpec | None = OPEN, seconds: float = 0, **known: Any) -> DeliveryStep:
    spec = AutopackRunSpec.model_validate(run.spec)
    return decide(run, DeliveryWorld(spec, DeliveryMemory(**known), profile=allowed), later(seconds))


def written(run: RunView, allowed: RunProfileSpec | None = OPEN, seconds: float = 0, **known: Any) -> JsonDict:
    found = step(run, allowed, seconds, **known)
    assert isinstance(found, WriteStatus)
    assert found.status.delivery is not None
    condition = find(found.status.conditions, ConditionType.DELIVERED)
    assert condition is not None
    assert (condition.status == "True") == (found.status.delivery.state == "Delivered")
    assert (found.status.phase, found.status.reason) == (run.status.phase, run.status.reason)
    return found.status.delivery.model_dump(exclude_none=True)


def test_a_branch_is_named_after_the_run_and_its_batch() -> None:
    deliver = wanted({"deliver": {}})
    assert deliver is not None
    assert branch_of(RunBuilder().view(), deliver) == "agents/one"
    assert branch_of(child(BatchBuilder().view(), "a").view(), deliver) == "agents/many/many-a"


@pytest.mark.parametrize(
    ("ref", "request_", "base"),
    [
        ("HEAD", {}, ""),
        ("main", {}, "main"),
        ("refs/heads/main", {}, "main"),
        ("refs/tags/v1", {}, ""),
        (SHA, {}, ""),
        ("main", {"base": "next"}, "next"),
    ],
)
def test_the_base_is_where_the_run_came_from(ref: str, request_: JsonDict, base: str) -> None:
    spec = AutopackRunSpec.model_validate(
        {"source": {"url": URL, "ref": ref}, "command": ["x"], "deliver": {"pullRequest": request_}}
    )
    assert spec.deliver is not None
    assert base_of(spec.deliver, spec.source) == base


@pytest.mark.parametrize(
    ("deliver", "source", "allowed", "words"),
    [
        ({}, {"url": URL}, PROFILE, "RunProfile 'default' lets runs deliver nothing"),
        ({"branch": "main"}, {"url": URL}, OPEN, "spec.deliver.branch 'main' is not among the branches"),
        ({"branch": "agents/a..b"}, {"url": URL}, OPEN, "spec.deliver.branch: 'agents/a..b' has '..'"),
        ({}, {"repository": "sample"}, OPEN, "spec.deliver.target is needed"),
        ({"target": "https://evil.example/x"}, {"url": URL}, OPEN, "is not spec.source.url"),
        ({}, {"url": URL}, profile(targets=["https://other.example/*"]), "is not among the targets"),
        ({}, {"url": URL}, profile(targets=["https://git.example/acme/*"]), None),
        ({"branch": "fix/one"}, {"url": URL}, profile(branches=["fix/*"]), None),
        ({}, {"url": URL}, OPEN, None),
        (None, {"url": URL}, PROFILE, None),
    ],
)
def test_what_a_profile_does_not_allow_names_the_field(
    deliver: JsonDict | None, source: JsonDict, allowed: RunProfileSpec, words: str | None
) -> None:
    fields: JsonDict = {"source": source, "command": ["x"]} | ({"deliver": deliver} if deliver is not None else {})
    found = objection(RunBuilder().view(), AutopackRunSpec.model_validate(fields), allowed)
    assert found is None if words is None else words in (found or "")


def test_the_intent_is_written_before_anything_is_asked_for() -> None:
    run = finished({"pullRequest": {}}).view()
    begun = written(run)
    assert (begun["state"], begun["branch"], begun["target"], begun["commit"]) == ("Pending", "agents/one", URL, WORK)
    asked = step(stored(finished({"pullRequest": {}})).view())
    assert isinstance(asked, Ask)
    request = asked.request
    assert (request.base, request.work.commit, request.began_at, request.expected) == ("main", WORK, SHA, "")
    assert request.pull_request is not None
    assert request.pull_request.title == "Work of one"


def test_a_profile_that_the_cache_does_not_have_is_looked_up() -> None:
    run = finished({}).view()
    assert step(run, None) == LookUpProfile("default")
    assert written(run, None, profile_absent=True)["state"] == "Refused"


@pytest.mark.parametrize("phase", ["Failed", "Canceled"])
def test_only_a_success_is_delivered_unless_another_end_is_asked_for(phase: str) -> None:
    assert step(finished({}, phase).view()) == Wait()
    assert not under_way(finished({}, phase).view())
    assert written(finished({"when": "Always"}, phase).view())["state"] == "Pending"


@pytest.mark.parametrize(
    ("deliver", "status", "commit", "ref"),
    [
        ({}, {}, WORK, "refs/runs/1/a1/heads/autopack/one"),
        ({"include": "Snapshot"}, {}, SAVED, "{}/snapshot"),
        ({}, {"outbox": {"feature": SHA}}, SHA, "{}/outbox/feature"),
        ({}, {"outbox": {"a": SHA, "autopack/one": WORK}}, WORK, "{}/outbox/autopack/one"),
        ({"branch": "agents/a"}, {"outbox": {"agents/a": SHA, "b": WORK}}, SHA, "{}/outbox/agents/a"),
    ],
)
def test_which_commit_is_delivered(deliver: JsonDict, status: JsonDict, commit: str, ref: str) -> None:
    run = stored(finished(deliver, **status), branch=deliver.get("branch", "agents/one")).view()
    asked = step(run)
    assert isinstance(asked, Ask)
    assert (asked.request.work.commit, asked.request.work.ref) == (commit, ref.format(f"refs/runs/{run.uid}/a1"))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"outbox": {"a": SHA, "b": WORK}}, "SeveralBranches"),
        ({"commit": SHA}, "NothingChanged"),
        ({"commit": None}, "NothingCommitted"),
    ],
)
def test_where_there_is_no_commit_to_deliver_nobody_is_asked(status: JsonDict, reason: str) -> None:
    refused = written(finished({}, **status).view())
    assert (refused["state"], refused["reason"]) == ("Refused", reason)


def test_the_final_answers() -> None:
    run = stored(finished({"squash": True})).view()
    done = written(run, answer=Delivered(SAVED, None, "pushed"))
    assert (done["state"], done["commit"], done["source"], done["message"]) == ("Delivered", SAVED, WORK, "pushed")
    for state in ("Conflict", "Refused", "Failed"):
        ended = written(run, answer=NotDelivered(state, "Why", "\x1b[31mbecause"))
        assert (ended["state"], ended["message"]) == (state, "\\x1b[31mbecause")


def test_what_may_pass_stays_pending_with_the_sentence_until_it_has_lasted_too_long() -> None:
    late, run = Delayed("HostUnavailable", "it is away"), stored(finished({})).view()
    told = written(run, answer=late, delays=1)
    assert (told["state"], told["message"]) == ("Pending", "it is away")
    waiting = stored(finished({}), reason="HostUnavailable", message="it is away")
    with_condition = waiting.condition("Delivered", "False", "HostUnavailable")
    with_condition._body["status"]["conditions"][-1]["message"] = "it is away"
    with_condition._body["status"]["conditions"][-1]["observedGeneration"] = 1
    again = step(with_condition.view(), answer=late, delays=3)
    assert isinstance(again, Wait)
    assert again.seconds == pytest.approx(20, rel=0.2)
    over = written(run, OPEN, PATIENCE_SECONDS, answer=late)
    assert (over["state"], over["reason"]) == ("Failed", "DeliveryTimeout")
    assert "it is away" in over["message"]
    assert step(run, answer=PENDING) == Wait(1.0)
    assert delay_seconds("x", 1000) <= LONGEST_DELAY_SECONDS * 1.2


@pytest.mark.parametrize("state", ["Delivered", "Conflict", "Refused", "Failed"])
def test_an_end_is_an_end_until_something_else_is_asked_for(state: str) -> None:
    run = stored(finished({}), state)
    assert step(run.view()) == Wait()
    assert not under_way(run.view())
    run.spec(deliver={"round": 1})
    assert under_way(run.view())
    again = written(run.view())
    assert again["state"] == "Pending"
    assert again["expected"] == (WORK if state == "Delivered" else "")


def test_a_delivery_that_is_taken_back_has_failed() -> None:
    run = stored(finished({}))
    del run._body["spec"]["deliver"]
    assert under_way(run.view())
    ended = written(run.view())
    assert (ended["state"], ended["reason"]) == ("Failed", "Withdrawn")


def approval(decision: str = "Approved", **fields: str) -> JsonDict:
    return {"decision": decision, "commit": WORK, "branch": "agents/one", "by": "jo"} | fields


def test_nothing_is_asked_for_before_it_is_approved() -> None:
    waiting = written(finished({}).view(), STRICT)
    assert waiting["state"] == "AwaitingApproval"
    assert "kubectl autopack approve one" in waiting["message"]
    approved = written(stored(finished({}).spec(approval=approval()), "AwaitingApproval").view(), STRICT, 90)
    assert (approved["state"], approved["approved_by"], approved["since"]) == ("Pending", "jo", stamp(90))
    assert isinstance(step(stored(finished({}).spec(approval=approval())).view(), STRICT), WriteStatus)
    assert isinstance(step(stored(finished({}).spec(approval=approval()), approvedBy="jo").view(), STRICT), Ask)


@pytest.mark.parametrize("other", [{"commit": SAVED}, {"branch": "agents/two"}])
def test_an_approval_counts_for_its_commit_and_its_branch_alone(other: dict[str, str]) -> None:
    for state in ("AwaitingApproval", "Pending"):
        run = stored(finished({}).spec(approval=approval(**other)), state, approvedBy="jo").view()
        told = written(run, STRICT)
        assert told["state"] == "AwaitingApproval"
        assert "approved_by" not in told
        assert "does not count" in told["message"]


def test_a_rejection_is_an_end() -> None:
    run = stored(finished({}).spec(approval=approval("Rejected", message="too large")), "AwaitingApproval").view()
    ended = written(run, STRICT)
    assert (ended["state"], ended["reason"], ended["message"]) == ("Refused", "Rejected", "jo rejected it: too large")


def test_a_run_is_kept_while_it_is_delivered_and_not_for_ever() -> None:
    run = stored(finished({})).view()
    assert after_the_end(run, later(60)) == Wait(86_400)
    assert after_the_end(run, later(60 + 86_400)) == Delete()
    assert after_the_end(stored(finished({}), "Delivered").view(), later(60)) == Delete()


def run_of(batch: RunBuilder | BatchBuilder, index: int, state: str) -> RunView:
    run = stored(finished({}), state)
    run._body["metadata"]["annotations"] = {"autopack.dev/batch-index": str(index)}
    return run.view()


def test_deliveries_are_counted_and_remembered_when_their_runs_are_gone() -> None:
    batch = BatchBuilder()
    assert counted(None, [finished(None).view()]) is None
    states = ["Delivered", "Pending", "AwaitingApproval", "Conflict"]
    first = counted(None, [run_of(batch, index, state) for index, state in enumerate(states)])
    assert first is not None
    assert (first.delivered, first.pending, first.awaiting_approval, first.failed) == (1, 1, 1, 1)
    second = counted(first, [run_of(batch, 1, "Delivered")])
    assert second is not None
    assert (second.delivered_indexes, second.failed_indexes, second.pending) == ("0-1", "3", 0)
    third = counted(second, [run_of(batch, 3, "Pending")])
    assert third is not None
    assert (third.failed, third.pending) == (0, 1)


def batch_of(deliver: JsonDict, **fields: object) -> RunBatchSpec:
    template = {"source": {"url": URL}, "command": ["x"], "deliver": deliver}
    return RunBatchSpec.model_validate({"template": template} | fields)


def test_a_batch_fills_in_branch_title_and_body() -> None:
    matrix = [{"name": "PART", "values": ["lexer", "parser"]}]
    request = {"title": "Do {PART}", "body": "{PART} {other}"}
    spec = batch_of({"branch": "agents/{PART}", "pullRequest": request}, matrix=matrix)
    deliver = child_spec(spec, items_of(spec)[1]).deliver
    assert deliver is not None
    assert deliver.pull_request is not None
    filled = (deliver.branch, deliver.pull_request.title, deliver.pull_request.body)
    assert filled == ("agents/parser", "Do parser", "parser {other}")


@pytest.mark.parametrize(
    ("branch", "values", "words"),
    [
        ("agents/{PART}", ["a b"], "deliver.branch is not possible once it is filled in"),
        ("agents/{NONE}", ["a"], "deliver.branch has {NONE}, which is no variable"),
        ("agents/x", ["a", "b"], "the runs of a batch need a branch each"),
    ],
)
def test_a_batch_with_an_impossible_delivery_is_refused_as_a_whole(branch: str, values: list[str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        batch_of({"branch": branch}, matrix=[{"name": "PART", "values": values}])


def test_a_run_names_its_branch_itself() -> None:
    with pytest.raises(ValidationError, match=r"deliver\.branch is filled in by a RunBatch only"):
        AutopackRunSpec.model_validate({"source": {"url": URL}, "command": ["x"], "deliver": {"branch": "a/{X}"}})
