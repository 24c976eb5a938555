"""`autopack dashboard` over what the real supervisor left: all runs of a Postgres, or one with its own SQLite file."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from scripts.postgres import PostgresServer
from tests.local.supervisor.scene import Scene, clean_environment, make_scene, python
from tests.unit.autopack_dashboard.pages import Elements

DASHBOARD = (sys.executable, "-m", "autopack.cli", "dashboard")
WORK = python(
    "import os, pathlib, subprocess\n"
    "me = os.environ['AUTOPACK_RUN_ID']\n"
    "print('<b>work of', me, '\\x1b[31m</b>')\n"
    "pathlib.Path('README.md').write_text(me)\n"
    "subprocess.run(['git', 'add', '-A'], check=True)\n"
    "subprocess.run(['git', '-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-qm', me], check=True)\n"
    "pathlib.Path('left.txt').write_text('uncommitted')\n"
    "ci = pathlib.Path(os.environ['AUTOPACK_ARTIFACTS']) / 'ci'\n"
    "(ci / 'note.html').write_text('<script>alert(1)</script>')\n"
    "(ci / 'secret').symlink_to('/etc/passwd')\n"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Site:
    """A dashboard that answers."""

    def __init__(self, address: str) -> None:
        self.address = address

    def read(self, path: str) -> bytes:
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:  # noqa: S310 - our own address
            data: bytes = answer.read()
            return data

    def page(self, path: str) -> Elements:
        return Elements(self.read(path).decode())

    def status(self, path: str) -> int:
        try:
            self.read(path)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        return 200

    def link(self, path: str, name: str) -> str:
        [found] = {link for link in self.page(path).links() if link.endswith(f"/{name}")}
        return found


@contextmanager
def serving(scene: Scene, *words: str) -> Iterator[Site]:
    places = ("--source-repo", str(scene.repo), "--autonomous-runs-dir", str(scene.runs))
    port = str(free_port())
    process = subprocess.Popen(
        [*DASHBOARD, *words, *places, "--port", port],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment({"PYTHONUNBUFFERED": "1"}),
    )
    with process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said.startswith(f"http://127.0.0.1:{port}/"), said + process.stdout.read()
            yield Site(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def postgres_site(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    scene = make_scene(tmp_path_factory.mktemp("postgres"))
    url = postgres.new_database()
    done = scene.supervise(["one", "two", "a/b"], "--command", WORK, "--database-url", url)
    assert done.returncode == 0, done.stderr
    with serving(scene, "--database-url", url) as site:
        yield site


@pytest.fixture(scope="module")
def sqlite_scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = make_scene(tmp_path_factory.mktemp("sqlite"))
    done = scene.supervise(["one", "two"], "--command", WORK, "--per-run-sqlite")
    assert done.returncode == 0, done.stderr
    return scene


def test_all_runs_of_the_batch_are_there(postgres_site: Site) -> None:
    [batch] = [link for link in postgres_site.page("/batches").links() if link.startswith("/batches/")]
    page = postgres_site.page(batch)
    assert {"one", "two", "a/b"} <= set(page.text.split())
    assert "Succeeded" in page.text


def test_a_runs_log_artifacts_and_diff_are_there(postgres_site: Site) -> None:
    run = postgres_site.link("/runs", "one")
    page = postgres_site.page(run)
    assert "<b>work of one </b>" in page.text
    assert "ci/note.html" in page.text
    assert postgres_site.read(f"{run}/artifact?path=ci/note.html") == b"<script>alert(1)</script>"
    diff = postgres_site.page(f"{run}/diff").text
    assert "README.md" in diff
    assert "left.txt" in diff
    assert "<b>work of one </b>" in postgres_site.page(f"{run}/log").text


def test_a_run_whose_id_has_a_slash_is_reached(postgres_site: Site) -> None:
    run = postgres_site.link("/runs", quote("a/b", safe=""))
    assert "<b>work of a/b </b>" in postgres_site.page(f"{run}/log").text


@pytest.mark.parametrize(
    "path", ["ci/secret", "../one/ci/note.html", "/etc/passwd", "ci", "ci/../ci/note.html", "none"]
)
def test_nothing_but_the_runs_own_files_is_sent(postgres_site: Site, path: str) -> None:
    run = postgres_site.link("/runs", "one")
    assert postgres_site.status(f"{run}/artifact?path={quote(path)}") == 404


def test_the_forecast_tries_the_branches_of_the_users_repository(postgres_site: Site) -> None:
    [batch] = [link for link in postgres_site.page("/batches").links() if link.startswith("/batches/")]
    page = postgres_site.page(f"{batch}/forecast")
    assert len([1 for tag, attrs in page.tags if tag == "td" and attrs.get("class") == "bad"]) == 3
    assert "clashes in README.md" in page.text


def test_one_run_with_its_own_file_is_shown_alone(sqlite_scene: Scene) -> None:
    before = sorted(path.name for path in (sqlite_scene.runs / "one").iterdir())
    with serving(sqlite_scene, "--run-id", "one") as site:
        assert "<b>work of one </b>" in site.page("/").text
        runs = [link for link in site.page("/runs").links() if link.startswith("/runs/")]
        assert len([link for link in runs if link.endswith("/one")]) == 1
        assert not [link for link in runs if link.endswith("/two")]
    left = [path.name for path in (sqlite_scene.runs / "one").iterdir()]
    assert sorted(name for name in left if not name.endswith(("-shm", "-wal"))) == before


def test_without_a_database_the_runs_of_the_folder_are_found(sqlite_scene: Scene) -> None:
    before = files_of(sqlite_scene.runs)
    with serving(sqlite_scene) as site:
        [batch] = [link for link in site.page("/batches").links() if link.startswith("/batches/")]
        assert {"one", "two"} <= set(site.page(batch).text.split())
        assert "<b>work of two </b>" in site.page(site.link("/runs", "two")).text
        assert files_of(sqlite_scene.runs) == before
        done = sqlite_scene.supervise(["later"], "--command", WORK, "--per-run-sqlite")
        assert done.returncode == 0, done.stderr
        assert "<b>work of later </b>" in site.page(site.link("/runs", "later")).text


def files_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_folder_without_runs_is_not_shown_as_an_empty_one(sqlite_scene: Scene, tmp_path: Path) -> None:
    argv = [*DASHBOARD, "--source-repo", str(sqlite_scene.repo), "--autonomous-runs-dir", str(tmp_path / "elsewhere")]
    done = subprocess.run(
        argv, capture_output=True, text=True, env=clean_environment(None), timeout=60, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert f"no run has been started in {tmp_path}/elsewhere yet. Check --autonomous-runs-dir" in done.stderr
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "192.0.2.1", "--run-id", "one"), "not a loopback address"),
        (("--run-id", "three"), "has no database of its own"),
        (("--run-id", "../one"), "is not a run id"),
        (("--database-url", "mysql://me:s3cr3t@h/d"), "are not supported"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(sqlite_scene: Scene, words: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [*DASHBOARD, *words, "--autonomous-runs-dir", str(sqlite_scene.runs)],
        capture_output=True,
        text=True,
        env=clean_environment(None),
        timeout=60,
        check=False,
        cwd=Path(sqlite_scene.root),
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "s3cr3t" not in done.stderr
