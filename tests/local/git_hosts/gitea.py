"""A real Gitea: users, repositories, branches and what people do with pull requests."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import pwd
import secrets
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devcluster.binaries import ensure_gitea
from devcluster.layout import default_layout
from devcluster.progress import Progress

from .certificates import Authority
from .servers import LOOPBACK, free_port

OWNER = "acme"
_PATIENCE = 120
_INI = """\
RUN_USER = {user}
WORK_PATH = {folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
PROTOCOL = {scheme}
CERT_FILE = {certificate}
KEY_FILE = {key}
HTTP_ADDR = {host}
HTTP_PORT = {port}
ROOT_URL = {scheme}://{host}:{port}/
STATIC_ROOT_PATH = {programs}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
SQLITE_JOURNAL_MODE = WAL
PATH = {folder}/gitea.db
[repository]
ROOT = {folder}/repositories
DEFAULT_BRANCH = main
[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
[indexer]
ISSUE_INDEXER_TYPE = db
[actions]
ENABLED = false
[log]
MODE = file
LEVEL = warn
ROOT_PATH = {folder}/log
"""


class RefusedError(Exception):
    """Gitea did not do what a person asked."""


class Gitea:
    """One server with the organisation `acme`, whose repositories the user `bot` may write with `token`."""

    def __init__(self, folder: Path, authority: Authority | None = None, host: str = LOOPBACK) -> None:
        self._programs, self._folder = ensure_gitea(default_layout(), Progress()), folder
        self._scheme, self.port = "https" if authority else "http", free_port()
        self.url, self._host = f"{self._scheme}://{host}:{self.port}", host
        self._authority, self._admin = authority, f"canary-{secrets.token_hex(12)}"
        self.token = ""
        certificate, key = authority.certificate(host) if authority else ("", "")
        self._ini = folder / "app.ini"
        self._ini.write_text(
            _INI.format(
                folder=folder,
                user=pwd.getpwuid(os.getuid()).pw_name,
                scheme=self._scheme,
                certificate=certificate,
                key=key,
                host=host,
                port=self.port,
                programs=self._programs,
                secret=secrets.token_hex(16),
            )
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[Gitea]:
        """Serve while the block runs."""
        self._run("migrate")
        words = ["admin", "user", "create", "--admin", "--username", "root", "--email", "root@example.com"]
        self._run(*words, "--password", self._admin, "--must-change-password=false")
        with (self._folder / "output").open("wb") as output:
            process = subprocess.Popen(self._argv("web"), env=self._env, stdout=output, stderr=output)
        try:
            self._wait(process)
            self._people()
            yield self
        finally:
            process.terminate()
            process.wait(timeout=60)

    @property
    def ca(self) -> Path:
        """What a client has to trust; only with TLS."""
        assert self._authority is not None
        return self._authority.file

    def _people(self) -> None:
        for name in ("bot", "grace", "mallory"):
            user = {"username": name, "email": f"{name}@example.com", "password": self._admin}
            self.ask("POST", "/admin/users", user | {"must_change_password": False})
        self.ask("POST", "/orgs", {"username": OWNER})
        self.token = self.new_token("bot")

    def new_token(self, user: str) -> str:
        """Return a new token of a user that may do all that the user may."""
        name = {"name": secrets.token_hex(8), "scopes": ["all"]}
        return str(self.ask("POST", f"/users/{user}/tokens", name, user)["sha1"])

    def new_repository(self, name: str, *, private: bool = True) -> None:
        """Make a repository with one commit on `main`."""
        repository = {"name": name, "auto_init": True, "default_branch": "main", "private": private}
        self.ask("POST", f"/orgs/{OWNER}/repos", repository)
        for user in ("bot", "grace"):
            self.ask("PUT", f"/repos/{OWNER}/{name}/collaborators/{user}", {"permission": "write"})

    def new_branch(self, repository: str, name: str, user: str = "root", owner: str = OWNER) -> str:
        """Make a branch from `main` with a commit of its own; return the commit."""
        content = base64.b64encode(secrets.token_bytes(8)).decode()
        file = f"/repos/{owner}/{repository}/contents/{secrets.token_hex(8)}"
        wanted = {"content": content, "branch": "main", "new_branch": name, "message": name}
        return str(self.ask("POST", file, wanted, user)["commit"]["sha"])

    def ask(self, method: str, path: str, document: object = None, user: str = "root") -> Any:
        """Send a request of the API, as a user with a password."""
        headers = {
            "Content-Type": "application/json",
            "Authorization": "Basic " + base64.b64encode(f"{user}:{self._admin}".encode()).decode(),
        }
        body = None if document is None else json.dumps(document)
        with contextlib.closing(self._connection()) as connection:
            connection.request(method, f"/api/v1{path}", body, headers)
            response = connection.getresponse()
            data = response.read()
        if response.status >= 400:
            raise RefusedError(f"{method} {path}: {response.status} {data.decode()}")
        return json.loads(data) if data else None

    def _connection(self) -> http.client.HTTPConnection:
        if self._authority is None:
            return http.client.HTTPConnection(self._host, self.port, timeout=_PATIENCE)
        context = ssl.create_default_context(cafile=str(self._authority.file))
        return http.client.HTTPSConnection(self._host, self.port, timeout=_PATIENCE, context=context)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            with contextlib.suppress(OSError):
                self.ask("GET", "/version")
                return
            said = (self._folder / "output").read_text()
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)

    def _argv(self, *words: str) -> list[str]:
        return [str(self._programs / "gitea"), "--config", str(self._ini), *words]

    @property
    def _env(self) -> dict[str, str]:
        # Its home is its own: Gitea writes git's settings of the user that it runs as.
        return os.environ | {"HOME": str(self._folder), "GITEA_WORK_DIR": str(self._folder)}

    def _run(self, *words: str) -> None:
        done = subprocess.run(self._argv(*words), env=self._env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
