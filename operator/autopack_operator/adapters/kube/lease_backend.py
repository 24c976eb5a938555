"""The library's lease port over Lease objects: claims, by compare-and-swap on the resourceVersion, never a patch.

Measured: a merge patch without resourceVersion steals a Lease from its holder; of 32 PUTs with one, one wins.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from autopack.leases.port import Holder
from autopack.leases.rules import Answer, on_request
from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.domain.api.common import GROUP, JsonDict
from autopack_operator.domain.times import micro_time
from autopack_operator.ports.cluster import AlreadyExistsError, ConflictError, GoneError, TransientError

LEASES = "coordination.k8s.io/v1"
KEY_ANNOTATION = f"{GROUP}/lease-key"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True)
class Claim:
    """What is written into the Leases of one claimant besides the holder.

    Attributes:
        key: the full key, when the name of the object is a digest of it; the key asked for when None.
        metadata: labels and owner references.
        notes: annotations besides the key: what is held by this Lease, for who looks at it.

    """

    key: str | None = None
    metadata: JsonDict = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


class KubeLeaseBackend:
    """Methods mean what they do in autopack.leases.port.LeaseBackend.

    `is_gone(current, candidate)` says whether the holder that is recorded is proven to be gone; silence proves nothing.
    """

    def __init__(
        self,
        connection: Connection,
        namespace: str,
        is_gone: Callable[[Holder, Holder], bool],
        claim: Claim | None = None,
    ) -> None:
        self._connection, self._namespace, self._is_gone = connection, namespace, is_gone
        self._claim = claim or Claim()

    async def try_acquire(self, key: str, holder: Holder) -> bool:
        """Create the Lease; where there is one, take it over if its holder is proven to be gone."""
        body = self._body(key, holder)
        try:
            await self._connection.request("POST", self._path(), body)
        except AlreadyExistsError:
            return await self._take_over(key, holder, body)
        return True

    async def _take_over(self, key: str, holder: Holder, body: JsonDict) -> bool:
        found = await self._get(key)
        if found is None:
            raise TransientError(f"Lease {object_name(key)} was there and is gone again")
        if not self._is_ours(found, key):
            return False
        current = _holder_of(found)
        gone = current is not None and self._is_gone(current, holder)
        answer = on_request(current, holder, current_is_gone=gone)
        if answer is not Answer.TAKE:
            return answer is Answer.KEEP
        meta = found["metadata"]
        body["metadata"] |= {"resourceVersion": meta["resourceVersion"], "uid": meta["uid"]}
        body["spec"]["leaseTransitions"] = ((found.get("spec") or {}).get("leaseTransitions") or 0) + 1
        try:
            await self._connection.request("PUT", self._path(key), body)
        except ConflictError:
            return False
        except GoneError as error:
            raise TransientError(str(error)) from error
        return True

    async def holder(self, key: str) -> Holder | None:
        """Who has it now."""
        found = await self._get(key)
        return _holder_of(found) if found is not None else None

    async def _get(self, key: str) -> JsonDict | None:
        try:
            return await self._connection.request("GET", self._path(key))
        except GoneError:
            return None

    def _path(self, key: str = "") -> str:
        return path(LEASES, self._namespace, "leases", object_name(key) if key else "")

    def _full_key(self, key: str) -> str:
        return self._claim.key if self._claim.key is not None else key

    def _is_ours(self, found: JsonDict, key: str) -> bool:
        return (found["metadata"].get("annotations") or {}).get(KEY_ANNOTATION) == self._full_key(key)

    def _body(self, key: str, holder: Holder) -> JsonDict:
        named = {"name": object_name(key), "annotations": {**self._claim.notes, KEY_ANNOTATION: self._full_key(key)}}
        return {
            "apiVersion": LEASES,
            "kind": "Lease",
            "metadata": self._claim.metadata | named,
            "spec": {
                "holderIdentity": holder.identity,
                "acquireTime": micro_time(datetime.now(UTC)),
            },
        }


def object_name(key: str) -> str:
    """The key itself where an object can be called so, else a digest of it."""
    return key if _NAME.fullmatch(key) else f"lease-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _holder_of(found: JsonDict) -> Holder | None:
    identity = (found.get("spec") or {}).get("holderIdentity")
    return Holder(identity) if identity else None
