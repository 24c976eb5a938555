"""A volume, a repository, and the pods of runs: real git, real processes, no cluster."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from autopack.kept_files import KeptFiles
from autopack.service_tokens.tokens import DeniedError
from autopack_volume.service.http.service import Service
from autopack_volume.service.settings import Settings

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"
TOKEN = "the-operators-token"
_ENTRYPOINT_SOURCES = Path(__file__).parents[3] / "entrypoint"


def git(*args: str, cwd: Path | None = None) -> str:
    """Run git as a person would, and return what it printed."""
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Somebody"), ("EMAIL", "somebody@example.com"))
    }
    env = os.environ | identity | {"GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(["git", *args], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository with one commit, on the branch main."""
    path = tmp_path / "source"
    git("init", "--quiet", "--initial-branch=main", str(path))
    (path / "README.md").write_text("hello\n")
    (path / ".gitignore").write_text("ignored/\n")
    git("add", "--all", cwd=path)
    git("commit", "--quiet", "-m", "first", cwd=path)
    return path


@pytest.fixture(scope="session")
def entrypoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real entrypoint, built from its sources."""
    if shutil.which("go") is None:
        pytest.skip("no Go toolchain")
    path = tmp_path_factory.mktemp("bin") / "autopack-entrypoint"
    env = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    subprocess.run(["go", "build", "-o", str(path), "."], cwd=_ENTRYPOINT_SOURCES, env=env, check=True)
    return path


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """The empty root of a volume."""
    path = tmp_path / "volume"
    path.mkdir()
    return path


class OnlyTheOperator:
    """A verifier that knows one token."""

    async def verify(self, token: str) -> str:
        if token != TOKEN:
            raise DeniedError(401, "not the operator")
        return "operator"

    async def ready(self) -> bool:
        return True


@dataclass
class Api:
    """The service as the operator sees it."""

    client: TestClient[Any, Any]

    async def put(self, uid: str = UID, attempt: int = 1, **body: object) -> tuple[int, dict[str, Any]]:
        wanted = {"runId": "fix-it", "source": {"repository": "demo"}, "ref": "HEAD", "branch": "autopack/fix-it"}
        return await self._until_done("PUT", f"/v1/attempts/{uid}/{attempt}", wanted | body)

    async def commit(self, uid: str = UID, attempt: int = 1, **body: object) -> tuple[int, dict[str, Any]]:
        wanted = {"runId": "fix-it", "removeWorkspace": False}
        return await self._until_done("POST", f"/v1/attempts/{uid}/{attempt}/commit", wanted | body)

    async def _until_done(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        for _ in range(100):
            headers = {"Authorization": f"Bearer {TOKEN}"}
            async with self.client.request(method, path, json=body, headers=headers) as response:
                if response.status != 202:
                    return response.status, await response.json()
                await asyncio.sleep(0.1)
        pytest.fail("the service never answered")


@pytest.fixture
async def start_api(volume: Path) -> AsyncIterator[Callable[..., Any]]:
    """Starts services on the volume, as many as asked for, one after the other."""
    clients: list[TestClient[Any, Any]] = []

    async def start(**settings_: Any) -> Api:
        for client in clients:
            await client.close()
        usual = Settings(root=volume, protocols=("https", "file"), allow_loopback=True, fetch_timeout=30)
        settings = replace(usual, **settings_)
        client = TestClient(TestServer(Service(settings, OnlyTheOperator()).app()))
        clients.append(client)
        await client.start_server()
        return Api(client)

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def api(start_api: Callable[..., Any]) -> Api:
    """A running service."""
    started: Api = await start_api()
    return started


def runtime(volume: Path, *args: str, stdin: bytes | None = None, env: dict[str, str] | None = None) -> str:
    """Run an `autopack-runtime` command on the volume and return what it printed."""
    command = [sys.executable, "-m", "autopack_runtime.main", *args]
    environ = os.environ | {"AUTONOMOUS_RUNS_DIR": str(volume)} | (env or {})
    done = subprocess.run(command, input=stdin, env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def import_source(volume: Path, source: Path, name: str = "demo") -> str:
    """Put a repository on the volume as people do, and return what that printed."""
    bundle = subprocess.run(["git", "bundle", "create", "-", "--all"], cwd=source, capture_output=True, check=True)
    return runtime(volume, "import-repository", name, stdin=bundle.stdout)


@dataclass
class Pod:
    """A run's pod: the three containers as processes, with the volume's folders where they lie instead of mounts."""

    env: dict[str, str]
    entrypoint: Path
    keeper: subprocess.Popen[bytes] | None = None
    keeper_said: str = ""

    @property
    def workspace(self) -> Path:
        return Path(self.env["AUTOPACK_WORKSPACE"])

    @property
    def artifacts(self) -> Path:
        return Path(self.env["AUTOPACK_ARTIFACTS"])

    @property
    def files(self) -> KeptFiles:
        return KeptFiles(self.artifacts, Path(self.env["AUTOPACK_KEPT"]))

    def with_env(self, **env: str) -> Pod:
        return replace(self, env=self.env | env)

    def container(self, command: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "autopack_runtime.main", command]
        return subprocess.Popen(argv, env=os.environ | self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def container_exit(self, command: str) -> int:
        """Run a container to its end and return its exit code."""
        process = self.container(command)
        process.communicate(timeout=200)
        return process.returncode

    def init(self) -> int:
        """Run the init container."""
        return self.container_exit("workspace")

    def start_keeper(self) -> None:
        self.keeper = self.container("keeper")

    def wait_for_keeper(self) -> None:
        """Wait until the keeper handles signals."""
        deadline = time.monotonic() + 90
        while not (Path(self.env["AUTOPACK_KEEPER_DIR"]) / "HEAD").exists():
            assert time.monotonic() < deadline, "the keeper never started"
            time.sleep(0.01)

    def run(self, script: str, *options: str) -> int:
        """Run a shell script as the user's command, by the real entrypoint, and return the exit code."""
        argv = [str(self.entrypoint), "--logs", str(self.artifacts / "logs")]
        argv += ["--exit-file", str(self.files.exit_file), "--stop-file", self.env["AUTOPACK_STOP_FILE"]]
        argv += ["--kill-after", "2s", *options, "--", "sh", "-euc", script]
        env = os.environ | self.env | {"GIT_CONFIG_GLOBAL": "/dev/null", "EMAIL": "autopack-run@invalid"}
        return subprocess.run(
            argv, cwd=self.workspace, env=env, capture_output=True, timeout=200, check=False
        ).returncode

    def wait_for(self, name: str, timeout: float = 120) -> dict[str, Any]:
        """Wait until one of our own files is there, and return it if it is JSON."""
        path = self.files.kept / name
        deadline = time.monotonic() + timeout
        while not path.exists():
            assert time.monotonic() < deadline, f"{name} never appeared"
            time.sleep(0.02)
        return dict(json.loads(path.read_bytes())) if path.suffix == ".json" else {}

    def stop_keeper(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the keeper and return its exit code."""
        assert self.keeper is not None
        self.keeper.send_signal(how)
        self.keeper_said = self.keeper.communicate(timeout=120)[0].decode()
        return self.keeper.returncode

    def live(self, script: str) -> int:
        """Run the whole pod: init container, keeper, command, and the end."""
        assert self.init() == 0
        self.start_keeper()
        code = self.run(script)
        self.wait_for("result.json")
        assert self.stop_keeper() == 0
        return code


@pytest.fixture
def make_pod(volume: Path, tmp_path: Path, entrypoint: Path) -> Iterator[Callable[..., Pod]]:
    """Makes pods from the service's answers, and ends what is left of them."""
    pods: list[Pod] = []

    def make(answer: dict[str, Any], uid: str = UID, attempt: int = 1, branch: str = "autopack/fix-it") -> Pod:
        place = tmp_path / f"pod-{len(pods)}"
        (place / "bin").mkdir(parents=True)
        env = {
            "AUTOPACK_RUN_ID": "fix-it",
            "AUTOPACK_RUN_UID": uid,
            "AUTOPACK_ATTEMPT": str(attempt),
            "AUTOPACK_SHA": answer["sha"],
            "AUTOPACK_BRANCH": branch,
            "AUTOPACK_WORKSPACE": str(volume / answer["workspace"]),
            "AUTOPACK_ARTIFACTS": str(volume / answer["artifacts"]),
            "AUTOPACK_KEPT": str(volume / answer.get("kept", answer["artifacts"])),
            "AUTOPACK_MIRROR": str(volume / ".repos" / answer["repoKey"] / "mirror.git"),
            "AUTOPACK_ENTRYPOINT": str(entrypoint),
            "AUTOPACK_BIN": str(place / "bin"),
            "AUTOPACK_STOP_FILE": str(place / "bin" / "stop"),
            "AUTOPACK_TERMINATION_LOG": str(place / "termination-log"),
            "AUTOPACK_KEEPER_DIR": str(place / "keeper.git"),
            "AUTOPACK_SNAPSHOT_SECONDS": "0.2",
        }
        pod = Pod(env, entrypoint)
        pods.append(pod)
        return pod

    yield make
    for pod in pods:
        if pod.keeper is not None and pod.keeper.poll() is None:
            pod.keeper.kill()
            pod.keeper.communicate()


@pytest.fixture
async def ready(api: Api, volume: Path, source: Path, make_pod: Callable[..., Pod]) -> Pod:
    """A pod of a prepared attempt on the imported repository `demo`."""
    import_source(volume, source)
    status, answer = await api.put()
    assert status == 200, answer
    return make_pod(answer)
