"""The project's list of bad inputs, as far as it touches ids, paths, anchors, repositories, environment, command line
and databases, as one table: each row gets the answer that the list gives.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import pytest
from tests.local.bad_inputs import anchors, ids, repositories, surroundings
from tests.local.bad_inputs.table import FAILS, REFUSED, SECRET, WORKS, Place, Row
from tests.local.supervisor.scene import Scene, clean_environment

from autopack_cli.main import main

TABLE = [*anchors.ROWS, *ids.ROWS, *repositories.ROWS, *surroundings.ROWS]
VARIABLES = ("DATABASE_URL", "AUTONOMOUS_RUNS_DIR", "AUTOPACK_REPO_PATH", "AUTOPACK_DEBUG")
GOOD = (
    *("autopilot", "supervise", "--run-ids", "a,b"),
    *("--anchor-path", "anchor.json", "--source-repo", "repo", "--autonomous-runs-dir", "runs", "--command", "true"),
)


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def place(scene: Scene, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(scene.root)
    return Place(scene, request, monkeypatch)


@pytest.mark.parametrize("row", TABLE, ids=[f"{row.item} {row.answer.value}" for row in TABLE])
def test_bad_input(row: Row, place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    values = (row.given(place) if row.given else None) or {}
    found_before = place.scene.runs.exists()
    capfd.readouterr()
    said = call(row, place, values, capfd)
    if row.answer is REFUSED:
        line = said.err.removeprefix("autopack: ")
        assert (said.code, line.count("\n"), said.out) == (2, 1, ""), said
        assert row.says in line
        assert place.scene.runs.exists() == found_before
    elif row.answer is FAILS:
        first, _, other = said.out.partition("\nb: ")
        assert (said.code, row.says in first) == (1, True), said
        assert other.startswith("SUCCESS")
        assert "Total: 1/2" in other
    else:
        assert row.answer is WORKS
        assert (said.code, row.says in said.out) == (0, True), said
    assert "Traceback" not in said.err
    assert SECRET not in said.out + said.err
    if row.check:
        row.check(place)


def call(row: Row, place: Place, values: dict[str, str] | object, capfd: pytest.CaptureFixture[str]) -> Said:
    assert isinstance(values, dict)
    database = ("--per-run-sqlite",) if row.sqlite else ()
    argv = [*row.args] if row.alone else [*GOOD, *database, *row.args]
    env = {name: text.replace("{url}", values.get("url", "")) for name, text in row.env.items()}
    if row.within or row.unread:
        return call_apart(row, argv, env)
    for name, text in env.items():
        place.monkeypatch.setenv(name, text)
    code = main(argv)
    return Said(code, *capfd.readouterr())


def call_apart(row: Row, argv: list[str], env: dict[str, str]) -> Said:
    """Call it as a process of its own, with a prefix, or with a standard output that nobody reads."""
    reading, writing = os.pipe()
    if row.unread:
        os.close(reading)
    done = subprocess.run(
        [*row.within, sys.executable, "-m", "autopack.cli", *argv],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(env),
        check=False,
        timeout=60,
    )
    os.close(writing)
    out = ""
    if not row.unread:
        with os.fdopen(reading) as file:
            out = file.read()
    return Said(done.returncode, out, done.stderr)
