"""Real git servers: git http-backend behind nginx with TLS, and OpenSSH; on loopback unless told otherwise."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .certificates import Authority

LOOPBACK = "127.0.0.1"
_NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{}}
http {{
  log_format seen '$request_uri|$http_authorization|$status';
  access_log {folder}/access.log seen;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {host}:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    client_max_body_size 0;
    location /moved/ {{ return 302 https://{host}:{port}/basic$request_uri; }}
    location /busy/ {{ return 429; }}
    location /basic/ {{
      auth_basic "git";
      auth_basic_user_file {folder}/users;
      rewrite ^/basic(/.*)$ $1 break;
      {backend}
    }}
    location /bearer/ {{
      if ($http_authorization != "Bearer {token}") {{ return 401; }}
      rewrite ^/bearer(/.*)$ $1 break;
      {backend}
    }}
    location /open/ {{
      rewrite ^/open(/.*)$ $1 break;
      {backend}
    }}
  }}
}}
"""
_BACKEND = """\
include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
      fastcgi_param GIT_PROJECT_ROOT {repositories};
      fastcgi_param GIT_HTTP_EXPORT_ALL "";
      fastcgi_param PATH_INFO $uri;
      fastcgi_param REMOTE_USER $remote_user;
      fastcgi_pass unix:{folder}/fcgi.sock;"""


class HttpsServer:
    """Serves the bare repositories in a folder below `/basic/` (user and password), `/bearer/` and `/open/`;
    `/moved/` is a redirect to `/basic/`, `/busy/` answers 429.
    """

    def __init__(self, folder: Path, authority: Authority, repositories: Path, host: str = LOOPBACK) -> None:
        self.user, self.password, self.token = "reader", _secret(), _secret()
        self._folder, self._host = folder, host
        self.port = free_port()
        self.url = f"https://{host}:{self.port}"
        self.set_password(self.password)
        certificate, key = authority.certificate(host)
        backend = _BACKEND.format(folder=folder, repositories=repositories)
        config = _NGINX.format(
            folder=folder,
            host=host,
            port=self.port,
            certificate=certificate,
            key=key,
            token=self.token,
            backend=backend,
        )
        (folder / "nginx.conf").write_text(config)

    def set_password(self, password: str) -> None:
        """Change what the server demands from now on."""
        (self._folder / "users").write_text(f"{self.user}:{{PLAIN}}{password}\n")

    @property
    def seen(self) -> list[list[str]]:
        """Path, Authorization header and status of each request so far."""
        return [line.split("|") for line in (self._folder / "access.log").read_text().splitlines()]

    @contextlib.contextmanager
    def running(self) -> Iterator[HttpsServer]:
        """Serve while the block runs."""
        gateway = ["fcgiwrap", "-f", "-s", f"unix:{self._folder}/fcgi.sock"]
        nginx = ["/usr/sbin/nginx", "-e", str(self._folder / "start.log"), "-c", str(self._folder / "nginx.conf")]
        # A user's own settings would let http-backend refuse repositories of somebody else.
        env = os.environ | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        with _process(gateway, env), _process(nginx, env):
            wait_for_port(self.port, self._host)
            yield self


class SshServer:
    """Serves every repository of this machine to the key in `identity`, as the user that runs the test."""

    def __init__(self, folder: Path, host: str = LOOPBACK) -> None:
        self._folder, self._host = folder, host
        self.port = free_port()
        self.identity = folder / "identity"
        _keygen(self.identity)
        self.new_host_key()
        (folder / "authorized_keys").write_bytes(self.identity.with_suffix(".pub").read_bytes())
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress {host}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nStrictModes no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nLogLevel ERROR\n"
        )

    def new_host_key(self) -> None:
        """Make the server another one, from its next start on."""
        for path in (self._folder / "host_key", self._folder / "host_key.pub"):
            path.unlink(missing_ok=True)
        _keygen(self._folder / "host_key")

    @property
    def known_hosts(self) -> str:
        """What a client has to know of the present host key."""
        kind, key, *_ = (self._folder / "host_key.pub").read_text().split()
        return f"[{self._host}]:{self.port} {kind} {key}\n"

    def url(self, repository: Path) -> str:
        """Return the address of a repository."""
        return f"ssh://{os.environ.get('USER') or 'root'}@{self._host}:{self.port}{repository}"

    @contextlib.contextmanager
    def running(self) -> Iterator[SshServer]:
        """Serve while the block runs."""
        Path("/run/sshd").mkdir(exist_ok=True)
        with _process(["/usr/sbin/sshd", "-D", "-e", "-f", str(self._folder / "sshd_config")], dict(os.environ)):
            wait_for_port(self.port, self._host)
            yield self


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, host: str = LOOPBACK) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + 90
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        assert time.monotonic() < deadline, f"nobody listens on port {port}"
        time.sleep(0.02)


def _secret() -> str:
    return f"canary-{secrets.token_hex(12)}"


def _keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)


@contextlib.contextmanager
def _process(argv: list[str], env: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=90)
