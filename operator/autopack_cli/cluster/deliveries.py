"""What of a run tells how far its delivery is, and what asks for one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from autopack.errors import printable
from autopack.phases import Phase
from autopack_cli.cluster.problems import ClusterProblem
from autopack_cli.cluster.tables import status, terminal
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.deliver import Decision
from autopack_operator.domain.delivery.state import UNDER_WAY, State


class Delivery(NamedTuple):
    """status.delivery of a run, its texts made inert; all empty while there is none."""

    state: str
    reason: str
    message: str
    branch: str
    commit: str
    url: str

    @property
    def line(self) -> str:
        """How far it is, for people."""
        where = f" as {self.branch}" if self.branch else ""
        also = " ".join(filter(None, (self.url, self.message)))
        return f"{self.state}{where}" + (f": {also}" if also else "")


def delivery_of(run: Mapping[str, Any]) -> Delivery:
    """Return how far the delivery of a run is."""
    found = (run.get("status") or {}).get("delivery") or {}
    pull = found.get("pullRequest") or {}
    texts = (
        found.get("state"),
        found.get("reason"),
        found.get("message"),
        found.get("branch"),
        found.get("source"),
        pull.get("url"),
    )
    return Delivery(*(printable(str(text or ""), 500) for text in texts))


class Wish(NamedTuple):
    """What a person asks for, beside what stands in spec.deliver already."""

    fields: JsonDict
    pull_request: JsonDict | None
    even_if_failed: bool


def objection(run: JsonDict, wish: Wish) -> str | None:
    """Return why there is nothing to ask for; None when there is."""
    delivery = delivery_of(run)
    if delivery.state in UNDER_WAY:
        return f"its delivery is under way already: {delivery.line}"
    if delivery.state == State.DELIVERED and not (wish.fields or wish.pull_request is not None):
        return f"is delivered already: {delivery.line}"
    if terminal(run) and status(run, "phase") != Phase.SUCCEEDED and not wish.even_if_failed:
        return f"ended {status(run, 'phase')}; --even-if-failed delivers its work all the same"
    return None


def ask(run: JsonDict, wish: Wish) -> None:
    """Set spec.deliver, so that the operator delivers the run, or does so again."""
    before = run["spec"].get("deliver")
    deliver = (before or {}) | wish.fields | ({"when": "Always"} if wish.even_if_failed else {})
    if wish.pull_request is not None:
        deliver["pullRequest"] = (deliver.get("pullRequest") or {}) | wish.pull_request
    if before is not None:
        deliver["round"] = int(before.get("round") or 0) + 1
    run["spec"]["deliver"] = deliver


def awaits_answer(run: Mapping[str, Any], decision: str) -> bool:
    """Tell whether somebody may answer so: a delivery that was rejected can still be approved."""
    delivery = delivery_of(run)
    rejected = (delivery.state, delivery.reason) == (State.REFUSED, "Rejected")
    return delivery.state == State.AWAITING_APPROVAL or (rejected and decision == Decision.APPROVED)


def answer(run: JsonDict, decision: str, by: str, message: str, commit: str) -> None:
    """Set spec.approval to somebody's answer; ClusterProblem when nothing awaits one."""
    title, delivery = f"run/{run['metadata']['name']}", delivery_of(run)
    if not awaits_answer(run, decision):
        raise ClusterProblem(f"{title} awaits no approval ({delivery.line or 'it has no delivery'})")
    if not delivery.commit.startswith(commit):
        raise ClusterProblem(f"{title} awaits approval of {delivery.commit}, which is not {printable(commit, 80)}")
    given = {"decision": decision, "commit": delivery.commit, "branch": delivery.branch, "by": by}
    run["spec"]["approval"] = given | ({"message": message} if message else {})
    if delivery.state != State.AWAITING_APPROVAL:
        run["spec"]["deliver"]["round"] = int(run["spec"]["deliver"].get("round") or 0) + 1
