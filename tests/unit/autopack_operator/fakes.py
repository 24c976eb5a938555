"""The operator's ports over an API server in memory, and a volume service that checks how it is used."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import BaseModel
from tests.unit.autopack_operator.builders import SHA
from tests.unit.autopack_operator.fake_api import Session

from autopack.agents.usage import UNKNOWN, Usage, micro_dollars
from autopack.file_layout import AttemptPaths
from autopack_operator.domain import naming, projection
from autopack_operator.domain.api.common import ATTEMPT_LABEL, RUN_UID_LABEL, WORKSPACE_ANNOTATION, JsonDict, Source
from autopack_operator.domain.api.status import DeliveredPullRequest
from autopack_operator.domain.delivery.request import DeliveryRequest
from autopack_operator.domain.delivery.world import Answer, Delivered
from autopack_operator.domain.keys import Key
from autopack_operator.domain.run.prompts import NOTHING_ASKED, Asked
from autopack_operator.domain.spending.views import Bound, GatewayFailure, Grant, Spending, Spent
from autopack_operator.domain.views import (
    Attempt,
    BatchView,
    CommittedWork,
    LeaseConflict,
    LeaseView,
    PodView,
    ProfileView,
    RunView,
    UnfinishedAttempt,
    VolumeFailure,
)

ViewT = TypeVar("ViewT")


@dataclass
class GitServer:
    """What was delivered, and what the publisher answers to further requests. It survives every operator."""

    answers: dict[str, list[Answer | None]] = field(default_factory=dict)
    """By run name: what is answered before the delivery is made."""
    asked: list[DeliveryRequest] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    pushes: int = 0
    hangs: asyncio.Event | None = None
    """No request is answered before it is set."""
    waiting: int = 0


@dataclass
class FakePublisher:
    """ports.publisher.Publisher: answers as it is told, then delivers; what is there already is not pushed again."""

    session: Session
    server: GitServer

    async def deliver(self, request: DeliveryRequest) -> Answer | None:
        if self.server.hangs is not None:
            self.server.waiting += 1
            await self.server.hangs.wait()

        def act() -> Answer | None:
            self.server.asked.append(request)
            waiting = self.server.answers.get(request.run_name, [])
            if waiting:
                return waiting.pop(0)
            if self.server.branches.get(request.branch) != request.work.commit:
                self.server.branches[request.branch] = request.work.commit
                self.server.pushes += 1
            pull = DeliveredPullRequest(number=7, url="https://git.example/7") if request.pull_request else None
            return Delivered(request.work.commit, pull, "")

        return await self.session.change("deliver", "Publisher", request.run_name, act)


@dataclass
class FakeRuns:
    """ports.cluster.Runs."""

    session: Session

    async def get(self, namespace: str, name: str) -> RunView | None:
        body = await self.session.get("AutopackRun", name)
        return projection.run_view(body) if body is not None else None

    async def create(self, manifest: JsonDict) -> RunView:
        return projection.run_view(await self.session.create(manifest))

    async def write_status(self, run: RunView, status: BaseModel) -> RunView:
        return projection.run_view(await self.session.write_status("AutopackRun", run, status))

    async def delete(self, run: RunView) -> None:
        await self.session.delete("AutopackRun", run.name, run.uid)


@dataclass
class FakeBatches:
    """ports.cluster.Batches."""

    session: Session

    async def write_status(self, batch: BatchView, status: BaseModel) -> BatchView:
        return projection.batch_view(await self.session.write_status("RunBatch", batch, status))

    async def delete(self, batch: BatchView) -> None:
        await self.session.delete("RunBatch", batch.name, batch.uid)


@dataclass
class FakePods:
    """ports.cluster.Pods."""

    session: Session

    async def get(self, namespace: str, name: str) -> PodView | None:
        body = await self.session.get("Pod", name)
        return projection.pod_view(body) if body is not None else None

    async def create(self, manifest: JsonDict) -> PodView:
        return projection.pod_view(await self.session.create(manifest))

    async def delete(self, pod: PodView, grace_seconds: int | None = None) -> None:
        await self.session.delete("Pod", pod.name, pod.uid)


@dataclass
class FakeProfiles:
    """ports.cluster.Profiles."""

    session: Session

    async def get(self, namespace: str, name: str) -> ProfileView | None:
        body = await self.session.get("RunProfile", name)
        return projection.profile_view(body) if body is not None else None


@dataclass
class FakeConfigMaps:
    """ports.cluster.ConfigMaps."""

    session: Session

    async def read(self, namespace: str, name: str, key: str, *, label: str | None = None) -> str | None:
        body = await self.session.get("ConfigMap", name)
        if body is None or (label is not None and body["metadata"].get("labels", {}).get(label) != "true"):
            return None
        text: str | None = body.get("data", {}).get(key)
        return text


@dataclass
class FakeLeases:
    """ports.cluster.Leases."""

    session: Session

    async def acquire(self, owner: RunView, attempt: int, workspace: str) -> LeaseConflict | None:
        api, holder = self.session.api, naming.lease_holder(owner.uid, attempt)
        name = naming.run_lease(owner.uid)
        labels = {RUN_UID_LABEL: owner.uid, ATTEMPT_LABEL: str(attempt)}
        owners, notes = [{"uid": owner.uid, "name": owner.name}], {WORKSPACE_ANNOTATION: workspace}
        meta: JsonDict = {"name": name, "labels": labels, "annotations": notes, "ownerReferences": owners}
        body: JsonDict = {"kind": "Lease", "metadata": meta, "spec": {"holderIdentity": holder}}

        def act() -> LeaseConflict | None:
            found = api.find("Lease", name)
            held_by = found["spec"]["holderIdentity"] if found is not None else ""
            uid, _, number = held_by.rpartition(".a")
            if held_by and held_by != holder and (uid != owner.uid or int(number) > attempt):
                return LeaseConflict(name, held_by)
            if found is not None:
                api.remove("Lease", name)
            api.add(body)
            return None

        return await self.session.change("acquire", "Lease", name, act)

    async def release(self, namespace: str, run_uid: str, attempt: int) -> None:
        api = self.session.api
        labels = {RUN_UID_LABEL: run_uid, ATTEMPT_LABEL: str(attempt)}

        def act() -> None:
            for lease in api.all("Lease"):
                if lease["metadata"]["labels"] == labels:
                    api.remove("Lease", lease["metadata"]["name"])

        await self.session.change("release", "Lease", f"{run_uid}.a{attempt}", act)


class RecordedEvents:
    """ports.cluster.Events: what people were told, as (object, reason)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def record(self, subject: RunView | BatchView, reason: str, message: str, *, warning: bool = False) -> None:
        self.told.append((subject.name, reason))

    async def run(self) -> None:
        """There is nothing to send."""
        await asyncio.Event().wait()


