"""What a run is asked, from its spec or a ConfigMap to the volume."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.autopack_operator.app.simulation import Simulation, live
from tests.unit.autopack_operator.builders import RunBuilder

from autopack_operator.domain.run.prompts import Asked

FROM_CONFIGMAP = {"configMapKeyRef": {"name": "task", "key": "task.md"}}


def config_map(text: str, label: str = "true") -> dict[str, Any]:
    meta = {"name": "task", "labels": {"autopack.dev/prompt": label}}
    return {"kind": "ConfigMap", "metadata": meta, "data": {"task.md": text}}


def asked(lab: Simulation) -> list[Asked]:
    return [folder.asked for folder in lab.files.folders.values()]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"prompt": "do it"}, Asked(text="do it")),
        ({"promptFrom": {"file": "docs/task.md"}}, Asked(file="docs/task.md")),
        ({}, Asked()),
    ],
)
def test_the_volume_is_told_what_the_run_is_asked(fields: dict[str, Any], expected: Asked) -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder().spec(**fields))
        await lab.end()

    assert asked(live(story)) == [expected]


def test_a_run_waits_for_its_configmap_says_so_and_goes_on_once_it_may_have_it() -> None:
    told: list[tuple[str, str, str]] = []

    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder().spec(promptFrom=FROM_CONFIGMAP))
        for change in (None, config_map("not for runs", label="false"), config_map("do it")):
            if change is not None:
                if lab.api.find("ConfigMap", "task") is not None:
                    lab.api.remove("ConfigMap", "task")
                lab.api.add(change)
            await asyncio.sleep(30)
            status = lab.run().status
            told.append((status.phase, status.reason, status.message))
        await lab.end()

    lab = live(story)
    missing = "there is no ConfigMap 'task' with the label autopack.dev/prompt: \"true\" and the key 'task.md'"
    assert told[:2] == [("Pending", "PromptNotFound", missing)] * 2
    assert asked(lab) == [Asked(text="do it")]
    assert lab.run().status.phase == "Succeeded"


def test_a_configmap_that_is_too_long_for_a_prompt_ends_the_run_before_any_pod() -> None:
    async def story(lab: Simulation) -> None:
        lab.api.add(config_map("x" * (256 << 10 | 1)))
        lab.apply(RunBuilder().spec(promptFrom=FROM_CONFIGMAP))
        await lab.end()

    lab = live(story)
    status = lab.run().status
    assert (status.phase, status.reason, lab.pods()) == ("Failed", "PromptTooLong", [])
    assert "'task.md' of ConfigMap 'task' has 262145 bytes" in status.message


def test_an_agent_that_the_profile_does_not_have_is_refused_before_the_volume_is_asked() -> None:
    async def story(lab: Simulation) -> None:
        run = RunBuilder().spec(agent={"name": "codex"}, prompt="do it")
        body = run.body()
        del body["spec"]["command"]
        lab.api.add(body)
        await lab.end()

    lab = live(story)
    assert (lab.run().status.phase, lab.run().status.reason, asked(lab)) == ("Refused", "AgentUnknown", [])
