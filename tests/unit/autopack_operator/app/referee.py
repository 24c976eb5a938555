"""Watches every change of the cluster in memory and calls fouls: what must never be seen, not even for an instant."""

from __future__ import annotations

from collections import Counter

from tests.unit.autopack_operator.builders import SETTINGS
from tests.unit.autopack_operator.fake_api import FakeApi

from autopack_operator.domain import naming, projection
from autopack_operator.domain.api.common import WORKSPACE_ANNOTATION, JsonDict
from autopack_operator.domain.api.status import AutopackRunStatus
from autopack_operator.domain.conditions import ConditionType
from autopack_operator.domain.views import PodView, RunView


class Referee:
    """Invariants 1 (one executor a run), 2, 5 (terminal is final) and 7 of the design, and what fencing hangs on."""

    def __init__(self, api: FakeApi) -> None:
        self._api = api
        self._runs: dict[str, RunView] = {}
        self.fouls: list[str] = []
        self.most_unfinished: Counter[str] = Counter()
        """By batch: the most runs of it that were unfinished at one instant."""
        api.watchers.append(self._see)

    def _see(self, event: str, body: JsonDict) -> None:
        if body["kind"] == "AutopackRun" and event != "DELETED":
            self._see_run(projection.run_view(body))
        elif body["kind"] == "Pod" and event != "DELETED":
            pod = projection.pod_view(body)
            if pod.owner is not None and pod.owner.uid in self._runs:
                self._see_pod(event, pod, pod.owner.uid)

    def _see_run(self, run: RunView) -> None:
        before = self._runs.get(run.uid)
        self._runs[run.uid] = run
        if before is not None:
            if before.terminal and _final(before) != _final(run):
                self._foul(f"{run.name}: terminal {before.status.phase} became {run.status.phase}")
            if run.status.attempt not in {before.status.attempt, before.status.attempt + 1}:
                self._foul(f"{run.name}: attempt {before.status.attempt} became {run.status.attempt}")
        if run.terminal and not (before is not None and before.terminal):
            self._end(run)
        if run.owner is not None:
            siblings = map(projection.run_view, self._api.all("AutopackRun"))
            busy = sum(not other.terminal for other in siblings if other.owner == run.owner)
            self.most_unfinished[run.owner.name] = max(busy, self.most_unfinished[run.owner.name])

    def _end(self, run: RunView) -> None:
        if live := [pod.name for pod in self._pods(run.uid) if not pod.stopped]:
            self._foul(f"{run.name}: {run.status.phase} while {live} live")
        if held := self._leases(run.uid):
            self._foul(f"{run.name}: {run.status.phase} while {held} are held")

    def _see_pod(self, event: str, pod: PodView, uid: str) -> None:
        live = [other.name for other in self._pods(uid) if not other.stopped]
        if len(live) > 1:
            self._foul(f"{live} live at once")
        if event != "ADDED":
            return
        run = self._runs[uid]
        if (run.status.attempt, run.terminal) != (pod.attempt, False):
            self._foul(f"{pod.name} was made while {run.status.phase} attempt {run.status.attempt} is claimed")
        wanted = (naming.lease_holder(uid, pod.attempt), f"{SETTINGS.claim}/{run.status.workspace}")
        if self._leases(uid) != [wanted]:
            self._foul(f"{pod.name} was made while its Leases are {self._leases(uid)}")

    def _pods(self, run_uid: str) -> list[PodView]:
        pods = map(projection.pod_view, self._api.all("Pod"))
        return [pod for pod in pods if pod.owner is not None and pod.owner.uid == run_uid]

    def _leases(self, run_uid: str) -> list[tuple[str, str]]:
        """Holder and workspace of each Lease that an attempt of the run holds."""
        held = [(body["spec"]["holderIdentity"], body["metadata"]) for body in self._api.all("Lease")]
        return [
            (holder, (meta.get("annotations") or {}).get(WORKSPACE_ANNOTATION, ""))
            for holder, meta in held
            if holder.startswith(run_uid)
        ]

    def _foul(self, text: str) -> None:
        self.fouls.append(text)


def _final(run: RunView) -> AutopackRunStatus:
    """What of a terminal status never changes: all but how far the delivery is."""
    conditions = [item for item in run.status.conditions if item.type != ConditionType.DELIVERED]
    return run.status.model_copy(update={"delivery": None, "conditions": conditions})