@dataclass
class FakeLister:
    """ports.cluster.Lister."""

    session: Session

    async def runs(self) -> list[RunView]:
        return [projection.run_view(body) for body in await self._all("AutopackRun")]

    async def batches(self) -> list[BatchView]:
        return [projection.batch_view(body) for body in await self._all("RunBatch")]

    async def pods(self) -> list[PodView]:
        return [projection.pod_view(body) for body in await self._all("Pod")]

    async def leases(self) -> list[LeaseView]:
        found = [projection.lease_view(body) for body in await self._all("Lease")]
        return [lease for lease in found if lease is not None]

    async def _all(self, kind: str) -> list[JsonDict]:
        return await self.session.read(lambda: self.session.api.all(kind))


USED_BY_AN_ATTEMPT = Usage(requests=1, input_tokens=1000, output_tokens=10, cached_tokens=400, micro_usd=250_000)


class NothingMore:
    """reconciler.Epilogue: what is finished is finished."""

    async def bring_on(self, key: Key, view: ViewT) -> tuple[ViewT, float | None]:
        return view, None

    def forget(self, key: Key) -> None:
        """There is nothing."""


class NoHistory:
    """ports.history.History: nothing is kept."""

    async def recall(self) -> None:
        """There is nothing."""

    async def run(self) -> None:
        """There is nothing to write."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Likewise."""

    def note(self, view: RunView | BatchView) -> None:
        """Forget it."""

    def note_all(self, views: Iterable[RunView | BatchView]) -> None:
        """Forget them."""


