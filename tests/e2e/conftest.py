"""End-to-end tests: the embedded cluster (real API server, kubelet, containerd), the chart, this checkout's image."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts import deploy

from tests.e2e.installation import Installation
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.servers import HttpsServer, SshServer

SAMPLE_FILES = {
    "README.md": "# A repository to work on\n",
    "src/app.py": "def answer():\n    return 42\n",
    ".gitignore": "*.log\n",
}


@pytest.fixture(scope="session")
def cluster() -> None:
    """A running cluster with today's images and CRDs. Stays up afterwards: `make cluster-down` stops it."""
    deploy.cluster_with_images()


@pytest.fixture(scope="session")
def sample_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small git repository with a history, two branches and a tag."""
    path = tmp_path_factory.mktemp("sample")
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(path), *identity, *words], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    for name, text in SAMPLE_FILES.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        git("add", "-f", name)
        git("commit", "-q", "-m", f"Add {name}")
    git("tag", "v1")
    git("branch", "feature")
    return path


FAST = {"operator.snapshotSeconds": "1", "operator.resyncSeconds": "5"}
"""What an administrator would leave at ten seconds and five minutes."""


@pytest.fixture(scope="session")
def installation(cluster: None, sample_repository: Path) -> Iterator[Installation]:
    """One installation that most tests share; each test uses names of its own in it."""
    with Installation.fresh("e2e", FAST | {"admissionPolicy.allowedSecrets": "{postgres}"}) as installed:
        installed.import_repository("sample", sample_repository)
        yield installed


@pytest.fixture(scope="module")
def host(cluster: None) -> str:
    """This machine's address, as pods reach it: the API server's."""
    return str(deploy.kubectl_json("get", "endpoints", "kubernetes")["subsets"][0]["addresses"][0]["ip"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hosts")


@pytest.fixture(scope="module")
def repositories(place: Path, sample_repository: Path) -> Path:
    """A folder with the bare repository `acme/app.git`."""
    folder = place / "repositories"
    subprocess.run(["git", "clone", "-q", "--bare", str(sample_repository), str(folder / "acme/app.git")], check=True)
    return folder


@pytest.fixture(scope="module")
def https(place: Path, host: str, repositories: Path) -> Iterator[HttpsServer]:
    (place / "https").mkdir()
    with HttpsServer(place / "https", Authority(place), repositories, host).running() as server:
        yield server


@pytest.fixture(scope="module")
def ssh(place: Path, host: str) -> Iterator[SshServer]:
    (place / "ssh").mkdir()
    with SshServer(place / "ssh", host).running() as server:
        yield server
