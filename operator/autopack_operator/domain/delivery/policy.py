"""Where a run's work goes, and what its RunProfile has against it."""

from __future__ import annotations

from fnmatch import fnmatchcase

from autopack.delivery.globs import matches
from autopack.errors import InvalidInput
from autopack.git.refs import check_branch
from autopack_operator.domain import naming
from autopack_operator.domain.api.common import Source
from autopack_operator.domain.api.deliver import Deliver, DeliveryPolicy
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.views import RunView

REASON = "DeliveryNotAllowed"
_BATCH = "RunBatch"


def branch_of(run: RunView, deliver: Deliver) -> str:
    """The branch that is pushed."""
    if deliver.branch is not None:
        return deliver.branch
    # A part of a ref is a file name, and git appends ".lock" to it.
    name = naming.shortened(run.name, 200)
    batch = f"{run.owner.name}/" if run.owner is not None and run.owner.kind == _BATCH else ""
    return f"agents/{batch}{name}"


def target_of(deliver: Deliver, source: Source) -> str | None:
    """The address that is pushed to; None for an imported repository without one."""
    return deliver.target or source.url


def base_of(deliver: Deliver, source: Source) -> str:
    """The branch that the work is for; empty for the default branch of the repository."""
    if deliver.pull_request is not None and deliver.pull_request.base is not None:
        return deliver.pull_request.base
    ref = source.ref.removeprefix("refs/heads/")
    try:
        return check_branch(ref)
    except InvalidInput:
        return ""


def objection(run: RunView, spec: AutopackRunSpec, profile: RunProfileSpec) -> str | None:
    """Why the profile does not allow the delivery that the run asks for; None when it does, or none is asked for."""
    deliver, place = spec.deliver, f"RunProfile {spec.profile_ref.name!r}"
    if deliver is None:
        return None
    if profile.deliver is None:
        return (
            f"{place} lets runs deliver nothing; leave spec.deliver out, or have an administrator set its spec.deliver"
        )
    return _to_branch(run, deliver, profile.deliver, place) or _to_target(deliver, spec.source, profile.deliver, place)


def _to_branch(run: RunView, deliver: Deliver, policy: DeliveryPolicy, place: str) -> str | None:
    branch = branch_of(run, deliver)
    try:
        check_branch(branch, "spec.deliver.branch")
    except InvalidInput as error:
        return str(error)
    if not matches(branch, policy.branches):
        allowed = ", ".join(policy.branches)
        return f"spec.deliver.branch {branch!r} is not among the branches that {place} allows: {allowed}"
    return None


def _to_target(deliver: Deliver, source: Source, policy: DeliveryPolicy, place: str) -> str | None:
    target = target_of(deliver, source)
    if target is None:
        return "spec.deliver.target is needed: the run's repository was imported, and has no address to push to"
    if not policy.targets:
        if target == source.url:
            return None
        return f"spec.deliver.target {target!r} is not spec.source.url, and {place} allows no other"
    if any(fnmatchcase(target, pattern) for pattern in policy.targets):
        return None
    allowed = ", ".join(policy.targets)
    return f"spec.deliver.target {target!r} is not among the targets that {place} allows: {allowed}"