class SilentTelemetry:
    """ports.telemetry.Telemetry: counts what has to be counted once."""

    def __init__(self) -> None:
        self.finished: list[str] = []
        self.deliveries: list[str] = []
        self.contentions = 0
        self.worktrees: list[float] = []
        self.used = UNKNOWN

    @contextmanager
    def reconcile(self, kind: str) -> Iterator[None]:
        yield

    def lease_contention(self) -> None:
        self.contentions += 1

    def worktree_ready(self, seconds: float) -> None:
        self.worktrees.append(seconds)

    def agent_used(self, usage: Usage) -> None:
        self.used = self.used.plus(usage)

    def run_finished(self, phase: str) -> None:
        self.finished.append(phase)

    def delivery_ended(self, state: str) -> None:
        self.deliveries.append(state)


@dataclass
class Folder:
    """What lies in one attempt's folder: its pods, and how its command ended, if its keeper could say so."""

    attempt: Attempt
    pods: set[str] = field(default_factory=set)
    exit_code: int | None = None
    committed: CommittedWork | None = None
    asked: Asked = NOTHING_ASKED


@dataclass
class VolumeFiles:
    """The volume itself. It survives every operator."""

    folders: dict[tuple[str, int], Folder] = field(default_factory=dict)
    refusals: dict[str, VolumeFailure] = field(default_factory=dict)
    """By run name: what `prepare` answers."""
    spoiled: dict[str, VolumeFailure] = field(default_factory=dict)
    """By run name: what `commit` answers."""


@dataclass
class FakeVolume:
    """ports.volume.Volume: answers "under way" once, then the same forever."""

    session: Session
    files: VolumeFiles
    _asked: set[tuple[str, str, int]] = field(default_factory=set)

    async def prepare(
        self,
        run_uid: str,
        run_name: str,
        attempt: int,
        source: Source,
        branch: str,
        *,
        resume: bool = False,
        asked: Asked = NOTHING_ASKED,
    ) -> Attempt | VolumeFailure | None:
        def act() -> Attempt | VolumeFailure | None:
            if run_name in self.files.refusals:
                return self.files.refusals[run_name]
            if self._first("prepare", run_uid, attempt):
                return None
            paths = AttemptPaths(run_name, run_uid, attempt)
            state = self._left_by(run_uid, attempt - 1) if resume else None
            made = Attempt(attempt, f"n-{source.repository}", SHA, paths.workspace, paths.artifacts, paths.kept, state)
            return self.files.folders.setdefault((run_uid, attempt), Folder(made, asked=asked)).attempt

        return await self.session.change("prepare", "Volume", f"{run_name} {attempt}", act)

    async def commit(
        self, run_uid: str, run_name: str, attempt: int, *, remove_workspace: bool
    ) -> CommittedWork | VolumeFailure | None:
        def act() -> CommittedWork | VolumeFailure | None:
            self._check_stopped(run_uid, attempt)
            if run_name in self.files.spoiled:
                return self.files.spoiled[run_name]
            if self._first("commit", run_uid, attempt):
                return None
            folder = self.files.folders[run_uid, attempt]
            if folder.committed is None:
                ref = f"refs/runs/{run_uid}/a{attempt}/heads/main"
                done = folder.exit_code is not None
                head, snapshot = f"{attempt:040x}", f"{attempt:039x}5"
                work = CommittedWork(done, folder.exit_code, head, ref, f"{attempt:064x}", 3, 99, snapshot)
                folder.committed = replace(work, usage=USED_BY_AN_ATTEMPT, summary=f"said by attempt {attempt}")
            return folder.committed

        return await self.session.change("commit", "Volume", f"{run_name} {attempt}", act)

    async def unfinished(self) -> list[UnfinishedAttempt] | VolumeFailure:
        return await self.session.read(
            lambda: [
                UnfinishedAttempt(uid, folder.attempt.artifacts.split("/")[0], number)
                for (uid, number), folder in self.files.folders.items()
                if folder.committed is None
            ]
        )

    def _left_by(self, run_uid: str, attempt: int) -> str | None:
        committed = self.files.folders[run_uid, attempt].committed
        if committed is None:
            raise AssertionError(f"attempt {attempt} was not committed, and the next one shall go on from it")
        return committed.snapshot

    def _check_stopped(self, run_uid: str, attempt: int) -> None:
        for pod in map(projection.pod_view, self.session.api.all("Pod")):
            if pod.owner is not None and (pod.owner.uid, pod.attempt) == (run_uid, attempt) and not pod.stopped:
                raise AssertionError(f"commit of attempt {attempt} while its pod {pod.name} lives")

    def _first(self, verb: str, run_uid: str, attempt: int) -> bool:
        call = (verb, run_uid, attempt)
        if call in self._asked:
            return False
        self._asked.add(call)
        return True


