"""The seed's integration test: parallel test runs, none of whose artifacts collide."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scripts.postgres import PostgresServer
from tests.local.supervisor.scene import Scene, clean_environment, python

from autopack.registry.store import Registry
from autopack.registry.urls import check_database_url, sqlite_url

SCRIPT = Path(__file__).resolve().parents[3] / "scripts/seed_parallel_test_runs.py"
RUNS = ["test-run-001", "test-run-002", "test-run-003"]

# What an executor does: a baseline of its tests, results of its own, and work.
EXECUTOR = """
import json, os, pathlib, subprocess
from autopack.test_baseline_tracker import TestBaselineTracker
run = os.environ['AUTOPACK_RUN_ID']
pathlib.Path('tests').mkdir(exist_ok=True)
number = int(run[-1])
pathlib.Path('pytest.ini').write_text('[pytest]')
pathlib.Path('tests/test_it.py').write_text(''.join(f'def test_{i}(): pass\\n' for i in range(number)))
sha = subprocess.run(['git', 'rev-parse', 'HEAD'], capture_output=True, text=True, check=True).stdout.strip()
baseline = TestBaselineTracker(pathlib.Path.cwd(), run_id=run).capture_baseline(run, sha)
print(json.dumps([run, baseline.total_tests]))
"""


def seed(scene: Scene, *flags: str, url: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--autonomous-runs-dir", str(scene.runs), *flags],
        env=clean_environment({"DATABASE_URL": url}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def states(registry: Registry) -> dict[str, str]:
    try:
        return {row.run_id: row.state for row in registry.runs()}
    finally:
        registry.close()


@pytest.mark.parametrize("database", ["postgres", "sqlite"])
def test_no_artifacts_of_parallel_runs_collide(scene: Scene, database: str, request: pytest.FixtureRequest) -> None:
    flags, url = ("--per-run-sqlite",), ""
    if database == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        flags, url = (), server.new_database()  # type: ignore[assignment]
    for _ in range(2):
        done = seed(scene, *flags, url=url)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"--run-ids {','.join(RUNS)}" in done.stdout
    places = [sqlite_url(scene.runs / run / f"{run}.db") for run in RUNS] if not url else [check_database_url(url)]
    assert {name: state for place in places for name, state in states(Registry(place)).items()} == dict.fromkeys(
        RUNS, "Pending"
    )

    done = scene.supervise(RUNS, "--workers", "3", *flags, "--command", python(EXECUTOR), env={"DATABASE_URL": url})
    assert "Total: 3/3 successful" in done.stdout, done.stderr

    assert {name: state for place in places for name, state in states(Registry(place)).items()} == dict.fromkeys(
        RUNS, "Succeeded"
    )
    sha = scene.git("rev-parse", "HEAD")
    for number, run in enumerate(RUNS, 1):
        assert json.loads(scene.stdout(run)) == [run, number]
        report = json.loads((scene.runs / run / "ci/baseline.json").read_bytes())
        baseline = json.loads((scene.runs / run / f"baselines/{sha}.json").read_bytes())
        assert (report["summary"]["total"], baseline["run_id"], baseline["total_tests"]) == (number, run, number)
    assert not (scene.runs / "baselines").exists()
    assert not (scene.runs / "ci").exists()


def test_seeding_without_a_database_is_bad_input(scene: Scene) -> None:
    done = seed(scene)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no database is given" in done.stderr
