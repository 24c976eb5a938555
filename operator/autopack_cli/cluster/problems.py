"""From what goes wrong in a cluster to one line with the fix, and an exit code."""

from __future__ import annotations

import re

from autopack_cli.shared.failures import Problem
from autopack_operator.ports.cluster import ApiError, ForbiddenError, GoneError, TransientError, UnauthorizedError

NOT_THERE = 3
NOT_ALLOWED = 4
NO_ANSWER = 5
_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_NO_KIND = ("page not found", "could not find the requested resource")


class ClusterProblem(Problem):
    """What a user is told about a cluster."""


def explain(error: ApiError) -> ClusterProblem:
    """Return what a user is told about it."""
    text = _without_request(str(error))
    if isinstance(error, ForbiddenError):
        return ClusterProblem(_forbidden(text), NOT_ALLOWED)
    if isinstance(error, UnauthorizedError):
        return ClusterProblem(
            "the cluster does not know you (401). Log in again, or choose another --context", NOT_ALLOWED
        )
    if isinstance(error, GoneError):
        if any(part in text for part in _NO_KIND):
            fix = "Install the chart, or `kubectl apply -f crds/`; `kubectl autopack doctor` says more"
            return ClusterProblem(f"this cluster has no resources of autopack.dev/v1alpha1. {fix}")
        return ClusterProblem(text, NOT_THERE)
    if isinstance(error, TransientError):
        fix = "Check the address (`kubectl cluster-info`), the network, and --context"
        return ClusterProblem(f"the cluster does not answer: {text}. {fix}", NO_ANSWER)
    return ClusterProblem(text)


def _forbidden(text: str) -> str:
    found = _FORBIDDEN.search(text)
    if found is None:
        return f"not allowed: {text}"
    group = f".{found['group']}" if found["group"] else ""
    where = f" in the namespace {found['namespace']}" if found["namespace"] else ""
    what = f"{found['verb']} {found['resource']}{group}{where}"
    return f"{found['user']} may not {what}. Ask for a role that allows it (docs/guide/kubectl.md lists them)"


def _without_request(text: str) -> str:
    """Take away which request it was: a user did not make it."""
    return re.sub(r"^(GET|POST|PUT|PATCH|DELETE) \S+: ", "", text)
