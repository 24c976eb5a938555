"""The volume service and the keeper, killed at any point: asked again, they finish what was begun."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import UID, Api, Pod, git

PREPARE = {"runId": "fix-it", "ref": "main", "branch": "autopack/fix-it"}
WORK = 'echo x > README.md; git commit -qam x; echo y > README.md; echo {} > "$AUTOPACK_ARTIFACTS/ci/report"; exit 3'


def ask(volume: Path, method: str, path: str, body: dict[str, Any], failpoint: str = "") -> dict[str, Any] | None:
    """Ask a service that is started for it, and killed at the failpoint; None when it died without an answer."""
    env = os.environ | ({"AUTOPACK_FAILPOINT": f"{failpoint}:kill"} if failpoint else {})
    command = [sys.executable, str(Path(__file__).with_name("serving.py")), str(volume)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}{path}"
        headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                assert response.status == 200
                return dict(json.load(response))
        except urllib.error.HTTPError as error:
            pytest.fail(f"{error.code}: {error.read()!r}")
        except OSError:
            return None
        finally:
            process.kill()


def leftovers(volume: Path) -> list[Path]:
    return [*volume.glob(".repos/*/.tmp-*"), *volume.glob(".attempts/*/.tmp-*")]


@pytest.mark.parametrize("failpoint", ["volume.before_mirror_rename", "volume.after_pin_ref", "volume.before_pin"])
def test_killed_while_preparing(volume: Path, source: Path, failpoint: str, make_pod: Callable[..., Pod]) -> None:
    body = PREPARE | {"source": {"url": f"file://{source}"}}
    assert ask(volume, "PUT", f"/v1/attempts/{UID}/1", body, failpoint) is None
    answer = ask(volume, "PUT", f"/v1/attempts/{UID}/1", body)
    assert answer is not None
    assert answer["sha"] == git("rev-parse", "main", cwd=source)
    assert make_pod(answer).init() == 0
    assert leftovers(volume) == []


@pytest.mark.parametrize("failpoint", ["volume.after_fetch", "volume.after_import", "volume.before_commit_pin"])
def test_killed_while_committing(volume: Path, source: Path, failpoint: str, make_pod: Callable[..., Pod]) -> None:
    prepared = ask(volume, "PUT", f"/v1/attempts/{UID}/1", PREPARE | {"source": {"url": f"file://{source}"}})
    assert prepared is not None
    make_pod(prepared).live(WORK)
    body = {"runId": "fix-it", "removeWorkspace": True}
    assert ask(volume, "POST", f"/v1/attempts/{UID}/1/commit", body, failpoint) is None
    answer = ask(volume, "POST", f"/v1/attempts/{UID}/1/commit", body)
    results = volume / ".repos" / prepared["repoKey"] / "results.git"
    assert answer is not None
    assert (answer["complete"], answer["exitCode"]) == (True, 3)
    assert git("show", f"{answer['ref']}:README.md", cwd=results) == "x"
    assert git("show", f"refs/runs/{UID}/a1/snapshot:README.md", cwd=results) == "y"
    assert not (volume / prepared["workspace"]).exists()
    assert leftovers(volume) == []


@pytest.mark.parametrize("failpoint", ["keeper.after_save", "keeper.after_manifest"])
async def test_a_keeper_killed_at_the_end_and_started_again(api: Api, ready: Pod, failpoint: str) -> None:
    ready.init()
    ready.run(WORK)
    assert ready.with_env(AUTOPACK_FAILPOINT=f"{failpoint}:kill").container_exit("keeper") == -9
    ready.start_keeper()
    ready.wait_for("result.json")
    ready.stop_keeper()
    status, answer = await api.commit()
    assert (status, answer["complete"], answer["exitCode"]) == (200, True, 3)


@pytest.mark.parametrize("failpoint", ["keeper.after_save", "keeper.after_manifest"])
async def test_a_keeper_killed_at_the_end_with_its_pod(api: Api, ready: Pod, volume: Path, failpoint: str) -> None:
    ready.init()
    ready.run(WORK)
    assert ready.with_env(AUTOPACK_FAILPOINT=f"{failpoint}:kill").container_exit("keeper") == -9
    status, answer = await api.commit()
    results = volume / ".repos/n-demo/results.git"
    assert (status, answer["complete"], answer["exitCode"]) == (200, False, 3)
    assert git("show", f"refs/runs/{UID}/a1/snapshot:README.md", cwd=results) == "y"
