"""What a decision about a delivery sees, and the steps that it can ask for."""

from __future__ import annotations

from dataclasses import dataclass

from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import DeliveredPullRequest
from autopack_operator.domain.delivery.request import DeliveryRequest
from autopack_operator.domain.run.world import LookUpProfile, Wait, WriteStatus


@dataclass(frozen=True, slots=True)
class Delivered:
    """The branch has the commit; the pull request is there, if one was asked for and the git server has them."""

    commit: str
    pull_request: DeliveredPullRequest | None
    message: str


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """The publisher's other answers for good; `state` is that of status.delivery."""

    state: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Delayed:
    """The publisher could not deliver now: it is asked again."""

    reason: str
    message: str


Answer = Delivered | NotDelivered | Delayed
PENDING = "pending"


@dataclass(slots=True)
class DeliveryMemory:
    """What this process has learnt about one delivery. It can all be learnt again.

    Attributes:
        answer: the publisher's; "pending" while it works on it, None when it was not asked in this pass.
        delays: how often in succession it could not deliver.
        profile_absent: a live read found no such profile.

    """

    answer: Answer | str | None = None
    delays: int = 0
    profile_absent: bool = False

    def learn(self, answer: Answer | None) -> None:
        """The publisher's answer; None while it works on it."""
        self.answer = PENDING if answer is None else answer
        if isinstance(answer, Delayed):
            self.delays += 1
        elif answer is not None:
            self.delays = 0

    def forget_answers_that_age(self) -> None:
        """At the start of a pass: ask again."""
        self.answer, self.profile_absent = None, False


@dataclass(frozen=True, slots=True)
class DeliveryWorld:
    """Everything but the run itself.

    Attributes:
        spec: the run's spec, parsed.
        known: the answers of steps.
        spec_error: why the spec cannot be parsed; `spec` is only a stand-in then.
        profile: the parsed RunProfile as the cache has it.
        profile_error: why the RunProfile cannot be parsed.
        dashboard: address of the dashboard, for links; empty when there is none.

    """

    spec: AutopackRunSpec
    known: DeliveryMemory
    spec_error: str = ""
    profile: RunProfileSpec | None = None
    profile_error: str = ""
    dashboard: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the publisher for the delivery, or how far it is."""

    request: DeliveryRequest


DeliveryStep = LookUpProfile | Ask | WriteStatus | Wait
