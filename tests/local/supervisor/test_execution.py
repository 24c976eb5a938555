"""What a run gets, what is kept of it, and how failures of all kinds are told. Real git, real processes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from tests.local.supervisor.scene import Scene, is_running, python, wait_until

from autopack.errors import InvalidInput
from autopack.executor_lock import ExecutorLockManager
from autopack.supervisor import Keep, ParallelRunSupervisor, Quota, RunResult, SupervisorOptions

COMMIT = (
    "import subprocess; open('made', 'w').close(); subprocess.run('git add made && git commit -qm work', shell=True)"
)


def execute(scene: Scene, code: str, **options: object) -> RunResult:
    """Execute the run `run-1`, which is Python code."""
    return scene.supervisor(SupervisorOptions(command=python(code), **options)).execute_run("run-1")  # type: ignore[arg-type]


def test_a_run_knows_who_and_where_it_is(scene: Scene) -> None:
    code = "import json, os; print(json.dumps({**os.environ, 'cwd': os.getcwd()}))"
    result = execute(scene, code)
    seen = json.loads(scene.stdout("run-1"))
    assert result.success
    assert seen["cwd"] == seen["AUTOPACK_WORKSPACE"] == str(scene.runs / "workspaces/run-1")
    assert seen["DATABASE_URL"] == f"sqlite:///{scene.runs / 'run-1/run-1.db'}"
    assert seen["AUTONOMOUS_RUNS_DIR"] == str(scene.runs)
    assert (seen["AUTOPACK_RUN_ID"], seen["PYTHONUTF8"], seen["AUTOPACK_ATTEMPT"]) == ("run-1", "1", "1")


def test_the_command_gets_its_arguments_without_a_shell(scene: Scene) -> None:
    options = SupervisorOptions(command=f"{python('import sys; print(sys.argv[1:])')} '$HOME;*' {{run_id}}")
    scene.supervisor(options).execute_run("run-1", extra_args=["--more", "{run_id}"])
    assert scene.stdout("run-1").strip() == "['$HOME;*', 'run-1', '--more', '{run_id}']"


def test_by_default_the_repositorys_own_executor_runs(scene: Scene) -> None:
    executor = scene.repo / "src/autopack/autonomous_executor.py"
    executor.parent.mkdir(parents=True)
    executor.write_text("import sys; print(sys.argv[1:])")
    assert scene.supervisor(SupervisorOptions()).execute_run("run-1", ["-x"]).success
    assert scene.stdout("run-1").strip() == "['--run-id', 'run-1', '-x']"


def test_without_a_command_or_an_executor_nothing_begins(scene: Scene) -> None:
    with pytest.raises(InvalidInput, match=r"autonomous_executor.py. Give --command"):
        scene.supervisor(SupervisorOptions()).execute_run("run-1")
    assert not scene.runs.exists()


def test_commits_stay_on_the_runs_branch_and_the_rest_on_its_ref(scene: Scene) -> None:
    result = execute(scene, f"{COMMIT}; open('loose', 'w').write('x')")
    assert result.branch == "autopack/run-1"
    assert result.commit == scene.git("rev-parse", "refs/heads/autopack/run-1")
    assert scene.git("show", "--name-only", "--format=", "refs/heads/autopack/run-1") == "made"
    assert result.snapshot == scene.git("rev-parse", "refs/autopack/run-1")
    assert scene.git("show", "refs/autopack/run-1:loose") == "x"
    assert not (scene.runs / "workspaces/run-1").exists()


def test_a_run_that_commits_nothing_leaves_no_branch(scene: Scene) -> None:
    result = execute(scene, "pass")
    assert (result.branch, result.snapshot) == (None, None)
    assert scene.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.parametrize(
    ("keep", "code", "stays"),
    [
        (Keep.NONE, "raise SystemExit(3)", False),
        (Keep.FAILED, "raise SystemExit(3)", True),
        (Keep.FAILED, "pass", False),
        (Keep.ALL, "pass", True),
    ],
)
def test_worktrees_stay_as_asked(scene: Scene, keep: Keep, code: str, stays: bool) -> None:
    execute(scene, f"open('loose', 'w').write('x'); {code}", keep=keep)
    assert (scene.runs / "workspaces/run-1").exists() == stays
    assert scene.git("show", "refs/autopack/run-1:loose") == "x"


def test_a_failure_is_told_with_its_exit_code(scene: Scene) -> None:
    result = execute(scene, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (result.success, result.exit_code, result.reason) == (False, 3, "CommandFailed")
    assert (result.stdout, result.stderr) == ("out\n", "err\n")
    assert result.error == "the command ended with exit code 3"
    assert result["exit_code"] == 3


def test_a_signal_is_told_as_a_shell_would(scene: Scene) -> None:
    result = execute(scene, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert result.exit_code == 128 + signal.SIGSEGV


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [("no-such-program", 127, "was not found"), ("./README.md", 126, "cannot be started: Permission denied")],
)
def test_a_command_that_cannot_start_is_told(scene: Scene, command: str, code: int, message: str) -> None:
    result = scene.supervisor(SupervisorOptions(command=command)).execute_run("run-1")
    assert (result.exit_code, result.reason) == (code, "CommandNotStarted")
    assert message in str(result.error)
    assert not (scene.runs / "workspaces/run-1").exists()


def test_output_goes_to_files_and_only_its_end_into_the_result(scene: Scene) -> None:
    result = execute(scene, "for i in range(200_000): print(i)")
    assert len(scene.stdout("run-1")) > 1_000_000
    assert len(result.stdout) <= 4096
    assert result.stdout.endswith("199999\n")


def test_a_timeout_ends_the_whole_process_group(scene: Scene) -> None:
    code = (
        "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)"
    )
    began = time.monotonic()
    result = execute(scene, code, timeout=5)
    assert (result.reason, result.success) == ("Timeout", False)
    assert "timed out after 5 s" in str(result.error)
    assert time.monotonic() - began < 50
    assert not is_running(int(scene.stdout("run-1")))


def test_a_command_that_ignores_sigterm_is_killed(scene: Scene) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    result = execute(scene, code, timeout=5)
    assert (result.exit_code, result.reason) == (128 + signal.SIGKILL, "Timeout")


def test_what_a_command_leaves_running_is_ended_with_it(scene: Scene) -> None:
    execute(scene, "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)")
    assert not is_running(int(scene.stdout("run-1")))


def test_a_retry_begins_afresh_and_keeps_the_logs_and_work_of_the_first_attempt(scene: Scene, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"""
import os, pathlib, subprocess
attempt = os.environ['AUTOPACK_ATTEMPT']
print('attempt', attempt, sorted(os.listdir()))
pathlib.Path('made-' + attempt).write_text('x')
subprocess.run(['git', 'add', '-A']); subprocess.run(['git', 'commit', '-qm', 'attempt ' + attempt])
pathlib.Path('loose-' + attempt).write_text('x')
mark = pathlib.Path({str(mark)!r})
if not mark.exists():
    mark.touch()
    raise SystemExit(1)