@dataclass
class GatewayBooks:
    """The gateway's journal. It survives every operator."""

    grants: dict[str, Grant] = field(default_factory=dict)
    revoked: set[tuple[str, int]] = field(default_factory=set)
    spent: dict[str, Spent] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    away: bool = False

    def ask(self, pod_uid: str, micro_usd: int) -> int:
        """A request of that pod's agent, which costs so much: the status that it gets."""
        grant = next((grant for grant in self.grants.values() if grant.pod_uid == pod_uid), None)
        if grant is None or (grant.run_uid, grant.attempt) in self.revoked:
            return 401
        used = self.spent.get(grant.run_uid, Spent(grant.run_uid, Usage(0, 0, 0, 0, None, 0)))
        for bound in grant.bounds:
            if self._left(bound, grant) <= 0:
                self._note(replace(used, exhausted=bound.scope))
                return 403
        self._note(replace(used, usage=used.usage.plus(Usage(1, 10, 5, 0, None, micro_usd))))
        return 200

    def _left(self, bound: Bound, grant: Grant) -> float:
        """A scope of a batch or a profile is that of all runs that have it."""
        uids = [uid for uid, other in self.grants.items() if bound.scope in {each.scope for each in other.bounds}]
        total = UNKNOWN
        for uid in {*uids, grant.run_uid} & self.spent.keys():
            total = total.plus(self.spent[uid].usage)
        limits = (
            (micro_dollars(bound.usd), total.micro_usd),
            (bound.tokens, total.total_tokens),
            (bound.requests, total.requests),
        )
        return min(limit - (used or 0) for limit, used in limits if limit is not None)

    def clear(self, run_uid: str) -> None:
        """What was exhausted under other bounds is judged again."""
        if run_uid in self.spent:
            self._note(replace(self.spent[run_uid], exhausted=None))

    def _note(self, spent: Spent) -> None:
        if self.spent.get(spent.run_uid) != spent:
            self.spent[spent.run_uid] = spent
            self.changes.append(spent.run_uid)


@dataclass
class FakeGateway:
    """ports.gateway.Gateway."""

    session: Session
    books: GatewayBooks

    async def grant(self, grant: Grant) -> GatewayFailure | None:
        def act() -> GatewayFailure | None:
            if self.books.away:
                return GatewayFailure("it is away")
            before = self.books.grants.get(grant.run_uid)
            if before != grant and (before is None or before.attempt <= grant.attempt):
                self.books.grants[grant.run_uid] = grant
                self.books.clear(grant.run_uid)
            return None

        return await self.session.change("grant", "Gateway", f"{grant.run_uid} {grant.attempt}", act)

    async def revoke(self, run_uid: str, attempt: int) -> GatewayFailure | None:
        def act() -> GatewayFailure | None:
            if self.books.away:
                return GatewayFailure("it is away")
            self.books.revoked.add((run_uid, attempt))
            return None

        return await self.session.change("revoke", "Gateway", f"{run_uid} {attempt}", act)

    async def spent(self, after: str) -> Spending | GatewayFailure:
        def look() -> Spending | GatewayFailure:
            if self.books.away:
                return GatewayFailure("it is away")
            uids = dict.fromkeys(self.books.changes[int(after or 0) :])
            return Spending(str(len(self.books.changes)), tuple(self.books.spent[uid] for uid in uids))

        return await self.session.read(look)
