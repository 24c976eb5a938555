"""Who may call: ServiceAccount tokens, verified offline against the API server's keys. Denied is the default."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import jwt

ALGORITHMS = ("RS256", "ES256", "ES384", "ES512")
_LEEWAY_SECONDS = 10
_KEYS_LIVE_SECONDS = 3600
_REFETCH_AFTER_SECONDS = 10


class DeniedError(Exception):
    """The caller is refused: 401 for a token that proves nothing, 403 for somebody else, 503 when we cannot tell."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Verifier(Protocol):
    """Tells who the bearer of a token is."""

    async def verify(self, token: str) -> str:
        """Return the caller's name, if it may call; raise DeniedError."""
        ...

    async def ready(self) -> bool:
        """Tell whether tokens can be verified now."""
        ...


class KeysUnavailableError(Exception):
    """The API server's keys could not be read."""


FetchKeys = Callable[[], Awaitable[dict[str, Any]]]
"""Returns the JSON Web Key Set, or raises KeysUnavailableError."""


class KeyCache:
    """The keys by their ids, fetched again when they are old, or when a token names one that is new."""

    def __init__(self, fetch: FetchKeys, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried_at = float("-inf")
        self._fetched_at = float("-inf")

    async def get(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key, None when there is none of that id; raise KeysUnavailableError when there are no keys."""
        await self.ensure(key_id)
        return self._keys.get(key_id)

    async def ensure(self, key_id: str | None = None) -> None:
        """Have keys that are not old, and that one if there is one; raise KeysUnavailableError without any."""
        now = self._monotonic()
        good = now - self._fetched_at < _KEYS_LIVE_SECONDS and (key_id is None or key_id in self._keys)
        if not good and now - self._tried_at >= _REFETCH_AFTER_SECONDS:
            self._tried_at = now
            await self._refresh(now)
        if self._fetched_at == float("-inf"):
            raise KeysUnavailableError("the API server's keys are not known")

    async def _refresh(self, now: float) -> None:
        try:
            document = await self._fetch()
            keys = jwt.PyJWKSet.from_dict(document).keys
        except KeysUnavailableError:
            if not self._keys:
                raise
        except (jwt.PyJWTError, AttributeError, TypeError) as error:
            raise KeysUnavailableError("the API server's keys are not a key set") from error
        else:
            self._keys = {key.key_id: key for key in keys if key.key_id}
            self._fetched_at = now


class TokenReader:
    """Reads what a token says: signature, issuer, audience and time are verified."""

    def __init__(self, keys: KeyCache, issuer: Callable[[], str], audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def read(self, token: str) -> Mapping[str, Any]:
        """Return the claims; raise DeniedError."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.get(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise DeniedError(401, "the token names no known key")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer(),
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )
        except jwt.PyJWTError as error:
            # The class name only: some messages repeat parts of the token.
            raise DeniedError(401, f"the token is not valid ({type(error).__name__})") from error
        except KeysUnavailableError as error:
            raise DeniedError(503, str(error)) from error
        return claims

    async def ready(self) -> bool:
        """Tell whether tokens can be verified now."""
        try:
            await self._keys.ensure()
            return bool(self._issuer())
        except (KeysUnavailableError, jwt.PyJWTError):
            return False


class TokenVerifier:
    """Verifies tokens, and that the subject is one of the allowed callers."""

    def __init__(
        self, keys: KeyCache, issuer: Callable[[], str], audience: str, allowed_callers: frozenset[str]
    ) -> None:
        self._reader = TokenReader(keys, issuer, audience)
        self._allowed = allowed_callers

    async def verify(self, token: str) -> str:
        """See Verifier."""
        subject = str((await self._reader.read(token))["sub"])
        if subject not in self._allowed:
            raise DeniedError(403, "this caller is not allowed")
        return subject

    async def ready(self) -> bool:
        """See Verifier."""
        return await self._reader.ready()


def pod_of(claims: Mapping[str, Any]) -> str:
    """Return the UID of the pod that a token is bound to, empty when it is bound to none."""
    kubernetes = claims.get("kubernetes.io")
    pod = kubernetes.get("pod") if isinstance(kubernetes, dict) else None
    uid = pod.get("uid") if isinstance(pod, dict) else None
    return uid if isinstance(uid, str) else ""
