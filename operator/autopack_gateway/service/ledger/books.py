"""The books in memory: pure. Every change is a record, and replaying the records gives the same books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from .amounts import Amount, Limits
from .grants import Grant, grant_of

Record = dict[str, Any]
_REMEMBERED_PODS = 10_000


class Reservation(NamedTuple):
    """A request that may be under way: whose it is, where it counts, and how much at most."""

    uid: str
    model: str
    scopes: tuple[str, ...]
    amount: Amount


class RunSum(NamedTuple):
    """What all attempts of a run used, by model; the scope that it was last refused for; when that changed."""

    per_model: Mapping[str, Amount]
    exhausted: str | None
    changed: int
    day: int


class Books:
    """Who may ask for what, what is reserved, and what was spent.

    `number` counts the records, so it says when something changed.
    """

    def __init__(self) -> None:
        self.number = 0
        self.grants: dict[str, Grant] = {}
        self.fences: dict[str, int] = {}
        """The earliest attempt that may still get a grant, by the run's UID."""
        self.runs: dict[str, RunSum] = {}
        self.spent: dict[str, Amount] = {}
        self.days: dict[str, int] = {}
        """On which day (since 1970) a scope was last used."""
        self.open: dict[str, Reservation] = {}
        self.reserved: dict[str, Amount] = {}
        self.under_way: Counter[str] = Counter()
        self._limits: dict[str, Limits] = {}
        self._pods: dict[str, str] = {}
        self._ended: dict[str, None] = {}

    def grant_of_pod(self, pod: str) -> Grant | None:
        """Return the present grant of a pod."""
        return self.grants.get(self._pods.get(pod, ""))

    def has_ended(self, pod: str) -> bool:
        """Tell whether a pod had a grant that was taken away, or is an earlier attempt's."""
        return pod in self._ended

    def limits(self, scope: str) -> Limits:
        """Return the bounds of a scope."""
        return self._limits.get(scope, Limits())

    def apply(self, record: Mapping[str, Any]) -> None:
        """Do what a record says."""
        self.number += 1
        kind = record["kind"]
        if kind == "grant":
            self._grant(grant_of(record["grant"]), record["day"])
        elif kind == "revoke":
            self._revoke(record["uid"], record["attempt"], record["day"])
        elif kind == "reserve":
            self._reserve(record)
        elif kind == "settle":
            self._settle(record["id"], Amount.read(record["amount"]), record["day"])
        elif kind == "exhausted":
            self._note(record["uid"], record["day"], record["scope"])
        else:
            raise ValueError(f"a record of an unknown kind, {kind!r}")

    def _grant(self, grant: Grant, day: int) -> None:
        before = self.grants.get(grant.uid)
        if before is not None and before.pod_uid != grant.pod_uid:
            self._end(before)
        self._ended.pop(grant.pod_uid, None)
        self.grants[grant.uid] = grant
        self.fences[grant.uid] = max(grant.attempt, self.fences.get(grant.uid, 0))
        self._pods[grant.pod_uid] = grant.uid
        for budget in grant.budgets:
            self._limits[budget.scope] = budget.limits
        # The same once more changes nothing: what was exhausted under these bounds still is.
        if grant != before:
            self._note(grant.uid, day, None)

    def _revoke(self, uid: str, attempt: int, day: int) -> None:
        grant = self.grants.get(uid)
        if grant is not None and grant.attempt <= attempt:
            del self.grants[uid]
            self._end(grant)
        self.fences[uid] = max(attempt + 1, self.fences.get(uid, 0))
        # A run that is not known keeps its fence as others do.
        self.runs.setdefault(uid, RunSum({}, None, self.number, day))

    def _end(self, grant: Grant) -> None:
        self._pods.pop(grant.pod_uid, None)
        self._ended[grant.pod_uid] = None
        while len(self._ended) > _REMEMBERED_PODS:
            del self._ended[next(iter(self._ended))]

    def _reserve(self, record: Mapping[str, Any]) -> None:
        amount = Amount.read(record["amount"])
        reservation = Reservation(record["uid"], record["model"], tuple(record["scopes"]), amount)
        self.open[record["id"]] = reservation
        for scope in reservation.scopes:
            self.reserved[scope] = self.reserved.get(scope, Amount()).plus(amount)
            self.under_way[scope] += 1

    def _settle(self, identity: str, amount: Amount, day: int) -> None:
        reservation = self.open.pop(identity)
        for scope in reservation.scopes:
            self._give_back(scope, reservation.amount)
            if amount != Amount():
                self.spent[scope] = self.spent.get(scope, Amount()).plus(amount)
                self.days[scope] = day
        if amount != Amount():
            self._add(reservation.uid, day, reservation.model, amount)

    def _give_back(self, scope: str, amount: Amount) -> None:
        self.under_way[scope] -= 1
        if self.under_way[scope]:
            self.reserved[scope] = self.reserved[scope].minus(amount)
        else:
            del self.under_way[scope], self.reserved[scope]

    def _add(self, uid: str, day: int, model: str, amount: Amount) -> None:
        before = self._run(uid)
        per_model = {**before.per_model, model: before.per_model.get(model, Amount()).plus(amount)}
        self.runs[uid] = before._replace(per_model=per_model, changed=self.number, day=day)

    def _note(self, uid: str, day: int, exhausted: str | None) -> None:
        self.runs[uid] = self._run(uid)._replace(exhausted=exhausted, changed=self.number, day=day)

    def _run(self, uid: str) -> RunSum:
        return self.runs.get(uid, RunSum({}, None, 0, 0))

    def document(self, since: int) -> Record:
        """Return all of it as JSON can keep it; without what was not used since a day, and has no grant."""
        budgets = {budget.scope for grant in self.grants.values() for budget in grant.budgets}
        scopes = {name for name in self.spent if self.days.get(name, 0) >= since or name in budgets}
        scopes |= {name for grant in self.grants.values() for name in grant.scopes if name in self.spent}
        runs = {uid for uid, run in self.runs.items() if run.day >= since or uid in self.grants}
        return {
            "number": self.number,
            "grants": [grant.document() for grant in self.grants.values()],
            "fences": {uid: attempt for uid, attempt in self.fences.items() if uid in runs},
            "ended": list(self._ended),
            "limits": {scope: _limits_document(limits) for scope, limits in self._limits.items() if scope in budgets},
            "spent": {scope: [self.spent[scope].document(), self.days.get(scope, 0)] for scope in sorted(scopes)},
            "runs": {uid: _run_document(self.runs[uid]) for uid in sorted(runs)},
            "open": {identity: _reservation_document(one) for identity, one in self.open.items()},
        }

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Books:
        """Read what `document` made."""
        books = cls()
        for document in kept["grants"]:
            grant = grant_of(document)
            books.grants[grant.uid] = grant
            books._pods[grant.pod_uid] = grant.uid
        books.fences = dict(kept["fences"])
        books._ended = dict.fromkeys(kept["ended"])
        books._limits = {scope: Limits(**_decimal(one)) for scope, one in kept["limits"].items()}
        books.spent = {scope: Amount.read(amount) for scope, (amount, _) in kept["spent"].items()}
        books.days = {scope: day for scope, (_, day) in kept["spent"].items()}
        books.runs = {uid: _run(one) for uid, one in kept["runs"].items()}
        for identity, one in kept["open"].items():
            books._reserve({"id": identity, **one})
        books.number = kept["number"]
        return books


def _decimal(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {**kept, "usd": None if kept["usd"] is None else Decimal(kept["usd"])}


def _limits_document(limits: Limits) -> Record:
    return {**limits._asdict(), "usd": None if limits.usd is None else f"{limits.usd:f}"}


def _reservation_document(one: Reservation) -> Record:
    return {"uid": one.uid, "model": one.model, "scopes": list(one.scopes), "amount": one.amount.document()}


def _run_document(run: RunSum) -> Record:
    models = {model: amount.document() for model, amount in run.per_model.items()}
    return {"models": models, "exhausted": run.exhausted, "changed": run.changed, "day": run.day}


def _run(kept: Mapping[str, Any]) -> RunSum:
    models = {model: Amount.read(amount) for model, amount in kept["models"].items()}
    return RunSum(models, kept["exhausted"], kept["changed"], kept["day"])
