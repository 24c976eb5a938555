"""Private repositories on real servers, and a volume that may read them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.servers import HttpsServer, SshServer

from autopack_volume.service.credentials.access import Credentials
from autopack_volume.service.credentials.declared import load
from autopack_volume.service.settings import Settings
from autopack_volume.service.sources.mirrors import Mirrors


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    """A folder with the bare repository `acme/app.git` of one commit."""
    folder = tmp_path / "repositories"
    bare = folder / "acme" / "app.git"
    work = tmp_path / "work"
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(work)], check=True)
    subprocess.run(["git", "-C", str(work), *identity, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run(["git", "-C", str(work), "push", "-q", str(bare), "main"], check=True)
    return folder


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder)


@pytest.fixture
def https(tmp_path: Path, authority: Authority, repositories: Path) -> Iterator[HttpsServer]:
    folder = tmp_path / "https"
    folder.mkdir()
    with HttpsServer(folder, authority, repositories).running() as server:
        yield server


@pytest.fixture
def ssh(tmp_path: Path) -> SshServer:
    """Not running yet."""
    folder = tmp_path / "ssh"
    folder.mkdir()
    return SshServer(folder)


class Declarations:
    """The files that the chart mounts: what is declared, and each entry's Secret."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: list[dict[str, object]] = []

    def add(
        self,
        kind: str,
        prefix: str,
        name: str = "one",
        ca: Path | None = None,
        more: Mapping[str, object] | None = None,
        **keys: str,
    ) -> None:
        """Declare a credential with these keys in its Secret, and `more` in its declaration."""
        secret = {"secretName": f"{name}-secret"} if keys else {}
        self._entries.append({"name": name, "urlPrefix": prefix, "kind": kind, **secret, **(more or {})})
        self.write(name, **keys)
        if ca is not None:
            place = self._folder / "ca" / name
            place.mkdir(parents=True)
            (place / "ca.crt").write_bytes(ca.read_bytes())

    def write(self, name: str = "one", **keys: str) -> None:
        """Rotate the Secret of an entry."""
        place = self._folder / "secrets" / name
        place.mkdir(parents=True, exist_ok=True)
        for key, value in keys.items():
            file = place / key
            file.write_text(value)
            file.chmod(0o600)

    @property
    def file(self) -> Path:
        """The declarations as the volume service reads them."""
        path = self._folder / "credentials.json"
        path.write_text(json.dumps(self._entries))
        return path


@pytest.fixture
def declarations(tmp_path: Path) -> Declarations:
    folder = tmp_path / "git"
    folder.mkdir()
    return Declarations(folder)


@pytest.fixture
def mirrors(tmp_path: Path, declarations: Declarations) -> Callable[[], Mirrors]:
    """Makes the mirrors of a volume whose service knows the declarations so far."""
    root = tmp_path / "volume"
    root.mkdir()

    def make() -> Mirrors:
        credentials = Credentials(load(declarations.file))
        return Mirrors(Settings(root=root, credentials=credentials, allow_loopback=True, fetch_timeout=60))

    return make
