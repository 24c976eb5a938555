"""What the watches have told, as frozen views, with the two look-ups that reconcilers need."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from cachetools import TTLCache

from autopack_operator.domain.api.status import AutopackRunStatus, DeliveryStatus
from autopack_operator.domain.delivery.state import under_way
from autopack_operator.domain.keys import Key, Kind, keys_for_pod, keys_for_run
from autopack_operator.domain.turns import occupies, profile_of
from autopack_operator.domain.views import BatchView, PodView, ProfileView, RunView

REMEMBERED_SECONDS = 300.0
"""Longer than an answer, or a list, can be on its way while its object is deleted."""

REMEMBERED_DEATHS = 10_000
"""So many of a kind at most, though thousands be deleted at once."""


class _Object(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def uid(self) -> str: ...


ViewT = TypeVar("ViewT", bound=_Object)


class Store(Generic[ViewT]):
    """Objects of one kind by namespace and name, and by the groups they are in. Never goes back to an older version.

    Of an object that is gone only the answer of `remark` to its last state is kept, and that for a while: at 5 runs a
    second, ten thousand last states would be 50 MB within half an hour.
    """

    def __init__(
        self,
        groups_of: Callable[[ViewT], Iterable[Hashable]] = lambda _: (),
        remark: Callable[[ViewT], bool] = lambda _: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._groups_of, self._remark = groups_of, remark
        self._objects: dict[tuple[str, str], ViewT] = {}
        self._groups: dict[Hashable, dict[tuple[str, str], ViewT]] = {}
        self._dead: TTLCache[str, bool] = TTLCache(REMEMBERED_DEATHS, REMEMBERED_SECONDS, monotonic)
        """Remarks by UID."""

    def get(self, namespace: str, name: str) -> ViewT | None:
        """The object, if known."""
        return self._objects.get((namespace, name))

    def at(self, namespace: str, name: str, uid: str, version: str) -> ViewT | None:
        """The object, if it is known in that very version. What has none (a profile) never is."""
        known = self._objects.get((namespace, name))
        same = known is not None and version != "" and (known.uid, _version(known)) == (uid, version)
        return known if same else None

    def group(self, key: Hashable) -> Collection[ViewT]:
        """The objects of that group."""
        return self._groups.get(key, {}).values()

    def places(self, key: Hashable) -> Mapping[tuple[str, str], ViewT]:
        """The objects of that group by namespace and name."""
        return self._groups.get(key, {})

    def all(self) -> Iterable[ViewT]:
        """Every object."""
        return self._objects.values()

    def put(self, view: ViewT) -> bool:
        """Take it in, unless something newer is known or the object was deleted; says whether anything changed."""
        place = (view.namespace, view.name)
        known = self._objects.get(place)
        if view.uid in self._dead or (known is not None and not _newer(view, known)):
            return False
        if known is not None:
            self._leave_groups(place, known)
        self._objects[place] = view
        for group in self._groups_of(view):
            self._groups.setdefault(group, {})[place] = view
        return True

    def remove(self, namespace: str, name: str, uid: str) -> None:
        """The object of that UID is gone; an answer to an own write that comes late does not bring it back."""
        known = self._objects.get((namespace, name))
        remark = self._remark(known) if known is not None and known.uid == uid else self.remarked(uid)
        self._dead[uid] = remark
        if known is not None and known.uid == uid:
            del self._objects[namespace, name]
            self._leave_groups((namespace, name), known)

    def remarked(self, uid: str) -> bool:
        """The remark on that object, made when it was removed; False when it is not known."""
        return bool(self._dead.get(uid))

    def _leave_groups(self, place: tuple[str, str], view: ViewT) -> None:
        for group in self._groups_of(view):
            members = self._groups[group]
            del members[place]
            if not members:
                del self._groups[group]


def _newer(view: _Object, known: _Object) -> bool:
    """Versions are integers that grow (KEP-5504 makes that a promise); a new UID is always news.

    So is a view without a version (a profile), which nobody writes here: what was told last is what holds.
    """
    told, had = _version(view), _version(known)
    if view.uid != known.uid or not (told.isdigit() and had.isdigit()):
        return True
    return int(told) > int(had)


def _version(view: _Object) -> str:
    return getattr(view, "resource_version", "")


def slimmed(run: RunView) -> RunView:
    """A finished run needs only its end, what it used, and its time to live: thousands of them stay in memory. One that
    is being delivered is whole: its status is written again.
    """
    if not run.terminal or under_way(run):
        return run
    limits, status = run.spec.get("ttlSecondsAfterFinished"), run.status
    return replace(
        run,
        anchor=None,
        spec={"ttlSecondsAfterFinished": limits} if limits is not None else {},
        status=AutopackRunStatus(
            observed_generation=status.observed_generation,
            phase=status.phase,
            reason=status.reason,
            attempt=status.attempt,
            finished_at=status.finished_at,
            usage=status.usage,
            delivery=_slimmed(status.delivery),
        ),
    )


def _slimmed(delivery: DeliveryStatus | None) -> DeliveryStatus | None:
    """Its batch counts it."""
    return DeliveryStatus(state=delivery.state) if delivery is not None else None


def _groups_of_pod(pod: PodView) -> Iterable[Hashable]:
    return () if pod.owner is None else (pod.owner.uid,)


def _groups_of_run(run: RunView) -> Iterator[Hashable]:
    if occupies(run):
        yield "under way", run.namespace, profile_of(run.spec)
    if run.owner is not None:
        yield run.owner.uid
        if not run.terminal:
            yield "unfinished", run.owner.uid


class Cache:
    """What is known of a namespace. Reads are instant and may be stale.

    `pods.remarked` tells of a pod that is gone whether it was seen with no container running: else its command may live
    on for a while.
    """

    def __init__(self) -> None:
        self.runs: Store[RunView] = Store(_groups_of_run)
        self.batches: Store[BatchView] = Store()
        self.profiles: Store[ProfileView] = Store()
        self.pods: Store[PodView] = Store(_groups_of_pod, lambda pod: pod.stopped)

    def pods_of(self, run_uid: str) -> tuple[PodView, ...]:
        """Pods whose controller is the run with that UID."""
        return tuple(self.pods.group(run_uid))

    def runs_of(self, batch_uid: str) -> Iterable[RunView]:
        """Runs whose controller is the batch with that UID."""
        return tuple(self.runs.group(batch_uid))

    def unfinished_runs_of(self, batch_uid: str) -> Iterable[RunView]:
        """Those of them that are not in a terminal phase."""
        return tuple(self.runs.group(("unfinished", batch_uid)))

    def under_way(self, namespace: str, profile: str) -> Mapping[tuple[str, str], RunView]:
        """Runs of that profile that occupy a place in its maxConcurrentRuns (domain/turns.py), by their place."""
        return self.runs.places(("under way", namespace, profile))

    def remember_run(self, run: RunView) -> None:
        """Take in the answer to an own write, unless something newer is known."""
        self.runs.put(slimmed(run))

    def known_uids(self) -> frozenset[str]:
        """UIDs of everything but profiles; taken before live lists are asked for."""
        stores = (self.runs, self.batches, self.pods)
        return frozenset(view.uid for store in stores for view in store.all())

    def replace_all(
        self, known_before: frozenset[str], runs: list[RunView], batches: list[BatchView], pods: list[PodView]
    ) -> list[Key]:
        """Take in live lists. What was known before them and is not in them is a ghost and goes.

        Returns the keys of all that differed.
        """
        keys: set[Key] = set()
        for run in runs:
            if self.runs.put(slimmed(run)):
                keys.update(keys_for_run(run))
        for run in _ghosts(self.runs, runs, known_before):
            keys.update(keys_for_run(run, deleted=True))
        for batch in [*(b for b in batches if self.batches.put(b)), *_ghosts(self.batches, batches, known_before)]:
            keys.add(Key(Kind.BATCH, batch.namespace, batch.name))
        for pod in [*(p for p in pods if self.pods.put(p)), *_ghosts(self.pods, pods, known_before)]:
            keys.update(keys_for_pod(pod))
        return sorted(keys)

    def all_keys(self) -> list[Key]:
        """Everything that has a reconciler."""
        runs = [Key(Kind.RUN, run.namespace, run.name) for run in self.runs.all()]
        return runs + [Key(Kind.BATCH, batch.namespace, batch.name) for batch in self.batches.all()]

    def phases(self) -> dict[str, int]:
        """Number of runs by phase."""
        counts: dict[str, int] = {}
        for run in self.runs.all():
            counts[run.status.phase or "New"] = counts.get(run.status.phase or "New", 0) + 1
        return counts


def _ghosts(store: Store[ViewT], live: list[ViewT], known_before: frozenset[str]) -> list[ViewT]:
    """Remove what a watch never told us is gone (a relist after 410 emits no DELETED, kopf watching.py)."""
    alive = {view.uid for view in live}
    gone = [view for view in store.all() if view.uid in known_before and view.uid not in alive]
    for view in gone:
        store.remove(view.namespace, view.name, view.uid)
    return gone
