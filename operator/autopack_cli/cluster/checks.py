"""What `doctor` looks at: pure verdicts over objects, each with its fix."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from autopack.counts import count_of
from autopack.errors import printable
from autopack.measures import duration
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.quantities import exact
from autopack_operator.domain.times import seconds_between

KINDS = ("autopackruns", "runbatches", "runprofiles")
_LEADER_SECONDS = 60
_FULL = Decimal("0.9")


class Level(StrEnum):
    """How a check ended; UNKNOWN where we may not look."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    UNKNOWN = "unknown"


class Check(NamedTuple):
    """One verdict: what was looked at, what was found, and what to do about it (empty when nothing is)."""

    name: str
    level: Level
    found: str
    fix: str = ""


def crds(resources: Collection[str] | None) -> Check:
    """`resources` are the names that the API group serves, None without the group."""
    missing = [kind for kind in KINDS if resources is None or kind not in resources]
    if not missing:
        return Check("CRDs", Level.OK, "autopack.dev/v1alpha1 is served")
    fix = "Install the chart, or `kubectl apply --server-side -f crds/`; Helm never updates them"
    return Check("CRDs", Level.FAIL, f"not served: {', '.join(missing)}", fix)


def rights(denied: Sequence[str], checked: int) -> Check:
    """`denied` are the questions (verb and resource) that were answered with no."""
    if not denied:
        return Check("RBAC", Level.OK, f"all {checked} rights that the commands use")
    fix = "Ask for the chart's edit or view role, bound in this namespace (docs/guide/kubectl.md)"
    return Check("RBAC", Level.WARN, f"you may not: {', '.join(denied)}", fix)


def repository(credential: str | None, problem: str) -> Check:
    """`credential` is what it is fetched with, empty for none; None when it cannot be fetched, as `problem` says."""
    if credential is None:
        return Check("Repository", Level.FAIL, "it cannot be fetched", problem)
    how = f"with git credential {credential}" if credential else "without a credential"
    return Check("Repository", Level.OK, f"can be fetched {how}")


def deployment(name: str, pods: Sequence[JsonDict]) -> Check:
    """`pods` are those of a component."""
    ready = [pod for pod in pods if is_ready(pod)]
    if ready:
        return Check(name, Level.OK, f"{len(ready)} of {len(pods)} pods ready")
    if not pods:
        return Check(name, Level.FAIL, "no pod", "Install the chart in this namespace, or give -n")
    why = _trouble(pods[0])
    fix = f"`kubectl describe pod {pods[0]['metadata']['name']}` and `kubectl logs` say more"
    return Check(name, Level.FAIL, f"no pod is ready: {why}", fix)


def is_ready(pod: JsonDict) -> bool:
    """Whether all of its containers can serve."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _trouble(pod: JsonDict) -> str:
    status = pod.get("status") or {}
    for one in status.get("containerStatuses") or ():
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return printable(f"{waiting['reason']} {waiting.get('message', '')}".strip(), 200)
    for one in status.get("conditions") or ():
        if one.get("status") != "True" and one.get("message"):
            return printable(str(one["message"]), 200)
    return printable(str(status.get("phase", "Unknown")), 60)


def leader(lease: JsonDict | None, now: datetime) -> Check:
    """The operator's own Lease: renewed every few seconds by whoever leads."""
    renewed = ((lease or {}).get("spec") or {}).get("renewTime")
    if lease is None or not renewed:
        return Check("Leader", Level.FAIL, "no operator leads", "See the check of the operator")
    age = seconds_between(str(renewed), now)
    if age > _LEADER_SECONDS:
        fix = "Look at the operator's pods; compare the clocks of this machine and the cluster"
        return Check("Leader", Level.FAIL, f"the leader has not renewed its Lease for {duration(age)}", fix)
    holder = printable(str(lease["spec"].get("holderIdentity", "")), 80)
    return Check("Leader", Level.OK, f"{holder}, renewed {duration(age)} ago")


def claims(found: Sequence[JsonDict], classes: Sequence[JsonDict] | None) -> list[Check]:
    """The volume claims of the runs, and the storage classes (None where we may not look)."""
    if not found:
        fix = "Install the chart, or set storage.existingClaim to a claim of this namespace"
        return [Check("Volume", Level.FAIL, "the volume service has no claim", fix)]
    return [check for claim in found for check in _claim(claim, classes)]


