"""Carries out the steps that domain/run/decide.py asks for. Each is safe to repeat; each answer is remembered."""

from __future__ import annotations

from autopack_operator.app.anchors import anchor_verdict
from autopack_operator.app.batch_of import batch_of
from autopack_operator.app.prompts import PromptReader
from autopack_operator.app.spending import SpendingBook
from autopack_operator.app.transition_log import TransitionLog
from autopack_operator.app.turnstile import Turnstile
from autopack_operator.domain.api.status import AutopackRunStatus
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.pod.manifest import run_pod
from autopack_operator.domain.pod.settings import PodSettings
from autopack_operator.domain.run.memory import PodProblem, RunMemory
from autopack_operator.domain.run.transitions import branch_of
from autopack_operator.domain.run.world import (
    PENDING,
    AcquireLease,
    AskForTurn,
    Commit,
    CreatePod,
    DeletePod,
    GrantModels,
    LookUpPod,
    LookUpProfile,
    Prepare,
    ReadAnchor,
    ReleaseLease,
    RevokeModels,
    Step,
    Wait,
    WriteStatus,
)
from autopack_operator.domain.turns import occupies
from autopack_operator.domain.views import Attempt, LeaseConflict, RunView, VolumeFailure
from autopack_operator.ports.cluster import ForeignObjectError, RejectedError
from autopack_operator.ports.ports import Ports


class RunSteps:
    """Implements reconciler.Steps."""

    def __init__(
        self, ports: Ports, turnstile: Turnstile, settings: PodSettings, spending: SpendingBook | None = None
    ) -> None:
        self._ports, self._turnstile, self._settings, self._spending = ports, turnstile, settings, spending
        self._prompts = PromptReader(ports.configmaps)
        self._transitions = TransitionLog(ports.events, ports.telemetry, ports.history)

    async def take(self, step: Step, run: RunView, memory: RunMemory) -> RunView:  # noqa: C901 - one flat case a step
        """Carry the step out; returns the run as it is afterwards."""
        match step:
            case ReadAnchor():
                batch = batch_of(self._ports.cache, run)
                annotation = batch.anchor if run.anchor is None and batch is not None else run.anchor
                memory.anchor = await anchor_verdict(self._ports.configmaps, run.namespace, annotation)
                memory.anchor_read_at = self._ports.clock.monotonic()
            case LookUpProfile(name):
                profile = await self._ports.profiles.get(run.namespace, name)
                memory.profile_absent = profile is None
                if profile is not None:
                    self._ports.cache.profiles.put(profile)
            case AskForTurn():
                memory.turn = self._turnstile.ask_for_run(run)
            case Prepare(number, resume):
                memory.prepared = await self._prepare(run, number, memory, resume=resume)
            case AcquireLease(number, workspace):
                memory.lease_released = False
                memory.lease = await self._acquire(run, number, workspace)
            case LookUpPod(name):
                await self._look_up(run, name, memory)
            case CreatePod():
                await self._create_pod(run, step, memory)
            case GrantModels(grant) if self._spending is not None:
                memory.granted = await self._spending.grant(grant)
            case RevokeModels(number) if self._spending is not None:
                memory.revoked = await self._spending.revoke(run.uid, number)
            case DeletePod(pod):
                await self._ports.pods.delete(pod)
                memory.stop_asked = pod.uid
            case Commit(number, remove_workspace):
                answer = await self._ports.volume.commit(run.uid, run.name, number, remove_workspace=remove_workspace)
                memory.committed = answer if answer is not None else PENDING
            case ReleaseLease(number):
                memory.lease = None
                await self._ports.leases.release(run.namespace, run.uid, number)
                memory.lease_released = True
            case WriteStatus(status):
                return await self._write(run, status, memory)
            case Wait():
                if memory.turn is None and not occupies(run):
                    # It does not want to start now: its place is free for those who do.
                    self._turnstile.left(Key(Kind.RUN, run.namespace, run.name))
            case _:
                raise TypeError(f"no such step: {step!r}")
        return run

    async def delete(self, run: RunView) -> None:
        """Its files stay."""
        await self._ports.runs.delete(run)

    async def _prepare(
        self, run: RunView, number: int, memory: RunMemory, *, resume: bool
    ) -> Attempt | VolumeFailure | str:
        spec, _ = memory.spec_of(run)
        branch = branch_of(run, spec)
        asked = await self._prompts.asked(run.namespace, spec)
        if isinstance(asked, VolumeFailure):
            return asked
        answer = await self._ports.volume.prepare(
            run.uid, run.name, number, spec.source, branch, resume=resume, asked=asked
        )
        return answer if answer is not None else PENDING

    async def _acquire(self, run: RunView, number: int, workspace: str) -> int | LeaseConflict:
        conflict = await self._ports.leases.acquire(run, number, f"{self._settings.claim}/{workspace}")
        if conflict is None:
            return number
        self._ports.telemetry.lease_contention()
        return conflict

    async def _look_up(self, run: RunView, name: str, memory: RunMemory) -> None:
        pod = await self._ports.pods.get(run.namespace, name)
        if pod is None:
            memory.pod_absent = True
        elif pod.owner is None or pod.owner.uid != run.uid:
            memory.pod_absent, memory.pod_problem = True, _name_taken(name)
        else:
            self._ports.cache.pods.put(pod)

    async def _create_pod(self, run: RunView, step: CreatePod, memory: RunMemory) -> None:
        branch = branch_of(run, step.spec)
        manifest = run_pod(run, step.spec, step.profile, step.attempt, self._settings, branch)
        try:
            self._ports.cache.pods.put(await self._ports.pods.create(manifest))
        except ForeignObjectError:
            memory.pod_problem = _name_taken(manifest["metadata"]["name"])
        except RejectedError as error:
            # Only a quota may let the same pod through later.
            crowded = "exceeded quota" in str(error)
            memory.pod_problem = PodProblem("QuotaExceeded" if crowded else "PodRejected", str(error), not crowded)

    async def _write(self, run: RunView, status: AutopackRunStatus, memory: RunMemory) -> RunView:
        written = await self._ports.runs.write_status(run, status)
        self._ports.cache.remember_run(written)
        if written.terminal and self._spending is not None:
            self._spending.forget(run.uid)
        if status.attempt > run.status.attempt:
            # Nobody makes an attempt's pod before its claim is stored, and this very write has stored it: there is no
            # pod of that attempt to be looked up.
            memory.pod_absent = True
        pods = self._ports.cache.pods_of(run.uid)
        pod = next((pod for pod in pods if pod.name == status.pod_name), None)
        self._transitions.run_changed(run, written, pod)
        return written


def _name_taken(pod: str) -> PodProblem:
    return PodProblem("PodNameTaken", f"pod {pod} belongs to somebody else; rename the run or remove that pod", False)
