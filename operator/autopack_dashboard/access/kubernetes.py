"""Kubernetes knows people: TokenReview says who the bearer is, SubjectAccessReview whether they may read the runs."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from autopack.errors import InvalidInput, printable
from autopack_dashboard.access.gate import DeniedError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
LONGEST_TOKEN = 16 << 10
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_TOKEN = re.compile(r"[\x21-\x7e]+")

JsonDict = dict[str, Any]


class KubernetesGate:
    """Implements Gate for one namespace: who may get and list AutopackRuns there may look."""

    def __init__(self, url: str, namespace: str, account: Path = ACCOUNT) -> None:
        self._url, self._namespace, self._account = url, namespace, account
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def admit(self, token: str) -> str:
        """See Gate."""
        if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
            raise DeniedError(401, "this is not a token")
        user = _user(await self._create("/apis/authentication.k8s.io/v1/tokenreviews", review_of(token)))
        answers = [
            await self._create(
                f"/apis/authorization.k8s.io/v1/namespaces/{self._namespace}/localsubjectaccessreviews",
                access_review(user, self._namespace, verb),
            )
            for verb in ("get", "list")
        ]
        if not all(map(is_allowed, answers)):
            name = printable(str(user.get("username")), 200)
            raise DeniedError(403, f"{name} may not read AutopackRuns in namespace {self._namespace}")
        return printable(str(user.get("username")), 200)

    async def _create(self, path: str, body: JsonDict) -> JsonDict:
        try:
            if self._session is None:
                context = ssl.create_default_context(cafile=str(self._account / "ca.crt"))
                connector = aiohttp.TCPConnector(ssl=context)
                self._session = aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT)
            # Read each time: the kubelet replaces the token before it expires.
            own = await asyncio.to_thread((self._account / "token").read_text)
            headers = {"Authorization": f"Bearer {own.strip()}"}
            async with self._session.post(self._url + path, json=body, headers=headers) as response:
                document = await response.json(content_type=None)
                if response.status != 201 or not isinstance(document, dict):
                    raise DeniedError(503, f"the API server answered {response.status}; nobody is let in")
                return document
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            # The class alone: what an error repeats of a request could be the token.
            raise DeniedError(503, f"the API server does not answer ({type(error).__name__})") from error


def review_of(token: str) -> JsonDict:
    """A TokenReview."""
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}


def access_review(user: JsonDict, namespace: str, verb: str) -> JsonDict:
    """A SubjectAccessReview of that namespace alone."""
    attributes = {"namespace": namespace, "verb": verb, "group": "autopack.dev", "resource": "autopackruns"}
    spec = {"user": user.get("username"), "resourceAttributes": attributes}
    spec |= {name: user[name] for name in ("uid", "groups", "extra") if user.get(name)}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "LocalSubjectAccessReview",
        "metadata": {"namespace": namespace},
        "spec": spec,
    }


def is_allowed(document: JsonDict) -> bool:
    """Read the answer; whatever is not a plain yes is a no."""
    status = document.get("status")
    return isinstance(status, dict) and status.get("allowed") is True and status.get("denied") is not True


def _user(document: JsonDict) -> JsonDict:
    status = document.get("status")
    if not isinstance(status, dict) or status.get("authenticated") is not True or status.get("error"):
        raise DeniedError(401, "the token is not valid")
    user = status.get("user")
    if not isinstance(user, dict) or not user.get("username"):
        raise DeniedError(401, "the token belongs to nobody")
    return user


def api_server(environ: Mapping[str, str]) -> str:
    """Return the API server's address as every pod is told it."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise InvalidInput("KUBERNETES_SERVICE_HOST", "is not set", "Run in a pod, or listen on a loopback address")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
