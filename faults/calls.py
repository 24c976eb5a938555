"""Requests of the operator, described so that the same request has the same description in every trial. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from autopack_volume.contract import routes

JsonDict = dict[str, Any]

MUTATING = frozenset({"create", "update", "patch", "delete", "deletecollection"})
LEADER = "leader"
_PATH = re.compile(
    r"/(?:api/v1|apis/[^/]+/[^/]+)/namespaces/[^/]+/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?"
)
_VOLUME = re.compile(routes.ATTEMPT.format(uid="(?P<uid>[^/]+)", attempt=r"(?P<attempt>\d+)") + "(?P<commit>/commit)?")
_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Call:
    """`name` has the names of objects where the API has UIDs: `lock of one` is the Lease run-<uid of one>; `leases
    of one two` are those of several runs that are released together, which happens when they end at the same moment.
    """

    verb: str
    resource: str
    name: str
    reason: str = ""
    """The reason that is written with a status."""

    @property
    def mutating(self) -> bool:
        """Whether it changes something."""
        return self.verb in MUTATING

    @property
    def names(self) -> list[str]:
        """The name; `leases of one` and `leases of two` where those of both are released."""
        prefix, of, owners = self.name.partition("leases of ")
        return [of + owner for owner in owners.split()] if of and not prefix else [self.name]

    @property
    def of_leader(self) -> bool:
        """Whether it is about the leader's own Lease."""
        return self.resource == "leases" and self.name == LEADER


@dataclass
class Names:
    """Names by UID, as the operator's own requests tell them."""

    by_uid: dict[str, str] = field(default_factory=dict)

    def learn(self, body: JsonDict) -> None:
        """Take in a request's body."""
        meta = body.get("metadata") or {}
        if meta.get("uid"):
            self.by_uid[meta["uid"]] = meta.get("name", "")
        for owner in meta.get("ownerReferences") or ():
            self.by_uid[owner["uid"]] = owner["name"]

    def lease(self, name: str) -> str:
        """`lock of <run>`, or the name itself."""
        return f"lock of {self.by_uid.get(name.removeprefix('run-'), '?')}" if name.startswith("run-") else name


def describe(method: str, path_and_query: str, data: bytes, names: Names) -> Call | None:
    """The call, None for what is not about objects of a namespace (discovery)."""
    parts = urlsplit(path_and_query)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    body = _json(data)
    names.learn(body)
    volume = _VOLUME.fullmatch(parts.path)
    if volume is not None:
        names.by_uid.setdefault(volume["uid"], str(body.get("runId", "?")))
        return Call(
            "create", "commits" if volume["commit"] else "attempts", f"{body.get('runId')}-a{volume['attempt']}"
        )
    found = _PATH.fullmatch(parts.path)
    if found is None:
        return None
    resource = found["resource"] + (f"/{found['sub']}" if found["sub"] else "")
    reason = str((body.get("status") or {}).get("reason", ""))
    return Call(_verb(method, found["name"], query), resource, _name(found, body, query, names), reason)


def _verb(method: str, name: str | None, query: dict[str, str]) -> str:
    if method == "GET":
        return (
            "watch"
            if query.get("watch") == "true"
            else "get"
            if name
            else "probe"
            if query.get("limit") == "1"
            else "list"
        )
    if method == "DELETE":
        return "delete" if name else "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}[method]


def _name(found: re.Match[str], body: JsonDict, query: dict[str, str], names: Names) -> str:
    meta = body.get("metadata") or {}
    name = found["name"] or (meta.get("name") if "ownerReferences" in meta or body.get("spec") is not None else None)
    if found["resource"] == "events":
        return str((body.get("regarding") or {}).get("name", "?"))
    if found["resource"] != "leases":
        return name or ""
    if name:
        return names.lease(name)
    owners = [names.by_uid.get(uid, "?") for uid in _UID.findall(query.get("labelSelector", ""))]
    return f"leases of {' '.join(owners)}" if owners else ""


def _json(data: bytes) -> JsonDict:
    try:
        document = json.loads(data) if data else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