def _claim(claim: JsonDict, classes: Sequence[JsonDict] | None) -> list[Check]:
    name, phase = claim["metadata"]["name"], (claim.get("status") or {}).get("phase")
    wanted = (claim.get("spec") or {}).get("storageClassName")
    checks = []
    if phase == "Bound":
        size = ((claim.get("status") or {}).get("capacity") or {}).get("storage", "?")
        checks.append(Check("Volume", Level.OK, f"{name} is bound, {size}"))
    else:
        fix = "`kubectl describe pvc` says why; set storage.storageClassName, or wait for its first pod"
        checks.append(Check("Volume", Level.FAIL, f"{name} is {phase}", fix))
    modes = (claim.get("spec") or {}).get("accessModes") or []
    if "ReadWriteMany" in modes:
        checks.append(Check("Access mode", Level.OK, "ReadWriteMany: runs on every node"))
    else:
        fix = "Fine on one node. For more, use a ReadWriteMany class (NFS, CephFS, EFS, Filestore, Azure Files)"
        checks.append(Check("Access mode", Level.WARN, f"{', '.join(modes)}: all runs share one node", fix))
    if classes is None:
        checks.append(Check("Storage class", Level.UNKNOWN, "you may not list storage classes"))
    elif phase != "Bound" and not _class_exists(wanted, classes):
        fix = "Set storage.storageClassName to one of `kubectl get storageclass`, or mark one as default"
        checks.append(Check("Storage class", Level.FAIL, f"{wanted or 'no default'}: no such class", fix))
    else:
        checks.append(Check("Storage class", Level.OK, wanted or "none: the claim names its volume"))
    return checks


def _class_exists(wanted: str | None, classes: Sequence[JsonDict]) -> bool:
    default = "storageclass.kubernetes.io/is-default-class"
    if wanted:
        return any(one["metadata"]["name"] == wanted for one in classes)
    return any((one["metadata"].get("annotations") or {}).get(default) == "true" for one in classes)


def quotas(found: Sequence[JsonDict]) -> list[Check]:
    """Quotas that are nearly used up: pods of runs would be refused."""
    full = [line for quota in found for line in _full(quota)]
    if full:
        fix = "Runs wait until there is room. Raise the quota, or lower workers"
        return [Check("Quota", Level.WARN, "; ".join(full), fix)]
    return [Check("Quota", Level.OK, f"{count_of(len(found), 'quota')}, none nearly used up" if found else "no quota")]


def _full(quota: JsonDict) -> list[str]:
    status = quota.get("status") or {}
    lines = []
    for resource, hard in (status.get("hard") or {}).items():
        used = (status.get("used") or {}).get(resource, "0")
        with contextlib.suppress(ValueError):
            if exact(str(used)) >= exact(str(hard)) * _FULL:
                lines.append(printable(f"{quota['metadata']['name']}: {resource} {used} of {hard}", 200))
    return lines


def left_leases(leases: Sequence[JsonDict], runs: Collection[str]) -> Check:
    """Leases of runs (`runs` are the UIDs of those that are not finished) that nobody needs any more."""
    left = [
        str(lease["metadata"]["name"])
        for lease in leases
        if any(
            owner.get("kind") == "AutopackRun" and owner.get("uid") not in runs
            for owner in lease["metadata"].get("ownerReferences") or ()
        )
    ]
    if not left:
        return Check("Leases", Level.OK, "none is left behind")
    shown = ", ".join(left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
    fix = "A run that has just ended releases them in a moment; otherwise use `kubectl autopack unlock RUN`"
    return Check("Leases", Level.WARN, f"of finished runs: {printable(shown, 300)}", fix)


def profile(found: JsonDict | None) -> Check:
    """The RunProfile that runs use when they name none."""
    if found is None:
        fix = "Set defaultProfile.enabled, or name a profile in every run"
        return Check("Profile", Level.WARN, "there is no RunProfile 'default'", fix)
    return Check("Profile", Level.OK, "RunProfile 'default' exists")