"""
    result = execute(scene, code, max_retries=2)
    assert (result.success, result.attempt) == (True, 2)
    first = (scene.runs / "run-1/logs/stdout.a1.log").read_text()
    assert "attempt 1" in first
    assert "made-1" not in scene.stdout("run-1")
    assert result.branch == "autopack/run-1"
    assert "made-2" in scene.git("ls-tree", "--name-only", "refs/heads/autopack/run-1")
    assert "loose-2" in scene.git("ls-tree", "--name-only", "refs/autopack/run-1")
    earlier = scene.git("ls-tree", "--name-only", "refs/autopack-history/run-1/1").split()
    assert {"made-1", "loose-1"} <= set(earlier)


def test_retries_come_to_an_end(scene: Scene) -> None:
    result = execute(scene, "raise SystemExit(5)", max_retries=2)
    assert (result.success, result.exit_code, result.attempt) == (False, 5, 3)


def test_a_run_that_is_executed_elsewhere_is_not_touched(scene: Scene) -> None:
    code = "import time; open('started', 'w').close(); time.sleep(3)"
    first = threading.Thread(target=execute, args=(scene, code))
    first.start()
    wait_until((scene.runs / "workspaces/run-1/started").exists, "the first has started")
    second = execute(scene, "raise SystemExit(9)")
    assert (second.reason, second.exit_code) == ("LeaseHeld", -1)
    assert str(second.error).startswith("Executor lock already held for run_id=run-1")
    assert (scene.runs / "workspaces/run-1/started").exists()
    first.join()
    assert scene.result("run-1")["exit_code"] == 0


def test_a_child_keeps_the_runs_locks_when_its_supervisor_is_gone(scene: Scene) -> None:
    code = (
        "import os; print(sorted(os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if int(n) > 2))"
    )
    execute(scene, code.replace("os.readlink(f'", "os.path.realpath(f'"))
    held = scene.stdout("run-1")
    assert ".locks/run-1.lock" in held
    assert ".workspace_leases/workspace_" in held


def test_a_worktree_that_cannot_be_made_is_told_in_the_seeds_words(scene: Scene) -> None:
    (scene.runs / "workspaces").mkdir(parents=True)
    (scene.runs / "workspaces/run-1").write_text("in the way")
    result = execute(scene, "pass")
    assert str(result.error).startswith("git worktree add failed")
    assert ExecutorLockManager("run-1", scene.runs / ".locks").acquire()


def test_the_registry_has_the_run_in_its_own_file(scene: Scene) -> None:
    execute(scene, "raise SystemExit(4)")
    with sqlite3.connect(scene.runs / "run-1/run-1.db") as database:
        rows = database.execute("SELECT run_id, state, exit_code, attempt FROM registry_runs").fetchall()
        mode = database.execute("PRAGMA journal_mode").fetchone()
    database.close()
    assert rows == [("run-1", "Failed", 4, 1)]
    assert mode == ("wal",)


def test_a_run_may_hold_its_database_for_long_and_no_row_is_lost(scene: Scene) -> None:
    code = """
