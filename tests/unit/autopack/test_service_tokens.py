"""Tokens: verified with real keys, denied by default."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from autopack.service_tokens.tokens import DeniedError, KeyCache, KeysUnavailableError, TokenVerifier, pod_of

ISSUER = "https://kubernetes.default.svc"
OPERATOR = "system:serviceaccount:autopack:operator"
AUDIENCE = "autopack-volume"


def key_set(**keys: Any) -> dict[str, Any]:
    documents = []
    for key_id, key in keys.items():
        algorithm = (
            jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else jwt.algorithms.RSAAlgorithm
        )
        name = "ES256" if algorithm is jwt.algorithms.ECAlgorithm else "RS256"
        documents.append(json.loads(algorithm.to_jwk(key.public_key())) | {"kid": key_id, "alg": name, "use": "sig"})
    return {"keys": documents}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class ApiServer:
    """Serves keys, counts how often, and can be away."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.asked = 0
        self.away = False

    async def keys(self) -> dict[str, Any]:
        self.asked += 1
        if self.away:
            raise KeysUnavailableError("away")
        return self.document


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server(key: rsa.RSAPrivateKey) -> ApiServer:
    return ApiServer(key_set(one=key))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(server: ApiServer, clock: Clock) -> TokenVerifier:
    return TokenVerifier(KeyCache(server.keys, clock), lambda: ISSUER, AUDIENCE, frozenset({OPERATOR}))


@pytest.fixture
def sign(key: rsa.RSAPrivateKey) -> Callable[..., str]:
    def token(key_id: str = "one", algorithm: str = "RS256", signer: Any = None, **claims: object) -> str:
        now = int(time.time())
        usual = {"iss": ISSUER, "aud": [AUDIENCE], "sub": OPERATOR, "iat": now, "exp": now + 600}
        wanted = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(wanted, signer or key, algorithm=algorithm, headers={"kid": key_id})

    return token


async def status_of(verifier: TokenVerifier, token: str) -> int:
    with pytest.raises(DeniedError) as raised:
        await verifier.verify(token)
    assert token not in str(raised.value)
    return raised.value.status


async def test_the_operator_may_call(verifier: TokenVerifier, sign: Callable[..., str]) -> None:
    assert await verifier.verify(sign()) == OPERATOR


async def test_elliptic_keys_will_do(server: ApiServer, verifier: TokenVerifier, sign: Callable[..., str]) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    server.document = key_set(curve=curve)
    assert await verifier.verify(sign("curve", "ES256", curve)) == OPERATOR


async def test_somebody_else_is_forbidden(verifier: TokenVerifier, sign: Callable[..., str]) -> None:
    assert await status_of(verifier, sign(sub="system:serviceaccount:autopack:run")) == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["https://kubernetes.default.svc"]},
        {"aud": None},
        {"iss": "https://elsewhere"},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"nbf": int(time.time()) + 600},
        {"iat": None},
        {"sub": None},
    ],
)
async def test_wrong_claims_prove_nothing(
    verifier: TokenVerifier, sign: Callable[..., str], claims: dict[str, object]
) -> None:
    assert await status_of(verifier, sign(**claims)) == 401


async def test_another_key_proves_nothing(verifier: TokenVerifier, sign: Callable[..., str]) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert await status_of(verifier, sign(signer=other)) == 401


async def test_an_unknown_key_proves_nothing(verifier: TokenVerifier, sign: Callable[..., str]) -> None:
    assert await status_of(verifier, sign("two")) == 401


async def test_an_unsigned_token_proves_nothing(verifier: TokenVerifier) -> None:
    token = jwt.encode({"sub": OPERATOR}, "", algorithm="none", headers={"kid": "one"})
    assert await status_of(verifier, token) == 401


async def test_the_public_key_as_a_secret_proves_nothing(
    server: ApiServer, verifier: TokenVerifier, sign: Callable[..., str]
) -> None:
    secret = server.document["keys"][0]["n"]
    assert await status_of(verifier, sign(algorithm="HS256", signer=secret)) == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 10])
async def test_garbage_proves_nothing(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(DeniedError) as raised:
        await verifier.verify(token)
    assert raised.value.status == 401


async def test_without_keys_nobody_is_let_in(
    server: ApiServer, verifier: TokenVerifier, sign: Callable[..., str]
) -> None:
    server.away = True
    assert await status_of(verifier, sign()) == 503


async def test_keys_are_fetched_once(server: ApiServer, verifier: TokenVerifier, sign: Callable[..., str]) -> None:
    for _ in range(5):
        await verifier.verify(sign())
    assert server.asked == 1


async def test_a_new_key_is_found(
    server: ApiServer, verifier: TokenVerifier, sign: Callable[..., str], clock: Clock, key: rsa.RSAPrivateKey
) -> None:
    await verifier.verify(sign())
    server.document = key_set(one=key, two=key)
    clock.now += 11
    assert await verifier.verify(sign("two")) == OPERATOR


async def test_unknown_keys_do_not_make_us_ask_all_the_time(
    server: ApiServer, verifier: TokenVerifier, sign: Callable[..., str]
) -> None:
    for number in range(10):
        await status_of(verifier, sign(f"unknown-{number}"))
    assert server.asked == 1


async def test_old_keys_are_fetched_again(
    server: ApiServer, verifier: TokenVerifier, sign: Callable[..., str], clock: Clock
) -> None:
    await verifier.verify(sign())
    clock.now += 3601
    await verifier.verify(sign())
    assert server.asked == 2


async def test_known_keys_outlast_a_short_absence(
    server: ApiServer, verifier: TokenVerifier, sign: Callable[..., str], clock: Clock
) -> None:
    await verifier.verify(sign())
    server.away = True
    clock.now += 3601
    assert await verifier.verify(sign()) == OPERATOR


async def test_it_is_ready_when_it_has_keys(server: ApiServer, verifier: TokenVerifier, clock: Clock) -> None:
    server.away = True
    assert not await verifier.ready()
    server.away = False
    clock.now += 11
    assert await verifier.ready()


async def test_an_hour_of_probes_fetches_the_keys_once(
    server: ApiServer, verifier: TokenVerifier, clock: Clock
) -> None:
    for _ in range(360):
        assert await verifier.ready()
        clock.now += 9.9
    assert server.asked == 1


async def test_a_key_set_that_is_none_is_no_key(server: ApiServer, verifier: TokenVerifier) -> None:
    server.document = {"keys": "none"}
    assert not await verifier.ready()


@pytest.mark.parametrize(
    ("claims", "pod"),
    [
        ({"kubernetes.io": {"namespace": "runs", "pod": {"name": "a", "uid": "u-1"}}}, "u-1"),
        ({"kubernetes.io": {"namespace": "runs"}}, ""),
        ({"kubernetes.io": {"pod": {"uid": 7}}}, ""),
        ({"kubernetes.io": "pod"}, ""),
        ({}, ""),
    ],
)
def test_the_pod_that_a_token_is_bound_to(claims: dict[str, Any], pod: str) -> None:
    assert pod_of(claims) == pod
