"""A GitHub App reads with tokens that are asked for and renewed; GitHub's API is played, its signatures are real."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.conftest import Declarations
from tests.local.git_hosts.servers import HttpsServer

from autopack_volume.service.answers import TransientError
from autopack_volume.service.sources.mirrors import Mirrors

Make = Callable[[], Mirrors]


class GitHub:
    """Gives tokens to the app 17 for the installation 4711: each is what the git server takes for a password."""

    def __init__(self, authority: Authority) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.asked: list[dict[str, Any]] = []
        self.gives: Callable[[], str] = lambda: ""
        self.lives = timedelta(hours=1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.certificate())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}/api/v3"

    @property
    def private_key(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode()

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, dict[str, str]]:
        try:
            claims = jwt.decode(token, self.key.public_key(), algorithms=["RS256"], issuer="17")
        except jwt.PyJWTError:
            return 401, {"message": "A JSON web token could not be decoded"}
        if path != "/api/v3/app/installations/4711/access_tokens" or claims["exp"] - claims["iat"] > 600:
            return 404, {"message": "Not Found"}
        self.asked.append(json.loads(body))
        ends = datetime.now(UTC) + self.lives
        return 201, {"token": self.gives(), "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                token = self.headers["Authorization"].removeprefix("Bearer ")
                status, answer = github.answer(self.path, token, body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def github(authority: Authority) -> Iterator[GitHub]:
    server = GitHub(authority)
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.close()
    thread.join()


@pytest.fixture
def repository(declarations: Declarations, https: HttpsServer, authority: Authority, github: GitHub) -> str:
    """Its address; the app is declared for it."""
    https.user = "x-access-token"
    https.set_password(https.password)
    github.gives = lambda: https.password
    declarations.add(
        "GitHubApp",
        https.url,
        ca=authority.file,
        more={"api": github.url},
        githubAppID="17",
        githubAppInstallationID="4711",
        githubAppPrivateKey=github.private_key,
    )
    return f"{https.url}/basic/acme/app.git"


def test_one_token_serves_until_it_is_about_to_end(mirrors: Make, github: GitHub, repository: str) -> None:
    service = mirrors()
    for _ in range(3):
        service.fetch("key", repository)
    assert github.asked == [{"permissions": {"contents": "read"}}]


def test_a_token_that_is_about_to_end_is_renewed(mirrors: Make, github: GitHub, repository: str) -> None:
    service, github.lives = mirrors(), timedelta(minutes=9)
    for _ in range(3):
        service.fetch("key", repository)
    assert len(github.asked) == 3


def test_another_key_in_the_secret_asks_for_another_token(
    mirrors: Make, declarations: Declarations, github: GitHub, repository: str
) -> None:
    service = mirrors()
    service.fetch("key", repository)
    github.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    declarations.write(githubAppPrivateKey=github.private_key)
    service.fetch("key", repository)
    assert len(github.asked) == 2


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("githubAppPrivateKey", "no key", "githubAppPrivateKey is not an RSA key"),
        ("githubAppInstallationID", "../4711", "githubAppInstallationID is not a number"),
        ("githubAppInstallationID", "12", "GitHub answered 404"),
        ("githubAppID", "18", "GitHub answered 401"),
    ],
)
def test_what_is_wrong_is_said_and_may_be_corrected(
    mirrors: Make, declarations: Declarations, repository: str, key: str, value: str, said: str
) -> None:
    declarations.write(**{key: value})
    with pytest.raises(TransientError, match="git credential 'one'") as caught:
        mirrors().fetch("key", repository)
    assert said in str(caught.value)
