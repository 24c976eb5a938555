"""Leases that were created when their run had ended, by a leader that was gone by then."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.simulation import RESYNC_SECONDS, Simulation, live
from tests.unit.autopack_operator.builders import RunBuilder
from tests.unit.autopack_operator.fake_api import Fault, Moment, Request

from autopack_operator.domain.api.common import JsonDict
from autopack_operator.ports.cluster import TransientError


def lease(lab: Simulation, name: str, attempt: int = 1, uid: str = "") -> JsonDict:
    run = lab.run()
    labels = {"autopack.dev/run-uid": uid or run.uid, "autopack.dev/attempt": str(attempt)}
    owner = {"uid": uid or run.uid, "name": run.name}
    holder = f"{uid or run.uid}.a{attempt}"
    meta = {"name": name, "labels": labels, "ownerReferences": [owner]}
    return {"kind": "Lease", "metadata": meta, "spec": {"holderIdentity": holder}}


def names(lab: Simulation) -> list[str]:
    return [body["metadata"]["name"] for body in lab.api.all("Lease")]


async def look(lab: Simulation) -> None:
    await asyncio.sleep(2 * RESYNC_SECONDS)


def test_those_of_a_run_that_has_ended_go_and_others_stay() -> None:
    async def story(lab: Simulation) -> None:
        await stories.success(lab)
        lab.api.add(lease(lab, "late"))
        lab.api.add(lease(lab, "of-a-namesake", uid="another"))
        lab.api.add({"kind": "Lease", "metadata": {"name": "leader", "labels": {}}, "spec": {"holderIdentity": "us"}})
        await look(lab)
        assert sorted(names(lab)) == ["leader", "of-a-namesake"]

    live(story)


def test_those_of_a_run_under_way_are_its_own() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [stories.LONG]
        lab.apply(RunBuilder())
        await asyncio.sleep(stories.A_WHILE)
        held = names(lab)
        await look(lab)
        assert names(lab) == held != []
        await lab.end()

    live(story)


@pytest.mark.parametrize("moment", list(Moment))
def test_an_api_server_that_does_not_answer_is_asked_again(moment: Moment) -> None:
    def fail_once() -> Fault:
        failed: list[Request] = []

        def fault(request: Request, now: Moment) -> None:
            if request.verb == "release" and now is moment and not failed:
                failed.append(request)
                raise TransientError("away")

        return fault

    async def story(lab: Simulation) -> None:
        await stories.success(lab)
        lab.api.add(lease(lab, "late"))
        lab.api.fault = fail_once()
        await look(lab)
        assert names(lab) == []

    live(story)
