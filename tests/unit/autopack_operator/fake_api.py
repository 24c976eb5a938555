"""An API server in memory: optimistic concurrency, UID preconditions, AlreadyExists, garbage collection by owner,
watches, and faults at any request. The operator's ports over it are in fakes.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TypeVar

from jsonschema import Draft202012Validator
from pydantic import BaseModel
from tests.unit.autopack_operator.builders import NAMESPACE

from autopack_operator.domain import projection
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.crds import RESOURCES
from autopack_operator.domain.schema import structural_schema
from autopack_operator.domain.times import rfc3339
from autopack_operator.domain.views import BatchView, RunView
from autopack_operator.ports.cluster import ConflictError, ForeignObjectError, GoneError, RejectedError

ResultT = TypeVar("ResultT")

LATENCY_SECONDS = 0.002


LATE_SECONDS = 1.5
"""Longer than a new operator needs to start: a request of the old one may arrive after the new one has looked."""


class Killed(BaseException):
    """The operator's process is no more: no `except Exception` may catch it. Its request may still be on the way."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__()
        self.late = late


class Moment(StrEnum):
    """When a fault hits: before the request took effect, or after it, when only the answer is lost."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Request:
    """One request that changes something. `number` counts from 0."""

    number: int
    verb: str
    kind: str
    name: str


Fault = Callable[[Request, Moment], None]
"""Raises what the request shall end with; returns when it shall go through."""


def no_fault(request: Request, moment: Moment) -> None:
    """Everything works."""


@cache
def status_validator(kind: str) -> Draft202012Validator:
    """What the API server checks before it stores a status."""
    resource = next(resource for resource in RESOURCES if resource.kind == kind)
    if resource.status is None:
        raise ValueError(f"{kind} has no status")
    return Draft202012Validator(structural_schema(resource.status))


@dataclass
class FakeApi:
    """Stored objects. They are never changed in place, so that whoever holds one holds a snapshot."""

    now: Callable[[], datetime]
    fault: Fault = no_fault
    strict: bool = True
    """Check each status against its schema, as the API server does. Takes a quarter of a test's time."""
    requests: list[Request] = field(default_factory=list)
    watchers: list[Callable[[str, JsonDict], None]] = field(default_factory=list)
    _objects: dict[tuple[str, str], JsonDict] = field(default_factory=dict)
    _version: int = 0

    def all(self, kind: str) -> list[JsonDict]:
        """Every object of the kind."""
        return [body for (found, _), body in self._objects.items() if found == kind]

    def find(self, kind: str, name: str) -> JsonDict | None:
        """The object of that name."""
        return self._objects.get((kind, name))

    def get(self, kind: str, name: str) -> JsonDict:
        """The object of that name, which must be there."""
        return self._objects[kind, name]

    def add(self, body: JsonDict) -> JsonDict:
        """Store a new object under a name that is free."""
        meta = body["metadata"]
        if (body["kind"], meta["name"]) in self._objects:
            raise KeyError(f"{body['kind']} {meta['name']} exists")
        # No part of a commit's id, which are numbers here: UIDs are taken out of texts that are compared.
        made = {"uid": f"{0xFEED0000 + self._version + 1:08x}-0000-4000", "generation": 1, "namespace": NAMESPACE}
        return self._store("ADDED", body | {"metadata": meta | made | {"creationTimestamp": rfc3339(self.now())}})

    def edit(self, kind: str, name: str, **spec: object) -> None:
        """A person changes the spec."""
        body = self.get(kind, name)
        meta = body["metadata"] | {"generation": body["metadata"]["generation"] + 1}
        self._store("MODIFIED", body | {"metadata": meta, "spec": body["spec"] | spec})

    def put_status(self, kind: str, name: str, status: JsonDict) -> JsonDict:
        """Replace the status, whatever it was."""
        return self._store("MODIFIED", self.get(kind, name) | {"status": status})

    def remove(self, kind: str, name: str) -> None:
        """Delete at once, with everything that it owns."""
        body = self._objects.pop((kind, name))
        self._version += 1
        gone = body | {"metadata": body["metadata"] | {"resourceVersion": str(self._version)}}
        self._tell("DELETED", gone)
        for other in list(self._objects.values()):
            owners = other["metadata"].get("ownerReferences", ())
            if any(owner["uid"] == body["metadata"]["uid"] for owner in owners):
                self.ask_to_end(other["kind"], other["metadata"]["name"])

    def ask_to_end(self, kind: str, name: str) -> None:
        """A pod gets its grace period (the kubelet removes it); everything else goes at once."""
        body = self.get(kind, name)
        if kind != "Pod":
            self.remove(kind, name)
        elif "deletionTimestamp" not in body["metadata"]:
            meta = body["metadata"] | {"deletionTimestamp": rfc3339(self.now())}
            self._store("MODIFIED", body | {"metadata": meta})

    def _store(self, event: str, body: JsonDict) -> JsonDict:
        self._version += 1
        stored = body | {"metadata": body["metadata"] | {"resourceVersion": str(self._version)}}
        self._objects[body["kind"], body["metadata"]["name"]] = stored
        self._tell(event, stored)
        return stored

    def _tell(self, event: str, body: JsonDict) -> None:
        for watcher in list(self.watchers):
            watcher(event, body)


