"""Knows the plan of the trial under way: counts requests and events, and says when the planned one has come. Pure."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from faults.calls import Call
from faults.plan import TRIAL, Fault, Kind, Match

STALE_SECONDS = 2.0


@dataclass(frozen=True)
class Sent:
    """One request that the operator sent: when, by which process, and what came of it (0: nothing yet)."""

    at: float
    by: str
    call: Call


@dataclass
class Injector:
    """One trial. Names that begin with the trial's own are its objects; the plan calls them by `~`."""

    trial: str = ""
    fault: Fault | None = None
    fired_at: float | None = None
    sent: list[Sent] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    """resourceVersions of the answers to the trial's writes: moments to which a stale LIST can go back."""
    stale_at: str = ""
    _seen: int = 0
    """Requests, or events, so far that the plan counts."""

    @property
    def fired(self) -> bool:
        """Whether the planned disturbance has happened."""
        return self.fired_at is not None

    @property
    def stale(self) -> bool:
        """Whether the API server still pretends to be in the past."""
        return bool(self.stale_at) and self.fired_at is not None and self.fired_at + STALE_SECONDS > time.monotonic()

    def on_call(self, call: Call, by: str) -> Fault | None:
        """The fault that hits this request."""
        self.sent.append(Sent(time.monotonic(), by, call))
        return None if self.fault is None or self.fault.kind.on_event else self._on(call)

    def on_event(self, kind: str, resource: str, name: str) -> Fault | None:
        """The fault that hits this event of a watch; `kind` is ADDED, MODIFIED or DELETED."""
        event = Call(kind, resource, name)
        return None if self.fault is None or not self.fault.kind.on_event else self._on(event)

    def _on(self, call: Call) -> Fault | None:
        if self.fault is None or self.fired:
            return None
        wanted = self.fault.match
        names = map(self.normalised, call.names)
        if (wanted.verb, wanted.resource) != (call.verb, call.resource) or wanted.name not in names:
            return None
        self._seen += wanted.reason in {"", call.reason}
        if self._seen != wanted.nth or wanted.reason not in {"", call.reason}:
            return None
        self.fired_at = time.monotonic()
        if self.fault.kind is Kind.KILL_STALE and self.versions:
            self.stale_at = self.versions[0]
        return self.fault

    def normalised(self, name: str) -> str | None:
        """The name as plans write it; None when it is another trial's. The leader's Lease is everybody's."""
        if self.trial and self.trial in name:
            return name.replace(self.trial, TRIAL)
        return name if name == "leader" else None

    def calls(self) -> list[Match]:
        """The trial's mutating requests so far, each with its number among its like, but for renewals of leadership."""
        seen: Counter[tuple[str, str, str]] = Counter()
        found = []
        for sent in self.sent:
            for name in map(self.normalised, sent.call.names):
                if sent.call.mutating and name is not None and not sent.call.of_leader:
                    place = (sent.call.verb, sent.call.resource, name)
                    seen[place] += 1
                    found.append(Match(verb=place[0], resource=place[1], name=name, nth=seen[place]))
        return found
