"""The cluster's side of authentication: the API server's signing keys, and who issues its tokens."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import jwt

from .tokens import FetchKeys, KeysUnavailableError

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT_SECONDS = 10


def issuer_of_own_token(account: Path = _ACCOUNT) -> Callable[[], str]:
    """Return a function that reads the issuer from our own token, which kubelet renews on disk."""

    def issuer() -> str:
        try:
            token = (account / "token").read_text().strip()
        except OSError as error:
            raise KeysUnavailableError("our own ServiceAccount token cannot be read") from error
        # Not verified: it comes from the kubelet, and only its issuer is used.
        claims = jwt.decode(token, options={"verify_signature": False})
        return str(claims.get("iss", ""))

    return issuer


def keys_of_api_server(environ: Mapping[str, str], account: Path = _ACCOUNT) -> FetchKeys:
    """Return a function that reads `/openid/v1/jwks` with our own token and the cluster's CA."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    address = f"[{host}]" if ":" in host else host
    url = f"https://{address}:{port}/openid/v1/jwks"

    async def fetch() -> dict[str, Any]:
        if not host:
            raise KeysUnavailableError("KUBERNETES_SERVICE_HOST is not set")
        try:
            trust = ssl.create_default_context(cafile=str(account / "ca.crt"))
            headers = {"Authorization": f"Bearer {(account / 'token').read_text().strip()}"}
            timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, headers=headers, ssl=trust, allow_redirects=False) as response,
            ):
                response.raise_for_status()
                document = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            raise KeysUnavailableError(f"the API server's keys cannot be read ({type(error).__name__})") from error
        if not isinstance(document, dict):
            raise KeysUnavailableError("the API server's keys are not a key set")
        return document

    return fetch
