"""The operator's process from outside: it stops in order, stands by, and ends when it no longer leads."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scripts import deploy
from scripts.deploy import kubectl

from tests.e2e.installation import make_run
from tests.e2e.kube_adapters.builders import named


class Process:
    """One operator process, outside of the cluster."""

    def __init__(self, namespace: str, lease: str, identity: str, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.log = folder / f"{identity}.log"
        environment = deploy.environment() | {
            "AUTOPACK_NAMESPACE": namespace,
            "AUTOPACK_CLAIM": "claim",
            "AUTOPACK_IMAGE": "localhost/absent:dev",
            "AUTOPACK_RUN_SERVICE_ACCOUNT": "default",
            "AUTOPACK_VOLUME_URL": "http://127.0.0.1:9",
            "AUTOPACK_VOLUME_TOKEN_FILE": str(folder / "token"),
            "AUTOPACK_LEADER_LEASE": lease,
            "AUTOPACK_POD_NAME": identity,
            "AUTOPACK_HTTP_LISTEN": self.address,
        }
        with self.log.open("wb") as output:
            command = [sys.executable, "-m", "autopack_operator.main"]
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    def get(self, path: str) -> tuple[int, str]:
        """Status and text; (0, "") while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def leads(self) -> bool:
        return "autopack_leader 1.0" in self.get("/metrics")[1]

    def wait(self, seconds: float) -> int:
        return self.process.wait(seconds)


@contextmanager
def operator(namespace: str, lease: str, identity: str, folder: Path) -> Iterator[Process]:
    """A process that does not outlive the test."""
    started = Process(namespace, lease, identity, folder)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def until(condition: object, what: str, seconds: float = 120) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)


def holder(namespace: str, lease: str) -> str:
    return kubectl("get", "lease", lease, "-n", namespace, "-o", "jsonpath={.spec.holderIdentity}")


def apply_suspended_run(namespace: str) -> str:
    """A run that is reconciled as far as its status says that it is held back."""
    name = named("held")
    kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(make_run(name, "true", suspend=True)).encode())
    return name


def reason(namespace: str, run: str) -> str:
    return kubectl("get", "autopackrun", run, "-n", namespace, "-o", "jsonpath={.status.reason}")


@pytest.fixture
def lease() -> str:
    return named("leader")


def test_sigterm_ends_it_with_0_and_frees_the_lease(namespace: str, lease: str, tmp_path: Path) -> None:
    with operator(namespace, lease, "one", tmp_path) as one:
        until(one.leads, "leadership")
        one.process.send_signal(signal.SIGTERM)
        assert one.wait(60) == 0, one.log.read_text()
    assert holder(namespace, lease) == ""


def test_a_standby_is_ready_does_nothing_and_takes_over_at_once(namespace: str, lease: str, tmp_path: Path) -> None:
    with operator(namespace, lease, "one", tmp_path) as one:
        until(one.leads, "leadership")
        with operator(namespace, lease, "two", tmp_path) as two:
            until(lambda: two.get("/readyz")[0] == 200, "readiness")
            os.kill(one.process.pid, signal.SIGSTOP)
            untouched = apply_suspended_run(namespace)
            time.sleep(3)
            assert not two.leads()
            assert reason(namespace, untouched) == ""
            # It has seen the run all the same, and keeps no queue of what it will not do.
            metrics = two.get("/metrics")[1]
            assert re.search(r"^autopack_runs\{phase=", metrics, re.MULTILINE)
            assert "autopack_workqueue_depth 0.0" in metrics
            os.kill(one.process.pid, signal.SIGCONT)
            until(lambda: reason(namespace, untouched) == "Suspended", "the leader's work")
            one.process.send_signal(signal.SIGTERM)
            assert one.wait(60) == 0
            taken_over = apply_suspended_run(namespace)
            # Well under the 15 s that a Lease which was not let go of would cost.
            until(lambda: reason(namespace, taken_over) == "Suspended", "the standby's work", seconds=10)
            assert two.leads()
            assert two.get("/livez")[0] == 200


def test_a_leader_that_was_robbed_ends_and_writes_no_more(namespace: str, lease: str, tmp_path: Path) -> None:
    with operator(namespace, lease, "one", tmp_path) as one:
        until(one.leads, "leadership")
        patch = json.dumps({"spec": {"holderIdentity": "thief"}})
        kubectl("patch", "lease", lease, "-n", namespace, "--type=merge", "-p", patch)
        assert one.wait(60) == 1
        assert "leadership was lost" in one.log.read_text()
    assert holder(namespace, lease) == "thief"


def test_a_leader_that_slept_through_its_lease_does_not_act(namespace: str, lease: str, tmp_path: Path) -> None:
    with operator(namespace, lease, "one", tmp_path) as one:
        until(one.leads, "leadership")
        os.kill(one.process.pid, signal.SIGSTOP)
        with operator(namespace, lease, "two", tmp_path) as two:
            until(two.leads, "the take-over", seconds=60)
            os.kill(one.process.pid, signal.SIGCONT)
            assert one.wait(60) == 1
            assert "leadership was lost" in one.log.read_text()
            assert holder(namespace, lease) == "two"
            assert two.process.poll() is None


def test_what_was_there_before_is_reconciled_after_a_kill(namespace: str, lease: str, tmp_path: Path) -> None:
    with operator(namespace, lease, "one", tmp_path) as one:
        until(one.leads, "leadership")
        one.process.kill()
        one.process.wait()
    missed = apply_suspended_run(namespace)
    # The same identity, as when the kubelet starts the container again: the Lease is its own.
    with operator(namespace, lease, "one", tmp_path) as again:
        until(lambda: reason(namespace, missed) == "Suspended", "the work that was missed", seconds=20)
        assert 'autopack_runs{phase="Pending"}' in again.get("/metrics")[1]
