"""What the publisher is asked for: the same for as long as the run's status and its profile are."""

from __future__ import annotations

from dataclasses import dataclass

from autopack.errors import printable
from autopack_operator.domain.api.deliver import Deliver, DeliveryPolicy, PullRequest
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import DeliveryStatus
from autopack_operator.domain.delivery.policy import base_of
from autopack_operator.domain.delivery.work import Work
from autopack_operator.domain.views import RunView

_TITLE = 120


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """Everything that the publisher has to know. `pull_request` has its title."""

    run_uid: str
    run_name: str
    namespace: str
    attempt: int
    repository_key: str
    work: Work
    began_at: str
    target: str
    branch: str
    base: str
    expected: str
    squash: bool
    message: str
    policy: DeliveryPolicy
    pull_request: PullRequest | None
    link: str


def request_of(
    run: RunView,
    spec: AutopackRunSpec,
    policy: DeliveryPolicy,
    work: Work,
    dashboard: str,
) -> DeliveryRequest:
    """The request for the delivery that the status tells of."""
    delivery, deliver = run.status.delivery or DeliveryStatus(state="Pending"), spec.deliver or Deliver()
    wish, title = deliver.pull_request, _title(run, deliver)
    if wish is not None:
        wish = wish.model_copy(update={"title": title, "body": _body(run, wish, delivery)})
    return DeliveryRequest(
        run_uid=run.uid,
        run_name=run.name,
        namespace=run.namespace,
        attempt=run.status.attempt,
        repository_key=run.status.repository_key or "",
        work=work,
        began_at=run.status.sha or "",
        target=delivery.target,
        branch=delivery.branch,
        base=base_of(deliver, spec.source),
        expected=delivery.expected,
        squash=deliver.squash,
        message=f"{title}\n\nDelivered-Run: {run.namespace}/{run.name}\n",
        policy=policy,
        pull_request=wish,
        link=f"{dashboard}/runs/{run.uid}" if dashboard else "",
    )


def _title(run: RunView, deliver: Deliver) -> str:
    asked = deliver.pull_request.title if deliver.pull_request is not None else None
    return asked or printable(run.status.summary or f"Work of {run.name}", _TITLE)


def _body(run: RunView, wish: PullRequest, delivery: DeliveryStatus) -> str:
    agent = (run.spec.get("agent") or {}).get("name")
    facts = [f"Run `{run.name}` in `{run.namespace}`, attempt {run.status.attempt}, from {(run.status.sha or '')[:12]}"]
    facts += [f"Agent: {agent}"] if agent else []
    facts += [f"Approved by {printable(delivery.approved_by, 256)}"] if delivery.approved_by else []
    return "\n\n".join(filter(None, (wish.body, "\n".join(f"- {fact}" for fact in facts))))