import os, sqlite3, time
database = sqlite3.connect(os.environ['DATABASE_URL'].removeprefix('sqlite:///'), isolation_level=None)
database.execute('BEGIN EXCLUSIVE')
time.sleep(2)
"""
    result = execute(scene, code)
    assert result.success
    with sqlite3.connect(scene.runs / "run-1/run-1.db") as database:
        assert database.execute("SELECT state FROM registry_events ORDER BY sequence").fetchall() == [
            ("Running",),
            ("Succeeded",),
        ]
    database.close()


def test_gits_own_variables_do_not_reach_a_run(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    result = execute(scene, "import os; raise SystemExit('GIT_DIR' in os.environ)")
    assert result.success


def test_who_commits_is_told_to_a_run(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "ada@invalid")
    result = execute(scene, COMMIT)
    assert scene.git("log", "-1", "--format=%an %ce", str(result.commit)) == "Ada ada@invalid"


def test_a_run_in_which_lfs_is_not_to_fetch_is_told_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    fake = scene.root / "bin"
    fake.mkdir()
    (fake / "lfs").write_text('#!/bin/sh\ncat >/dev/null; echo "skip=$GIT_LFS_SKIP_SMUDGE"\n')
    (fake / "lfs").chmod(0o755)
    (scene.repo / ".gitattributes").write_text("*.bin filter=lfs\n")
    (scene.repo / "a.bin").write_text("pointer\n")
    scene.git("add", "-A")
    scene.git("commit", "-qm", "lfs")
    for name in ("smudge", "clean"):
        scene.git("config", f"filter.lfs.{name}", f"{fake}/lfs" if name == "smudge" else "cat")
    result = execute(scene, "import os; print(open('a.bin').read(), os.environ['GIT_LFS_SKIP_SMUDGE'])")
    assert result.stdout.split() == ["skip=1", "1"]


# What an agent may do in a folder that is no repository of its own (any more).
ASTRAY = "git checkout -qb oops; git -c user.name=x -c user.email=x@x commit -q --allow-empty -m oops; git add -A; true"


@pytest.mark.parametrize(
    ("option", "where"),
    [
        ("command", "rm .git"),
        ("command", "rm .git; mkdir -p d; cd d"),
        ("command", 'cd "$AUTOPACK_ARTIFACTS/ci"'),
        ("setup", "rm .git"),
    ],
)
def test_a_run_never_reaches_the_repository_around_it(scene: Scene, option: str, where: str) -> None:
    astray = shlex.join(["sh", "-c", f"{where}; {ASTRAY}"])
    commands = {"command": "true", "setup": (), option: astray if option == "command" else (astray,)}
    runs, before = scene.repo / "runs", (scene.git("rev-parse", "main"), scene.git("status", "--porcelain"))
    options = SupervisorOptions(**commands)  # type: ignore[arg-type]
    ParallelRunSupervisor(scene.repo, None, runs, True, options=options).execute_run("run-1")
    assert (runs / "run-1/ci").is_dir()
    assert scene.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert scene.git("branch", "--list", "oops") == ""
    assert (scene.git("rev-parse", "main"), scene.git("status", "--porcelain")) == before


def test_setup_commands_run_in_the_fresh_worktree(scene: Scene) -> None:
    result = execute(scene, "print(open('set-up').read())", setup=(python("open('set-up', 'w').write('yes')"),))
    assert (result.success, scene.stdout("run-1")) == (True, "yes\n")


def test_a_folder_of_runs_inside_the_repository_is_hidden_from_git(scene: Scene) -> None:
    inside = scene.repo / ".autonomous_runs"
    supervisor = ParallelRunSupervisor(
        scene.repo, None, inside, per_run_sqlite=True, options=SupervisorOptions(command=python("pass"))
    )
    assert supervisor.execute_run("run-1").success
    assert scene.git("status", "--porcelain") == ""


def test_a_full_disk_fails_the_run_and_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("autopack.supervisor.execution.set_aside_earlier", full)
    result = execute(scene, "pass")
    assert (result.success, result.reason) == (False, "InputOutput")
    assert "No space left on device" in str(result.error)


def test_memory_is_bounded_for_each_process_of_a_run(scene: Scene) -> None:
    code = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', 'bytearray(400 << 20)']).returncode)"
    assert execute(scene, code).success
    result = execute(scene, code, quota=Quota(memory=200 << 20))
    assert not result.success
    assert "MemoryError" in result.stderr


def test_a_run_gets_no_more_cores_than_asked(scene: Scene) -> None:
    execute(scene, "import os; print(len(os.sched_getaffinity(0)))", quota=Quota(cpus=1))
    assert scene.stdout("run-1") == "1\n"
