"""Reading the API server's keys over TLS, with a server that demands what a real one demands."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from autopack.service_tokens.cluster_keys import issuer_of_own_token, keys_of_api_server
from autopack.service_tokens.tokens import KeysUnavailableError

KEYS = {"keys": [{"kid": "one"}]}


@dataclass
class ApiServer:
    """Where it listens, and the folder with the ServiceAccount's token and the CA."""

    environ: dict[str, str]
    account: Path


def make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServer]:
    make_certificate(tmp_path)
    token = jwt.encode({"iss": "https://issuer.example"}, "x" * 32)
    (tmp_path / "token").write_text(token + "\n")

    async def keys(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {token}":
            return web.Response(status=401)
        return web.json_response(KEYS, content_type="application/jwk-set+json")

    app = web.Application()
    app.router.add_get("/openid/v1/jwks", keys)
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(tmp_path / "ca.crt", tmp_path / "key.pem")
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=trust).start()
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(runner.addresses[0][1])}
    yield ApiServer(environ, tmp_path)
    await runner.cleanup()


async def test_keys_are_read_with_our_token(server: ApiServer) -> None:
    assert await keys_of_api_server(server.environ, server.account)() == KEYS


async def test_a_server_of_another_authority_is_not_believed(server: ApiServer) -> None:
    make_certificate(server.account)
    with pytest.raises(KeysUnavailableError, match="Certificate"):
        await keys_of_api_server(server.environ, server.account)()


async def test_a_refusal_means_no_keys(server: ApiServer) -> None:
    (server.account / "token").write_text("another")
    with pytest.raises(KeysUnavailableError):
        await keys_of_api_server(server.environ, server.account)()


async def test_outside_a_cluster_there_are_no_keys(tmp_path: Path) -> None:
    with pytest.raises(KeysUnavailableError, match="KUBERNETES_SERVICE_HOST"):
        await keys_of_api_server({}, tmp_path)()


async def test_without_our_token_there_are_no_keys(server: ApiServer) -> None:
    (server.account / "token").unlink()
    with pytest.raises(KeysUnavailableError):
        await keys_of_api_server(server.environ, server.account)()
    with pytest.raises(KeysUnavailableError):
        issuer_of_own_token(server.account)()


def test_the_issuer_is_our_own_tokens(server: ApiServer) -> None:
    assert issuer_of_own_token(server.account)() == "https://issuer.example"