def _without_answer(act: Callable[[], object]) -> None:
    """Nobody is there any more to hear that it failed."""
    with suppress(ConflictError, ForeignObjectError, GoneError):
        act()


class Session:
    """The connection of one operator process: it dies with the process."""

    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.alive = True

    async def read(self, look: Callable[[], ResultT]) -> ResultT:
        """A request that changes nothing."""
        await self._travel()
        return look()

    async def change(self, verb: str, kind: str, name: str, act: Callable[[], ResultT]) -> ResultT:
        """A request that changes something; counted, and hit by faults."""
        await self._travel()
        request = Request(len(self.api.requests), verb, kind, name)
        self.api.requests.append(request)
        with self._death(act):
            self.api.fault(request, Moment.BEFORE)
            result = act()
            self.api.fault(request, Moment.AFTER)
        return result

    async def _travel(self) -> None:
        if self.alive:
            await asyncio.sleep(LATENCY_SECONDS)
        if not self.alive:
            raise Killed

    @contextmanager
    def _death(self, act: Callable[[], object]) -> Iterator[None]:
        try:
            yield
        except Killed as death:
            self.alive = False
            if death.late:
                asyncio.get_running_loop().call_later(LATE_SECONDS, _without_answer, act)
            raise

    def _controlled(self, manifest: JsonDict) -> JsonDict:
        """Create, or find what an earlier try created."""
        found = self.api.find(manifest["kind"], manifest["metadata"]["name"])
        if found is None:
            return self.api.add(manifest)
        owner = projection.controller_of(found["metadata"])
        if owner is None or owner.uid != manifest["metadata"]["ownerReferences"][0]["uid"]:
            raise ForeignObjectError(f"{manifest['kind']} {manifest['metadata']['name']} belongs to somebody else")
        return found

    async def create(self, manifest: JsonDict) -> JsonDict:
        """POST."""
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        return await self.change("create", kind, name, lambda: self._controlled(manifest))

    async def write_status(self, kind: str, view: RunView | BatchView, status: BaseModel) -> JsonDict:
        """PUT of the status: compare-and-swap on UID and resourceVersion."""
        fields = status.model_dump(by_alias=True, exclude_none=True, mode="json")

        def act() -> JsonDict:
            meta = (self.api.find(kind, view.name) or {"metadata": {"uid": None}})["metadata"]
            if meta["uid"] != view.uid:
                raise GoneError(view.name)
            if meta["resourceVersion"] != view.resource_version:
                raise ConflictError(view.name)
            for error in status_validator(kind).iter_errors(fields) if self.api.strict else ():
                raise RejectedError(f"{error.json_path}: {error.message[:200]}")
            return self.api.put_status(kind, view.name, fields)

        return await self.change("status", kind, view.name, act)

    async def delete(self, kind: str, name: str, uid: str) -> None:
        """DELETE with a UID precondition."""

        def act() -> None:
            found = self.api.find(kind, name)
            if found is not None and found["metadata"]["uid"] == uid:
                self.api.ask_to_end(kind, name)

        await self.change("delete", kind, name, act)

    async def get(self, kind: str, name: str) -> JsonDict | None:
        """GET."""
        return await self.read(lambda: self.api.find(kind, name))
