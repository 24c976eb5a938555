"""What a run has of the machine for itself: ports and, where asked for, a home."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.local.supervisor.scene import Scene, python, wait_until

from autopack.errors import InvalidInput
from autopack.supervisor import SupervisorOptions
from autopack.supervisor.home import check_home_files
from autopack.supervisor.ports import COUNT, reserved

LISTEN = """
import os, pathlib, socket, time
first, count = int(os.environ["AUTOPACK_PORT"]), int(os.environ["AUTOPACK_PORT_COUNT"])
held = [socket.create_server(("127.0.0.1", port)) for port in range(first, first + count)]
pathlib.Path(os.environ["AUTOPACK_ARTIFACTS"], "ports").write_text(f"{first}")
others = pathlib.Path(os.environ["AUTONOMOUS_RUNS_DIR"])
while len(list(others.glob("run-*/ports"))) < 3:
    time.sleep(0.05)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home, with an agent's login in it."""
    path = tmp_path / "home"
    (path / ".agent").mkdir(parents=True)
    (path / ".agent/login").write_text("token")
    (path / ".agent/state.db").write_text("old")
    (path / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@invalid\n")
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return path


def test_runs_at_once_have_ports_of_their_own(scene: Scene) -> None:
    results = scene.supervisor(SupervisorOptions(command=python(LISTEN), timeout=60)).execute_parallel(
        ["run-1", "run-2", "run-3"], max_workers=3
    )
    assert [result.error for result in results.values()] == [None] * 3
    assert len({(scene.runs / run_id / "ports").read_text() for run_id in results}) == 3


def test_two_supervisors_do_not_give_the_same_ports() -> None:
    code = "from autopack.supervisor.ports import reserved\nwith reserved() as p: print(p.first, flush=True); input()"
    with reserved() as ours:
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            theirs = int(process.stdout.readline())
            process.communicate("\n", timeout=120)
    assert abs(theirs - ours.first) >= COUNT


def test_ports_stay_with_a_command_that_outlives_its_supervisor() -> None:
    with reserved() as first:
        command = subprocess.Popen(["sleep", "60"], pass_fds=[first.descriptor])
    try:
        with reserved() as second:
            assert second.first != first.first
    finally:
        command.kill()
        command.wait()
    wait_until(lambda: _is_unclaimed(first.first), "the ports are free again")


def _is_unclaimed(first: int) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as claim, contextlib.suppress(OSError):
        claim.bind(f"\0autopack-ports-{first}")
        return True
    return False


def test_a_range_in_which_a_port_is_in_use_is_left_out() -> None:
    with reserved() as first:
        pass
    with contextlib.closing(socket.create_server(("127.0.0.1", first.first + COUNT - 1))), reserved() as second:
        assert second.first != first.first


def test_a_private_home_has_what_was_named_and_goes_with_the_attempt(scene: Scene, home: Path) -> None:
    code = """
import os, pathlib, subprocess
home = pathlib.Path.home()
login, state = home / ".agent/login", home / ".agent/state.db"
print(login.read_text(), state.exists(), oct(home.stat().st_mode & 0o777), os.environ["XDG_CACHE_HOME"])
state.write_text("new")
print(*sorted(name for name in os.environ if name.startswith("XDG_") and os.environ[name].startswith(str(home))))
print(subprocess.run(["git", "config", "--global", "user.name"], capture_output=True, text=True).stdout)
"""
    options = SupervisorOptions(command=python(code), private_home=True, home_files=[".agent/login"])
    result = scene.supervisor(options).execute_run("run-1")
    assert result.success, result.stderr
    assert result.stdout.splitlines() == [
        f"token False 0o700 {home}/.cache",
        "XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME",
        "Ada",
        "",
    ]
    assert (home / ".agent/state.db").read_text() == "old"
    assert not (scene.runs / ".kept/run-1/home").exists()


def test_without_it_a_run_has_the_users_home(scene: Scene, home: Path) -> None:
    code = "import pathlib; pathlib.Path.home().joinpath('here').touch()"
    assert scene.supervisor(SupervisorOptions(command=python(code))).execute_run("run-1").success
    assert (home / "here").exists()


def test_what_a_killed_supervisor_left_of_a_home_is_replaced(scene: Scene, home: Path) -> None:
    left = scene.runs / ".kept/run-1/home"
    left.mkdir(parents=True)
    (left / "old").touch()
    code = "import os, pathlib; print(*sorted(os.listdir(pathlib.Path.home())))"
    result = scene.supervisor(SupervisorOptions(command=python(code), private_home=True)).execute_run("run-1")
    assert result.stdout.split() == [".gitconfig"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "", ".", "missing"])
def test_a_home_file_that_is_none_is_refused(home: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="home_files"):
        check_home_files([name], home)


def test_home_files_without_a_home_of_its_own_are_refused() -> None:
    with pytest.raises(InvalidInput, match="--private-home"):
        SupervisorOptions(home_files=[".agent"])


def test_the_command_line_knows_it(scene: Scene, home: Path) -> None:
    code = "import os; print(sorted(os.listdir(os.path.expanduser('~/.agent'))))"
    options = ("--per-run-sqlite", "--private-home", "--home-file", ".agent/login", "--command", python(code))
    done = scene.supervise(["run-1"], *options)
    assert done.returncode == 0, done.stderr
    assert scene.stdout("run-1") == "['login']\n"
