"""Judges of a finished trial: each takes the record and returns what is wrong. Pure; the numbers are the design's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from autopack.phases import TERMINAL_PHASES, PodPhase
from faults.ends import end_of
from faults.plan import Kind
from faults.poison import nobody_waits_for_poison, poison_is_no_loop, poison_stays
from faults.record import Record
from faults.rows import differences
from faults.trial import command_state
from faults.witness import Seen, phase

JsonDict = dict[str, Any]

WRITES_FACTOR = 2
WRITES_EXTRA = 12
"""A fault may repeat the requests of a trial, and those of a few retries; more would be a loop."""


def one_execution_at_a_time(record: Record) -> Iterator[str]:
    """1: by heartbeats, not by what the API server says."""
    lives = sorted(record.evidence.executions, key=lambda item: item.first)
    for index, life in enumerate(lives):
        for later in lives[index + 1 :]:
            if later.run_uid == life.run_uid and later.first < life.last:
                yield f"{later.pod} began {life.last - later.first:.2f} s before {life.pod} ended"


def one_live_pod(record: Record) -> Iterator[str]:
    """1: by what the node reports. A pod that arrives late may exist, but its workspace container refuses to begin."""
    live: dict[str, set[str]] = {}
    for seen in record.history:
        if seen.kind != "Pod":
            continue
        run = _owner(seen.body)
        pods = live.setdefault(run, set())
        if seen.event != "DELETED" and "running" in command_state(seen.body):
            pods.add(seen.name)
        else:
            pods.discard(seen.name)
        if len(pods) > 1:
            yield f"{sorted(pods)} live at once"


def own_workspace(record: Record) -> Iterator[str]:
    """2: no two attempts ever mount the same workspace."""
    owners: dict[str, str] = {}
    for seen in record.history:
        if seen.kind != "Pod":
            continue
        for path in _workspaces(seen.body):
            owner = f"{_owner(seen.body)} {seen.body['metadata']['labels'].get('autopack.dev/attempt')}"
            if owners.setdefault(path, owner) != owner:
                yield f"{path} is mounted by {owners[path]} and by {owner}"


def committed_never_changes(record: Record) -> Iterator[str]:
    """3: the digest that a status names for an attempt is that of what was imported, and stays."""
    told: dict[tuple[str, int], str] = {}
    for seen in _runs(record):
        status, uid = seen.body.get("status") or {}, seen.body["metadata"]["uid"]
        digest, attempt = status.get("manifestSHA256"), status.get("attempt", 0)
        if digest is None or not _condition(seen.body, "ArtifactsCommitted"):
            continue
        commit = record.evidence.commits.get((uid, attempt))
        if told.setdefault((uid, attempt), digest) != digest:
            yield f"{seen.name}: the manifest of attempt {attempt} became {digest[:8]}"
        if commit is not None and commit.manifest != digest:
            yield f"{seen.name}: the status names manifest {digest[:8]}, attempt {attempt} left {commit.manifest[:8]}"


def fenced(record: Record) -> Iterator[str]:
    """4: the attempt only grows by one, and a pod is made only for the attempt that its run has claimed."""
    claimed: dict[str, tuple[int, bool]] = {}
    for seen in record.history:
        if seen.kind == "AutopackRun":
            uid, attempt = seen.body["metadata"]["uid"], int((seen.body.get("status") or {}).get("attempt", 0))
            before = claimed.get(uid, (0, False))[0]
            if attempt not in {before, before + 1}:
                yield f"{seen.name}: attempt {before} became {attempt}"
            claimed[uid] = attempt, phase(seen.body) in TERMINAL_PHASES
        elif seen.kind == "Pod" and seen.event == "ADDED":
            uid = seen.body["metadata"]["ownerReferences"][0]["uid"]
            number = int(seen.body["metadata"]["labels"]["autopack.dev/attempt"])
            if uid in claimed and number > claimed[uid][0] + 1:
                yield f"{seen.name} was made while attempt {claimed[uid][0]} was claimed"


def terminal_is_final(record: Record) -> Iterator[str]:
    """5: every run ends, and what has ended stays as it is."""
    if record.error:
        yield record.error
    ended: dict[str, JsonDict] = {}
    for seen in record.history:
        if seen.kind not in {"AutopackRun", "RunBatch"} or seen.event == "DELETED":
            continue
        uid, status = seen.body["metadata"]["uid"], without_delivery(seen.body.get("status") or {})
        if uid in ended and ended[uid] != status:
            yield f"{seen.name}: terminal {ended[uid].get('phase')} became {status.get('phase')} {status.get('reason')}"
        elif phase(seen.body) in TERMINAL_PHASES:
            ended[uid] = status


def without_delivery(status: JsonDict) -> JsonDict:
    """A delivery goes on when its run, or its batch, has ended."""
    conditions = [item for item in status.get("conditions") or () if item["type"] != "Delivered"]
    return {name: value for name, value in status.items() if name != "delivery"} | {"conditions": conditions}


def work_is_saved_first(record: Record) -> Iterator[str]:
    """6: an attempt is imported, and its worktree removed, only when its command has stopped."""
    for (_, attempt), commit in record.evidence.commits.items():
        if commit.alive:
            what = "imported and its worktree removed" if commit.removed_workspace else "imported"
            yield f"attempt {attempt} was {what} while its command ran"


def acknowledged_lines_are_there(record: Record) -> Iterator[str]:
    """3 and 6: every line whose writer was told that it is stored is stored, and imported if the attempt was."""
    for key, lines in record.evidence.acknowledged.items():
        commit = record.evidence.commits.get(key)
        kept = set(commit.lines) if commit is not None else set(record.evidence.stored.get(key, ()))
        lost = [line for line in lines if line not in kept]
        if lost:
            yield f"attempt {key[1]}: {len(lost)} of {len(lines)} acknowledged lines are lost, the first {lost[0]!r}"


def every_execution_is_taken_in(record: Record) -> Iterator[str]:
    """3: the work of each attempt of a run that still exists is committed."""
    exist = {
        seen.body["metadata"]["uid"]
        for seen in _runs(record)
        if not any(other.event == "DELETED" and other.name == seen.name for other in _runs(record))
    }
    for life in record.evidence.executions:
        if life.run_uid in exist and life.key not in record.evidence.commits and not record.error:
            yield f"{life.pod} has run and its work was never imported"


def no_orphans(record: Record) -> Iterator[str]:
    """7: at the end no Lease is held, no pod lives on, nothing has a finalizer of ours."""
    if record.final.get("Leases"):
        yield f"{record.final['Leases']} Leases are left"
    for name, left in record.final.items():
        if name.startswith("Pod ") and left.get("phase") not in {PodPhase.SUCCEEDED, PodPhase.FAILED}:
            yield f"{name} is {left.get('phase')}"
    for seen in record.history:
        if seen.event != "DELETED" and seen.body["metadata"].get("finalizers"):
            yield f"{seen.name} has finalizers {seen.body['metadata']['finalizers']}"


def foreigners_are_untouched(record: Record) -> Iterator[str]:
    """8: objects that are not ours are as they were."""
    before, after = record.decoys
    for name, body in before.items():
        if after.get(name) != body:
            yield f"{name} was changed" if name in after else f"{name} is gone"


def idle_writes_nothing(record: Record) -> Iterator[str]:
    """9: once a trial is over, nothing of it is written."""
    for sent in record.sent:
        if sent.at > record.idle_from > 0:
            yield f"{sent.call.verb} {sent.call.resource} {sent.call.name} after the end"


def writes_are_bounded(record: Record, undisturbed: int) -> Iterator[str]:
    """However a trial is disturbed, it does not lead to a loop of writes."""
    limit = WRITES_FACTOR * undisturbed + WRITES_EXTRA
    if len(record.sent) > limit:
        counted = Counter(f"{sent.call.verb} {sent.call.resource}" for sent in record.sent)
        yield f"{len(record.sent)} writes, undisturbed {undisturbed}: {counted.most_common(4)}"


def rows_say_what_happened(record: Record) -> Iterator[str]:
    """The registry has one row a run and batch, and one a step of a run: none is lost, doubled or made up."""
    if record.evidence.rows is not None:
        yield from differences(record.evidence.rows, record.history)


Oracle = Callable[[Record], Iterator[str]]
INVARIANTS: tuple[Oracle, ...] = (
    one_execution_at_a_time,
    one_live_pod,
    own_workspace,
    committed_never_changes,
    fenced,
    terminal_is_final,
    work_is_saved_first,
    acknowledged_lines_are_there,
    every_execution_is_taken_in,
    no_orphans,
    foreigners_are_untouched,
    idle_writes_nothing,
    poison_is_no_loop,
    poison_stays,
    nobody_waits_for_poison,
    rows_say_what_happened,
)


def judge(record: Record, expected: JsonDict, undisturbed_writes: int, kind: Kind | None = None) -> list[str]:
    """Everything that is wrong, each with the name of the oracle that says so; `kind` is what was done."""
    wrong = [f"{oracle.__name__}: {text}" for oracle in INVARIANTS for text in oracle(record)]
    wrong += [f"writes_are_bounded: {text}" for text in writes_are_bounded(record, undisturbed_writes)]
    if not record.error:
        end = end_of(kind)
        wrong += [f"{end.__name__}: {text}" for text in end(record, expected)]
    return list(dict.fromkeys(wrong))


def _runs(record: Record) -> list[Seen]:
    return [seen for seen in record.history if seen.kind == "AutopackRun"]


def _owner(pod: JsonDict) -> str:
    owners = pod["metadata"].get("ownerReferences") or [{"uid": "nobody"}]
    return str(owners[0]["uid"])


def _workspaces(pod: JsonDict) -> set[str]:
    mounts = [mount for container in pod["spec"]["containers"] for mount in container.get("volumeMounts", ())]
    return {mount["subPath"] for mount in mounts if str(mount.get("subPath", "")).startswith("workspaces/")}


def _condition(body: JsonDict, kind: str) -> bool:
    conditions = (body.get("status") or {}).get("conditions") or ()
    return any(item["type"] == kind and item["status"] == "True" for item in conditions)
