"""The anchor gate: parallel runs start only when the project's IntentionAnchorV2 allows them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autopack.autonomy.parallelism_gate import ParallelismPolicyGate, ParallelismPolicyViolation
from autopack.counts import count_of
from autopack.errors import AutopackError
from autopack.intention_anchor.v2 import IntentionAnchorV2, parse_anchor
from autopack_operator.domain.api.common import ANCHOR_ANNOTATION
from autopack_operator.domain.views import AnchorVerdict

DEFAULT_KEY = "anchor.json"
_REFERENCE = re.compile(r"configmap/(?P<name>[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)(/(?P<key>[-._a-zA-Z0-9]{1,253}))?")


@dataclass(frozen=True, slots=True)
class ConfigMapReference:
    """The annotation names a ConfigMap of the run's namespace."""

    name: str
    key: str


def reference(annotation: str) -> ConfigMapReference | None:
    """The ConfigMap that the annotation names; None when the annotation is the anchor itself."""
    match = _REFERENCE.fullmatch(annotation.strip())
    return ConfigMapReference(match["name"], match["key"] or DEFAULT_KEY) if match else None


def judge(text: str | bytes) -> AnchorVerdict:
    """Whether that anchor allows parallel runs, and how many at once."""
    try:
        anchor = parse_anchor(text)
        gate = ParallelismPolicyGate(anchor)
        gate.check_parallel_allowed(requested_runs=1)
    except ParallelismPolicyViolation as violation:
        return AnchorVerdict(False, "ParallelismNotAllowed", str(violation))
    except AutopackError as error:
        return AnchorVerdict(False, error.reason, str(error))
    limit = gate.get_max_concurrent_runs()
    message = f"the anchor allows {count_of(limit, 'run')} at once"
    return AnchorVerdict(True, "ParallelismAllowed", message, limit, _token_cap(anchor))


def _token_cap(anchor: IntentionAnchorV2) -> int | None:
    """The tokens that its budget_cost allows; a cap that only warns stops nothing."""
    cost = anchor.pivot_intentions.budget_cost
    return None if cost is None or cost.cost_escalation_policy == "warn" else cost.token_cap_global


def absent() -> AnchorVerdict:
    """Nobody gave an anchor."""
    return AnchorVerdict(
        False,
        "AnchorAbsent",
        f"no anchor: set the annotation {ANCHOR_ANNOTATION} to the project's IntentionAnchorV2 JSON "
        "or to configmap/<name>, with parallelism_isolation.allowed = true",
    )


def configmap_absent(ref: ConfigMapReference) -> AnchorVerdict:
    """The annotation names a ConfigMap, or a key in it, that is not there."""
    return AnchorVerdict(
        False,
        "AnchorConfigMapMissing",
        f"the anchor's ConfigMap {ref.name} has no key {ref.key}, or does not exist in this namespace; create it",
    )
