"""A way to the volume service's readers: `kubectl port-forward`, for as long as it is needed."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable

from autopack.errors import printable
from autopack_cli.cluster.checks import is_ready
from autopack_cli.cluster.problems import NO_ANSWER, NOT_ALLOWED, ClusterProblem
from autopack_cli.cluster.session import PODS, Session
from autopack_operator.domain.api.common import JsonDict

READ_PORT = 8082
_VOLUME = "app.kubernetes.io/component=volume"
_READY_SECONDS = 30
_STOP_SECONDS = 5
_PR_SET_PDEATHSIG = 1
_LISTENING = re.compile(rb"Forwarding from (127\.0\.0\.1:\d+) ->")


async def volume_pod(session: Session) -> str:
    """Return the name of the ready pod of the volume service; ClusterProblem when there is none."""
    pods = [pod for pod in await session.list(PODS, _VOLUME) if _container(pod)]
    ready = [pod for pod in pods if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]]
    if ready:
        return str(ready[0]["metadata"]["name"])
    state = f"its pod is {pods[0].get('status', {}).get('phase', 'Unknown')}, not ready" if pods else "it has no pod"
    message = f"the volume service in the namespace {session.namespace} does not run: {state}"
    raise ClusterProblem(f"{message}. `kubectl autopack doctor -n {session.namespace}` says more", NO_ANSWER)


def _container(pod: JsonDict) -> bool:
    return any(container.get("name") == "volume" for container in (pod.get("spec") or {}).get("containers") or ())


@contextlib.asynccontextmanager
async def forwarded(session: Session) -> AsyncIterator[str]:
    """Yield the address, on this machine, at which the volume service answers readers."""
    kubectl = os.environ.get("KUBECTL") or shutil.which("kubectl")
    if kubectl is None:
        raise ClusterProblem("the program kubectl was not found. Install it, or name it in KUBECTL")
    argv = [*session.access.kubectl_flags(session.namespace), "port-forward", "--address=127.0.0.1"]
    process = await asyncio.create_subprocess_exec(
        kubectl,
        *argv,
        f"pod/{await volume_pod(session)}",
        f":{READ_PORT}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Ctrl-C is ours to handle; and should we be killed, the way must not stay open.
        start_new_session=True,
        preexec_fn=_dies_with_us(),
    )
    try:
        yield f"http://{await _address(process)}"
    finally:
        await _end(process)


async def _address(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("kubectl was started without pipes")
    try:
        async with asyncio.timeout(_READY_SECONDS):
            line = await process.stdout.readline()
            found = _LISTENING.match(line)
            if found is not None:
                return found[1].decode()
            said = await process.stderr.read()
    except TimeoutError:
        message = f"kubectl port-forward is not ready after {_READY_SECONDS} s"
        raise ClusterProblem(f"{message}. Check the volume service's pod", NO_ANSWER) from None
    text = printable(" ".join(said.decode(errors="replace").split()), 500)
    if "orbidden" in text:
        fix = "Reading what runs left needs create on pods/portforward (docs/guide/kubectl.md)"
        raise ClusterProblem(f"kubectl port-forward: {text}. {fix}", NOT_ALLOWED)
    raise ClusterProblem(f"kubectl port-forward failed: {text}", NO_ANSWER)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.communicate(), _STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _dies_with_us() -> Callable[[], None] | None:
    """Return what makes a child get SIGTERM when its parent dies, where the system has such a thing."""
    if sys.platform != "linux":
        return None
    # Loaded here: between fork and exec nothing may be imported.
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
