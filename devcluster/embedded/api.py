"""The few requests the orchestrator makes itself: is the API server ready, is the node, apply an object."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster.embedded import addresses as at
from devcluster.failure import Failure


class Api:
    """The API server, as the cluster's administrator."""

    def __init__(self, pki: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))

    def is_ready(self) -> bool:
        """Whether /readyz says so; also False when nothing listens."""
        try:
            return self._request("GET", "/readyz")[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False

    def get(self, path: str) -> Mapping[str, Any] | None:
        """Return an object, or None when it (or the API server) is not there."""
        try:
            status, body = self._request("GET", path)
        except (OSError, http.client.HTTPException):
            return None
        return json.loads(body) if status == http.HTTPStatus.OK else None

    def apply(self, path: str, manifest: Mapping[str, Any]) -> None:
        """Create or correct an object by server-side apply."""
        status, body = self._request(
            "PATCH", f"{path}?fieldManager=devcluster&force=true", json.dumps(manifest), "application/apply-patch+yaml"
        )
        if status not in {http.HTTPStatus.OK, http.HTTPStatus.CREATED}:
            raise Failure(f"the API server refused {path}: {status} {body.decode(errors='replace')[:300]}")

    def _request(self, method: str, path: str, body: str | None = None, content: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(at.LOOPBACK, at.API_PORT, timeout=5, context=self._context)
        try:
            connection.request(method, path, body, {"Content-Type": content} if content else {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def node_is_ready(node: Mapping[str, Any] | None) -> bool:
    """Whether a Node object reports that pods can run on it."""
    conditions = (node or {}).get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
