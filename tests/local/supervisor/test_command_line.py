"""The commands end to end: the seed's script and flags, what they print, and what they refuse."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg2
import pytest
from scripts.postgres import PASSWORD, PostgresServer
from tests.local.supervisor.scene import Scene, clean_environment, python, wait_until

REPOSITORY = Path(__file__).resolve().parents[3]
COMMIT = """
import os, pathlib
run = os.environ['AUTOPACK_RUN_ID']
pathlib.Path('shared').write_text(run if run != 'c' else 'a')
pathlib.Path('own-' + run).write_text(run)
os.system('git add -A && git commit -qm work')
pathlib.Path('loose').write_text('not committed by ' + run)
"""


def call(
    scene: Scene, *argv: str, env: Mapping[str, str] | None = None, program: Sequence[str] = ("-m", "autopack.cli")
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program, *argv],
        capture_output=True,
        text=True,
        env=clean_environment(
            {"AUTOPACK_REPO_PATH": str(scene.repo), "AUTONOMOUS_RUNS_DIR": str(scene.runs), **(env or {})}
        ),
        timeout=120,
        check=False,
        cwd=scene.root,
    )


def test_the_seeds_script_is_the_same_program(scene: Scene) -> None:
    script = (str(REPOSITORY / "scripts/autopack_supervisor.py"),)
    flags = ("--run-ids", "a,b", "--anchor-path", "anchor.json", "--workers", "2", "--per-run-sqlite")
    done = call(scene, *flags, "--command", python("pass"), program=script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\nTotal: 2/2 successful\n")
    assert "EXECUTION SUMMARY" in done.stdout
    assert call(scene, "--list-worktrees", program=script).stdout.startswith("Found 1 worktree:")
    assert call(scene, "--cleanup", program=script).stdout == "Cleaned up 0 worktrees\n"
    assert call(scene, program=script).returncode == 2


def test_a_terminal_sees_a_table(scene: Scene) -> None:
    ours, theirs = pty.openpty()
    argv = scene.argv(["a"], "--per-run-sqlite", "--command", python("import time; time.sleep(1.5)"))
    process = subprocess.Popen(argv, stderr=theirs, stdout=subprocess.PIPE, env=clean_environment({"TERM": "xterm"}))
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:
            break
    process.communicate(timeout=200)
    os.close(ours)
    assert process.returncode == 0
    assert b"attempt" in shown
    assert b"1 running" in shown
    assert b"a: succeeded in" in shown


def test_a_terminal_that_is_closed_ends_no_run(scene: Scene) -> None:
    ours, theirs = pty.openpty()
    argv = scene.argv(
        ["a", "b"], "--workers", "1", "--per-run-sqlite", "--command", python("import time; time.sleep(1)")
    )
    process = subprocess.Popen(argv, stderr=theirs, stdout=subprocess.PIPE, env=clean_environment({"TERM": "xterm"}))
    os.close(theirs)
    wait_until((scene.runs / "workspaces/a").exists, "the first run has started")
    os.close(ours)
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0
    assert b"Total: 2/2 successful" in said


def test_a_closed_output_ends_no_run(scene: Scene) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    argv = scene.argv(["a", "b"], "--per-run-sqlite", "--command", python("pass"))
    process = subprocess.run(
        argv, stdout=writing, stderr=subprocess.PIPE, text=True, env=clean_environment(None), check=False, timeout=60
    )
    os.close(writing)
    assert process.returncode == 2
    assert process.stderr.endswith("autopack: standard output was closed before everything was written\n")
    assert scene.result("a")["state"] == scene.result("b")["state"] == "Succeeded"


def test_a_wrong_password_is_refused_without_being_shown(scene: Scene, postgres: PostgresServer) -> None:
    done = scene.supervise(["a"], "--command", "true", "--database-url", postgres.url(password="wr0ng-pa55"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "user name or password is wrong" in done.stderr
    assert "wr0ng" not in done.stderr
    assert not scene.runs.exists()


def test_no_secret_is_written_or_shown_anywhere(scene: Scene, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    done = scene.supervise(["a", "b"], "-v", "--command", python("raise SystemExit(1)"), "--database-url", url)
    assert done.returncode == 1
    written = b"".join(path.read_bytes() for path in scene.runs.rglob("*") if path.is_file())
    assert PASSWORD not in done.stdout + done.stderr
    assert PASSWORD.encode() not in written


def test_tables_of_a_newer_autopack_are_refused(scene: Scene, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    assert call(scene, "registry", "upgrade", env={"DATABASE_URL": url}).stdout == "upgraded\n"
    assert call(scene, "registry", "upgrade", env={"DATABASE_URL": url}).stdout == "up to date\n"
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE registry_alembic_version SET version_num = '9999'")
    connection.close()
    done = scene.supervise(["a"], "--command", "true", env={"DATABASE_URL": url})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "version 9999, which is newer than this Autopack. Upgrade Autopack" in done.stderr


def test_a_read_only_sqlite_file_is_refused(scene: Scene) -> None:
    path = scene.root / "read-only.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE x (id)")
    database.close()
    path.chmod(0o444)
    # Root may write what is read-only, unless this right is dropped.
    drop = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] if os.geteuid() == 0 else []
    argv = [*drop, sys.executable, "-m", "autopack.cli", "registry", "upgrade", "--database-url", f"sqlite:///{path}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be written (read-only)" in done.stderr


def test_the_registry_lists_runs(scene: Scene, postgres: PostgresServer) -> None:
    env = {"DATABASE_URL": postgres.new_database()}
    scene.supervise(["a", "b"], "--command", python("raise SystemExit(4)"), env=env)
    rows = [line.split("\t")[:5] for line in call(scene, "registry", "list", env=env).stdout.splitlines()]
    assert rows == [["a", "Failed", "1", "4", "CommandFailed"], ["b", "Failed", "1", "4", "CommandFailed"]]


def test_what_runs_changed_can_be_seen_and_merged_in_the_order_that_is_forecast(scene: Scene) -> None:
    scene.supervise(["a", "b", "c"], "--per-run-sqlite", "--command", python(COMMIT))
    patch = call(scene, "diff", "a").stdout
    assert "+not committed by a" in patch
    assert "+++ b/own-a" in patch
    assert "own-a" in call(scene, "diff", "--stat", "a").stdout
    said = call(scene, "merge-forecast").stdout
    assert "Into HEAD, one after the other, without a conflict: 2" in said
    assert "autopack/a and autopack/b: shared" in said
    forecast = json.loads(call(scene, "merge-forecast", "--json").stdout)
    assert forecast["order"] == ["autopack/a", "autopack/c"]
    for name in forecast["order"]:
        scene.git("merge", "-q", "-m", "merge", f"refs/heads/{name}")
    assert "Merged already, but for uncommitted work in a snapshot: 2" in call(scene, "merge-forecast").stdout


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("echo x >loose", "Saved: refs/autopack/a ({snapshot})"),
        ("git checkout -q --detach; git commit -q --allow-empty -m x", "Saved: refs/autopack/a ({snapshot})"),
        ("echo x >loose; git add loose; rm loose", "Also saved: refs/autopack-history/a/1"),
        ("git checkout -q --detach elsewhere", "Commit: {elsewhere}"),
        ("git commit -q --allow-empty -m x", "Branch: autopack/a ({commit})"),
        ("true", None),
    ],
)
def test_a_success_says_where_its_work_is(scene: Scene, shell: str, place: str | None) -> None:
    scene.git("branch", "elsewhere")
    scene.git("commit", "-q", "--allow-empty", "-m", "later")
    done = scene.supervise(["a"], "--per-run-sqlite", "--command", shlex.join(["sh", "-c", shell]))
    shas = {"snapshot": "refs/autopack/a", "commit": "refs/heads/autopack/a"}
    found = {name: scene.git("rev-parse", "-q", "--verify", ref, check=False)[:12] for name, ref in shas.items()}
    said = None if place is None else place.format(**found, elsewhere=scene.git("rev-parse", "elsewhere"))
    summary = done.stdout.partition("a: SUCCESS\n")[2].partition("\nTotal")[0].strip()
    assert summary == (said or "")
    assert f"a: succeeded in 0s{f': {said}' if said else ''} [" in re.sub(r"in \d+s", "in 0s", done.stderr)


def test_worktrees_are_cleaned_up_by_age_and_only_when_meant(scene: Scene) -> None:
    scene.supervise(["a"], "--per-run-sqlite", "--keep-worktrees", "all", "--command", python("open('x', 'w')"))
    place = scene.runs / "workspaces/a"
    assert call(scene, "worktrees", "cleanup", "--older-than", "1d").stdout.endswith("Cleaned up 0 worktrees\n")
    assert call(scene, "worktrees", "cleanup", "--dry-run").stdout.endswith("Would clean up 1 worktree\n")
    assert place.exists()
    assert call(scene, "worktrees", "cleanup").stdout.endswith("Cleaned up 1 worktree\n")
    assert not place.exists()
    assert scene.git("ls-tree", "--name-only", "refs/autopack/a", "x") == "x"


def test_a_run_at_work_can_neither_be_cleaned_up_nor_unlocked_nor_doubled(scene: Scene) -> None:
    wait = "while not os.path.exists(os.environ['AUTONOMOUS_RUNS_DIR'] + '/go'): time.sleep(0.05)"
    code = f"import os, time\nopen('started', 'w')\n{wait}"
    first: list[subprocess.CompletedProcess[str]] = []
    thread = threading.Thread(
        target=lambda: first.append(scene.supervise(["a"], "--per-run-sqlite", "--command", python(code)))
    )
    thread.start()
    wait_until((scene.runs / "workspaces/a/started").exists, "the run has started")
    cleanup = call(scene, "autopilot", "supervise", "--cleanup")
    unlock = call(scene, "unlock", "a")
    double = scene.supervise(["a", "b"], "--per-run-sqlite", "--command", python("pass"))
    still_there = (scene.runs / "workspaces/a/started").exists()
    (scene.runs / "go").touch()
    thread.join()
    assert still_there
    assert "Workspace lease already held" in cleanup.stdout
    assert cleanup.stdout.endswith("Cleaned up 0 worktrees\n")
    assert unlock.returncode == 2
    assert "held by a live process" in unlock.stderr
    assert double.returncode == 1
    assert "a: FAILED\n  Error: Executor lock already held for run_id=a" in double.stdout
    assert "b: SUCCESS" in double.stdout
    assert "Total: 1/1 successful" in first[0].stdout


@pytest.mark.parametrize("flags", [(), ("--redo-existing",)])
def test_the_same_command_twice(scene: Scene, flags: tuple[str, ...]) -> None:
    for _ in range(2):
        done = scene.supervise(["a"], "--per-run-sqlite", "--command", python("print('hello')"), *flags)
        assert done.returncode == 0
    assert scene.result("a")["attempt"] == (2 if flags else 1)
