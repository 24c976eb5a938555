"""Our own files and the user's: any name may be given under the artifacts' folder, and old attempts stay readable."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import UID, Api, Pod, git, import_source, runtime
from .test_reading import get, get_json, of
from .test_resume import next_pod

NAMES = (
    "result.json",
    "manifest.json",
    "exit.json",
    "results.bundle",
    "workspace.json",
    "fenced.json",
    "repo.git/config",
    "keeper-objects/pack",
)
WRITE = "; ".join(
    f'mkdir -p "$AUTOPACK_ARTIFACTS/$(dirname {name})"; echo mine > "$AUTOPACK_ARTIFACTS/{name}"' for name in NAMES
)


async def test_any_name_is_the_users_under_the_artifacts_folder(api: Api, ready: Pod, volume: Path) -> None:
    assert ready.live(f"{WRITE}; echo x > README.md; git commit -qam x; sleep 0.5; echo y > README.md; exit 3") == 3
    status, answer = await api.commit(removeWorkspace=True)
    assert (status, answer["complete"], answer["exitCode"]) == (200, True, 3)
    listed = {entry["path"] for entry in json.loads(ready.files.manifest.read_bytes())["files"]}
    assert listed == {*NAMES, "logs/stdout.log", "logs/stderr.log"}
    printed = runtime(volume, "tree", "fix-it")
    for name in NAMES:
        assert (await get(api, of(f"/artifact?path={name}")))[2] == b"mine\n"
        assert f"    {name}  5\n" in printed
    assert git("show", f"{answer['snapshot']}:README.md", cwd=volume / ".repos/n-demo/results.git") == "y"


async def test_the_users_files_do_not_end_the_keeper_nor_the_attempt(api: Api, ready: Pod) -> None:
    ready.live(f"{WRITE}; sleep 1; echo late > late.txt")
    _, answer = await api.commit()
    assert answer["snapshot"] is not None
    assert '"reason": "Fenced"' not in ready.keeper_said


async def test_a_run_under_way_shows_the_users_files_alone(api: Api, ready: Pod) -> None:
    ready.init()
    ready.run(WRITE)
    listed = (await get_json(api, of("/artifacts")))[1]["files"]
    assert {entry["path"] for entry in listed} == {*NAMES, "logs/stdout.log", "logs/stderr.log"}


@pytest.fixture
async def old(api: Api, volume: Path, source: Path, make_pod: Callable[..., Pod]) -> Pod:
    """A pod of an attempt that was prepared when our own files still lay among the artifacts."""
    import_source(volume, source)
    _, answer = await api.put()
    shutil.rmtree(volume / answer.pop("kept"))
    pin = volume / f".attempts/{UID}/a1.json"
    pinned: dict[str, Any] = json.loads(pin.read_bytes())
    del pinned["answer"]["kept"]
    pin.write_text(json.dumps(pinned))
    return make_pod(answer)


OLD_WORK = 'echo x > README.md; git commit -qam x; echo y > README.md; echo r > "$AUTOPACK_ARTIFACTS/ci/report"; exit 3'


async def test_an_old_attempt_is_taken_in_and_read(api: Api, old: Pod, volume: Path) -> None:
    old.live(OLD_WORK)
    names = {path.name for path in old.artifacts.iterdir()}
    ours = {"repo.git", "manifest.json", "result.json", "results.bundle", "workspace.json", "exit.json"}
    assert names == {*ours, "outbox.git", "given-refs", "ci", "baselines", "logs"}
    status, answer = await api.commit(removeWorkspace=True)
    assert (status, answer["complete"], answer["exitCode"]) == (200, True, 3)
    assert git("show", f"{answer['snapshot']}:README.md", cwd=volume / ".repos/n-demo/results.git") == "y"
    assert not (old.artifacts / "repo.git").exists()
    assert not (old.artifacts / "ci/report").stat().st_mode & 0o222
    listed = (await get_json(api, of("/artifacts")))[1]["files"]
    assert [entry["path"] for entry in listed] == ["ci/report", "exit.json", "logs/stderr.log", "logs/stdout.log"]
    assert (await get(api, of("/artifact?path=ci/report")))[2] == b"r\n"
    assert json.loads((await get(api, of("/artifact?path=manifest.json")))[2])["runId"] == "fix-it"
    assert (await get(api, of("/artifact?path=results.bundle")))[0] == 404
    assert "results.bundle" not in runtime(volume, "tree", "fix-it")


async def test_an_old_attempt_under_way_hides_our_files_and_is_fenced(api: Api, old: Pod) -> None:
    old.init()
    old.run("echo y > README.md")
    listed = (await get_json(api, of("/artifacts")))[1]["files"]
    assert [entry["path"] for entry in listed] == ["exit.json", "logs/stderr.log", "logs/stdout.log"]
    _, answer = await api.commit(removeWorkspace=True)
    assert (answer["complete"], answer["exitCode"]) == (False, 0)
    assert (old.artifacts / "fenced.json").exists()
    assert old.workspace.exists()


async def test_an_attempt_goes_on_from_an_old_one(api: Api, old: Pod, make_pod: Callable[..., Pod]) -> None:
    old.live(OLD_WORK)
    await api.commit()
    pod = await next_pod(api, make_pod)
    assert pod.files.kept != pod.artifacts
    assert git("log", "-1", "--format=%s", cwd=pod.workspace) == "x"
    assert (pod.workspace / "README.md").read_text() == "y\n"
