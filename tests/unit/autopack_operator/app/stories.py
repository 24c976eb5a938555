"""What people do with runs and batches, each story until everything has come to its end."""

from __future__ import annotations

import asyncio

from tests.unit.autopack_operator.app.kubelet import Fate
from tests.unit.autopack_operator.app.simulation import Simulation
from tests.unit.autopack_operator.builders import BatchBuilder, RunBuilder

LONG = Fate(seconds=1000)
A_WHILE = 60.0


async def success(lab: Simulation) -> None:
    """A command that succeeds."""
    lab.apply(RunBuilder())
    await lab.end()


async def failure(lab: Simulation) -> None:
    """A command that fails."""
    lab.kubelet.fates["one"] = [Fate(exit_code=3)]
    await success(lab)


async def eviction(lab: Simulation) -> None:
    """The first pod is evicted, the second succeeds."""
    lab.kubelet.fates["one"] = [Fate(eviction=True), Fate()]
    await success(lab)


async def missing_image(lab: Simulation) -> None:
    """The first pod never starts, the second succeeds."""
    lab.kubelet.fates["one"] = [Fate(image_error="ImagePullBackOff"), Fate()]
    await success(lab)


async def refusal(lab: Simulation) -> None:
    """No anchor."""
    lab.apply(RunBuilder().anchor(None))
    await lab.end()


async def cancel_while_running(lab: Simulation) -> None:
    """The user changes their mind."""
    lab.kubelet.fates["one"] = [LONG]
    lab.apply(RunBuilder())
    await asyncio.sleep(A_WHILE)
    lab.api.edit("AutopackRun", "one", cancel=True)
    await lab.end()


async def cancel_before_retry(lab: Simulation) -> None:
    """The run waits for its second attempt when it is canceled."""
    lab.kubelet.fates["one"] = [Fate(eviction=True)]
    lab.apply(RunBuilder().spec(retry={"backoffSeconds": 600}))
    await asyncio.sleep(A_WHILE)
    lab.api.edit("AutopackRun", "one", cancel=True)
    await lab.end()


async def suspend_and_resume(lab: Simulation) -> None:
    """The run is stopped for a minute; the next attempt succeeds."""
    lab.kubelet.fates["one"] = [LONG, Fate()]
    lab.apply(RunBuilder())
    for suspended in (True, False):
        await asyncio.sleep(A_WHILE)
        lab.api.edit("AutopackRun", "one", suspend=suspended)
    await lab.end()


async def time_to_live(lab: Simulation) -> None:
    """The run object goes away a minute after its success."""
    lab.apply(RunBuilder().spec(ttlSecondsAfterFinished={"succeeded": 60}))
    await lab.until(lambda: lab.api.find("AutopackRun", "one") is None and lab.pods() == [])


async def deletion(lab: Simulation) -> None:
    """The run is deleted while its command is at work."""
    lab.kubelet.fates["one"] = [LONG]
    lab.apply(RunBuilder())
    await asyncio.sleep(A_WHILE)
    lab.api.remove("AutopackRun", "one")


async def batch(lab: Simulation) -> None:
    """Three runs, two at a time; one fails."""
    lab.kubelet.fates["many-b"] = [Fate(exit_code=1)]
    lab.apply(BatchBuilder(workers=2))
    await lab.end()


async def batch_canceled(lab: Simulation) -> None:
    """Two of three runs are under way when the batch is canceled."""
    lab.kubelet.fates |= {name: [LONG] for name in ("many-a", "many-b")}
    lab.apply(BatchBuilder(workers=2))
    await asyncio.sleep(A_WHILE)
    lab.api.edit("RunBatch", "many", cancel=True)
    await lab.end()


async def deadline(lab: Simulation) -> None:
    """The first pod is evicted, the second is still at it when the time for all attempts is over."""
    lab.kubelet.fates["one"] = [Fate(eviction=True), LONG]
    lab.apply(RunBuilder().spec(activeDeadlineSeconds=60))
    await lab.end()


async def eviction_from_source(lab: Simulation) -> None:
    """The first pod is evicted, the second begins again and succeeds."""
    lab.kubelet.fates["one"] = [Fate(eviction=True), Fate()]
    lab.apply(RunBuilder().spec(retry={"startFrom": "Source"}))
    await lab.end()


async def batch_gives_up(lab: Simulation) -> None:
    """The first run fails, which ends the batch and cancels the second; the third is never made."""
    lab.kubelet.fates |= {"many-a": [Fate(exit_code=1, seconds=30)], "many-b": [LONG]}
    lab.apply(BatchBuilder(workers=2).spec(failurePolicy={"maxFailed": 0, "action": "Cancel"}))
    await lab.end()


async def batch_has_enough(lab: Simulation) -> None:
    """The first run succeeds, which is all that is wanted."""
    # Longer than two resyncs: whatever the watch has lost, the second is under way by then.
    lab.kubelet.fates |= {"many-a": [Fate(seconds=900)], "many-b": [Fate(seconds=3000)]}
    lab.apply(BatchBuilder(workers=2).spec(successPolicy={"succeededCount": 1}))
    await lab.end()


async def batch_paced(lab: Simulation) -> None:
    """One start a minute, whoever decides."""
    lab.apply(BatchBuilder(workers=3).spec(startIntervalSeconds=60))
    await lab.end()


async def delivery(lab: Simulation) -> None:
    """The work of a run is delivered."""
    lab.allow_delivery()
    lab.apply(RunBuilder().spec(deliver={"target": "https://git.example/app.git", "pullRequest": {}}))
    await lab.until(lambda: lab.delivered("one") == "Delivered")


PROVIDERS = [{"name": "claude", "api": "anthropic"}]


def with_gateway(lab: Simulation) -> None:
    """The installation has a gateway, and the profile a provider; before an operator looks."""
    lab.metered = True
    lab.api.edit("RunProfile", "default", providers=PROVIDERS)


async def spend(lab: Simulation, pod: str, micro_usd: int = 200_000) -> None:
    """The agent in that pod asks until it is refused for its budget; as its relay does, again where it is not known."""
    answers: list[int] = []

    def refused() -> bool:
        body = lab.api.find("Pod", pod)
        if body is not None:
            answers.append(lab.books.ask(body["metadata"]["uid"], micro_usd))
        return bool(answers) and answers[-1] == 403

    await lab.until(refused)


async def budget_spent_and_raised(lab: Simulation) -> None:
    """The run is suspended when its budget is spent, and goes on when that is raised."""
    with_gateway(lab)
    lab.kubelet.fates["one"] = [LONG, Fate()]
    lab.apply(RunBuilder().spec(budget={"usd": "0.50"}))
    await spend(lab, "one-a1")
    await lab.until(lambda: lab.run().status.reason == "BudgetExhausted" and lab.run().status.phase == "Pending")
    await asyncio.sleep(A_WHILE)
    lab.api.edit("AutopackRun", "one", budget={"usd": "5"})
    await lab.end()
