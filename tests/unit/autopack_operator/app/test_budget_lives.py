"""Runs that reach models through the gateway: what they may spend, and what becomes of them when it is spent."""

from __future__ import annotations

import asyncio
import json

from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.kubelet import Fate
from tests.unit.autopack_operator.app.simulation import Simulation, live
from tests.unit.autopack_operator.app.stories import LONG, spend, with_gateway
from tests.unit.autopack_operator.builders import BatchBuilder, RunBuilder, anchor_text

from autopack_operator.domain.spending.views import Bound


def test_a_spent_budget_suspends_the_run_and_raising_it_lets_it_go_on_from_its_snapshot() -> None:
    lab = live(stories.budget_spent_and_raised)
    status = lab.run().status
    assert (status.phase, status.attempt, status.spent_budget) == ("Succeeded", 2, None)
    assert status.resumed_from == f"{1:039x}5"
    assert status.usage is not None
    # What the agents of both attempts told is not added to what the gateway counted.
    assert (status.usage.cost_usd, status.usage.requests, status.usage.source) == ("0.60", 3, "gateway")
    assert status.failures.agent == status.failures.infrastructure == 0


def test_a_suspended_run_says_what_is_spent_and_has_no_pod_and_no_grant() -> None:
    seen: list[object] = []

    async def story(lab: Simulation) -> None:
        with_gateway(lab)
        lab.kubelet.fates["one"] = [LONG]
        lab.apply(RunBuilder().spec(budget={"requests": 2}))
        await spend(lab, "one-a1")
        pod = lab.api.get("Pod", "one-a1")["metadata"]["uid"]
        await lab.until(lambda: lab.run().status.phase == "Pending")
        await asyncio.sleep(300)
        status = lab.run().status
        seen.extend([status.reason, status.message, lab.pods(), lab.books.ask(pod, 1), status.exit_code])
        lab.api.edit("AutopackRun", "one", cancel=True)
        await lab.end()

    lab = live(story)
    reason, message, pods, answer, _ = seen
    assert (reason, pods, answer) == ("BudgetExhausted", [], 401)
    assert "the run's budget (2 requests) is spent" in str(message)
    assert "raise spec.budget" in str(message)
    assert lab.run().status.phase == "Canceled"


def test_runs_share_the_budget_of_their_batch_and_all_go_on_when_it_is_raised() -> None:
    async def story(lab: Simulation) -> None:
        with_gateway(lab)
        lab.kubelet.fates |= {name: [LONG, Fate()] for name in ("many-a", "many-b")}
        lab.apply(BatchBuilder(ids=("a", "b"), workers=2).spec(budget={"usd": "0.50"}))
        await spend(lab, "many-a-a1")
        await spend(lab, "many-b-a1")
        await lab.until(lambda: all(lab.run(f"many-{one}").status.reason == "BudgetExhausted" for one in "ab"))
        await asyncio.sleep(120)
        assert lab.pods() == []
        lab.api.edit("RunBatch", "many", budget={"usd": "0.50", "tokens": 10_000})
        await asyncio.sleep(120)
        assert lab.pods() == [], "neither bound of it was raised"
        lab.api.edit("RunBatch", "many", budget={"usd": "9"})
        await lab.end()

    lab = live(story)
    usage = lab.batch().status.usage
    assert lab.batch().status.phase == "Succeeded"
    assert usage is not None
    assert (usage.cost_usd, usage.source) == ("0.60", "gateway")


def test_the_anchor_bounds_what_a_run_asks_for() -> None:
    anchor = json.loads(anchor_text())
    anchor["pivot_intentions"]["budget_cost"] = {"token_cap_global": 20}

    async def story(lab: Simulation) -> None:
        with_gateway(lab)
        lab.kubelet.fates["one"] = [LONG]
        lab.apply(RunBuilder().anchor(json.dumps(anchor)).spec(budget={"tokens": 1000}))
        await spend(lab, "one-a1")
        await lab.until(lambda: lab.run().status.reason == "BudgetExhausted")
        lab.api.edit("AutopackRun", "one", cancel=True)
        await lab.end()

    lab = live(story)
    (grant,) = lab.books.grants.values()
    assert grant.bounds == (Bound(f"run:{lab.run().uid}", None, 20, None),)


def test_a_run_ends_only_when_the_gateway_has_told_what_it_spent() -> None:
    told: list[tuple[str, str]] = []

    async def story(lab: Simulation) -> None:
        with_gateway(lab)
        lab.kubelet.fates["one"] = [Fate(seconds=30)]
        lab.apply(RunBuilder())
        await lab.until(lambda: bool(lab.books.grants))
        assert lab.books.ask(lab.api.get("Pod", "one-a1")["metadata"]["uid"], 5) == 200
        lab.books.away = True
        await asyncio.sleep(120)
        told.append((lab.run().status.phase, lab.run().status.reason))
        lab.books.away = False
        await lab.end()

    lab = live(story)
    assert told == [("Finishing", "GatewayUnavailable")]
    usage = lab.run().status.usage
    assert usage is not None
    assert (lab.run().status.phase, usage.cost_usd) == ("Succeeded", "0.000005")
    assert lab.books.revoked == {(lab.run().uid, 1)}


def test_a_pod_gets_its_grant_once_the_gateway_is_back() -> None:
    async def story(lab: Simulation) -> None:
        with_gateway(lab)
        lab.books.away = True
        lab.kubelet.fates["one"] = [Fate(seconds=100)]
        lab.apply(RunBuilder())
        await lab.until(lambda: lab.run().status.phase == "Running")
        lab.books.away = False
        await lab.until(lambda: bool(lab.books.grants))
        assert lab.run().status.phase == "Running"
        await lab.end()

    live(story)


def test_a_raised_budget_reaches_a_pod_that_runs() -> None:
    async def story(lab: Simulation) -> None:
        with_gateway(lab)
        lab.kubelet.fates["one"] = [Fate(seconds=100)]
        lab.apply(RunBuilder().spec(budget={"tokens": 1}))
        await lab.until(lambda: bool(lab.books.grants))
        lab.api.edit("AutopackRun", "one", budget={"tokens": 77})
        await lab.until(lambda: [bound.tokens for bound in lab.books.grants[lab.run().uid].bounds] == [77])
        await lab.end()

    assert live(story).run().status.attempt == 1


def test_a_profile_without_providers_has_nothing_to_do_with_the_gateway() -> None:
    async def story(lab: Simulation) -> None:
        lab.metered, lab.books.away = True, True
        lab.apply(RunBuilder())
        await lab.end()

    lab = live(story)
    assert lab.run().status.phase == "Succeeded"
    assert not lab.books.grants
    assert not lab.books.revoked
