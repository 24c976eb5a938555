"""Killing a component kills exactly the process that its pid file means, and has it started again."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from devcluster.embedded import processes
from scripts import deploy

from faults import nodes
from faults.campaign import NODE_MINUTES, room_for_nodes


@pytest.fixture
def ups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands given to the development cluster."""
    given: list[str] = []
    monkeypatch.setattr(deploy, "devcluster", given.append)
    monkeypatch.setattr(nodes, "DOWN_SECONDS", 0.0)
    return given


@pytest.fixture
def component() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def pid_file(folder: Path, process: subprocess.Popen[bytes], started: int = 0) -> Path:
    identity = processes.identity_of(process.pid)
    assert identity is not None
    fields = {"pid": process.pid, "started": started or identity.started, "boot": identity.boot}
    path = folder / "kubelet.json"
    path.write_text(json.dumps({"identity": fields, "fingerprint": "x"}))
    return path


async def test_a_component_is_killed_and_the_cluster_made_whole(
    tmp_path: Path, component: subprocess.Popen[bytes], ups: list[str]
) -> None:
    await nodes.kill("kubelet", pid_file(tmp_path, component).parent)
    assert (component.wait(), ups) == (-signal.SIGKILL, ["up"])


async def test_a_stranger_that_got_the_pid_is_left_alone(
    tmp_path: Path, component: subprocess.Popen[bytes], ups: list[str]
) -> None:
    with pytest.raises(nodes.ComponentError, match="kubelet does not run"):
        await nodes.kill("kubelet", pid_file(tmp_path, component, started=1).parent)
    assert (component.poll(), ups) == (None, [])


def test_only_a_cluster_all_of_whose_components_run_here_can_be_disturbed(
    tmp_path: Path, component: subprocess.Popen[bytes]
) -> None:
    text = pid_file(tmp_path, component).read_text()
    alone = nodes.killable(tmp_path)
    for name in nodes.COMPONENTS:
        (tmp_path / f"{name}.json").write_text(text)
    assert (alone, nodes.killable(tmp_path)) == (False, True)


@pytest.mark.parametrize(("minutes", "room"), [(60, NODE_MINUTES), (4, 2)])
def test_a_campaign_leaves_room_for_what_comes_last(minutes: float, room: float) -> None:
    assert room_for_nodes(minutes) == room
