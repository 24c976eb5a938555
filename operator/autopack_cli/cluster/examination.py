"""Gathers what `doctor` judges. What may not be read is said to be unknown; nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from autopack_cli.cluster import checks
from autopack_cli.cluster.checks import Check, Level
from autopack_cli.cluster.problems import ClusterProblem, explain
from autopack_cli.cluster.session import LEASES, PODS, RUNS, Resource, Session
from autopack_cli.cluster.tables import terminal
from autopack_cli.cluster.volume import open_volume, source
from autopack_operator.domain.api.common import API_VERSION, JsonDict
from autopack_operator.ports.cluster import ForbiddenError, GoneError

_COMPONENT = "app.kubernetes.io/component"
_LEADER = "autopack-operator-leader"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_RIGHTS = (
    ("autopack.dev", "autopackruns", ("get", "list", "update", "delete")),
    ("autopack.dev", "runbatches", ("get", "list", "create", "update", "delete")),
    ("", "pods", ("list",)),
    ("", "pods/portforward", ("create",)),
)


async def examine(session: Session, repository: str | None = None) -> list[Check]:
    """Return all verdicts, in the order in which one would mend things; of a repository too, if its address is given.
    Raises ApiError when nothing answers.
    """
    version = await session.connection.request("GET", "/version")
    found = [Check("Cluster", Level.OK, f"{version.get('gitVersion', '?')} at {session.server}")]
    served = await _served(session)
    found += [checks.crds(served), await _rights(session)]
    found += await _each(
        ("Operator", lambda: _component(session, "Operator", "operator")),
        ("Leader", lambda: _leader(session)),
        ("Volume service", lambda: _component(session, "Volume service", "volume")),
        ("Volume", lambda: _claims(session)),
        ("Quota", lambda: _quotas(session)),
    )
    if served:
        found += await _each(
            ("Profile", lambda: _profile(session)),
            ("Leases", lambda: _leases(session)),
        )
    if repository is not None:
        found.append(await _repository(session, repository))
    return found


async def _each(*parts: tuple[str, Callable[[], Awaitable[list[Check]]]]) -> list[Check]:
    return [check for found in await asyncio.gather(*(_allowed(*part) for part in parts)) for check in found]


async def _allowed(name: str, look: Callable[[], Awaitable[list[Check]]]) -> list[Check]:
    try:
        return await look()
    except ForbiddenError as error:
        return [Check(name, Level.UNKNOWN, explain(error).format_message())]


async def _repository(session: Session, url: str) -> Check:
    try:
        async with open_volume(session) as volume:
            return checks.repository(await source(volume, url), "")
    except ClusterProblem as problem:
        return checks.repository(None, problem.format_message())


async def _served(session: Session) -> list[str] | None:
    try:
        found = await session.connection.request("GET", f"/apis/{API_VERSION}")
    except GoneError:
        return None
    return [str(one["name"]) for one in found.get("resources") or ()]


async def _rights(session: Session) -> Check:
    questions = [(group, resource, verb) for group, resource, verbs in _RIGHTS for verb in verbs]
    answers = await asyncio.gather(*(_may(session, *question) for question in questions))
    denied = [f"{verb} {resource}" for (_, resource, verb), may in zip(questions, answers, strict=True) if not may]
    return checks.rights(denied, len(questions))


async def _may(session: Session, group: str, resource: str, verb: str) -> bool:
    name, _, subresource = resource.partition("/")
    wanted = {"namespace": session.namespace, "group": group, "resource": name, "verb": verb}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": wanted | ({"subresource": subresource} if subresource else {})},
    }
    answer = await session.connection.request("POST", _REVIEWS, body)
    return bool((answer.get("status") or {}).get("allowed"))


async def _component(session: Session, name: str, component: str) -> list[Check]:
    return [checks.deployment(name, await session.list(PODS, f"{_COMPONENT}={component}"))]


async def _leader(session: Session) -> list[Check]:
    return [checks.leader(await session.get(LEASES, _LEADER), datetime.now(UTC))]


async def _claims(session: Session) -> list[Check]:
    claims: Resource = ("v1", "persistentvolumeclaims")
    names = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in await session.list(PODS, f"{_COMPONENT}=volume")
        for volume in (pod.get("spec") or {}).get("volumes") or ()
        if "persistentVolumeClaim" in volume
    }
    found = [claim for name in sorted(names) if (claim := await session.get(claims, str(name))) is not None]
    return checks.claims(found, await _classes(session))


async def _classes(session: Session) -> list[JsonDict] | None:
    try:
        listed = await session.connection.request("GET", "/apis/storage.k8s.io/v1/storageclasses")
    except ForbiddenError:
        return None
    classes: list[JsonDict] = listed.get("items") or []
    return classes


async def _quotas(session: Session) -> list[Check]:
    return checks.quotas(await session.list(("v1", "resourcequotas")))


async def _profile(session: Session) -> list[Check]:
    return [checks.profile(await session.get((API_VERSION, "runprofiles"), "default"))]


async def _leases(session: Session) -> list[Check]:
    # Leases first: a run that ends in between has given up its own before.
    leases = await session.list(LEASES)
    at_work = {str(run["metadata"]["uid"]) for run in await session.list(RUNS) if not terminal(run)}
    return [checks.left_leases(leases, at_work)]
