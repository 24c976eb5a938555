"""A folder with everything that deliveries need, in which one trial after another is played."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.doubles.hosts.github import Pull as PlayedPull

from faults.delivery.host import DeliveryHost, Disturbance
from faults.delivery.judge import NOTHING, Pull, Remains, judge
from faults.delivery.publisher import PROGRAM, Publisher
from faults.delivery.repository import Repository
from faults.lane import Verdict
from faults.plan import Fault, Match, Plan

REPO_KEY = "demo"
CREDENTIAL = "write"


class DeliveryLane:
    """One host, one publisher, one volume. Methods block."""

    def __init__(self, folder: Path, program: tuple[str, ...] = PROGRAM) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        self._secret = folder / "publisher" / "secrets" / CREDENTIAL
        self.host = DeliveryHost(folder, self._renew)
        self.volume = Repository(folder / "volume" / ".repos" / REPO_KEY / "results.git")
        self.publisher = Publisher(folder, program)
        self._declare()
        self._number = 0
        self._moved: set[str] = set()

    def _declare(self) -> None:
        """Write the credential as the chart mounts it."""
        place = self._folder / "publisher"
        ca = place / "ca" / CREDENTIAL / "ca.crt"
        ca.parent.mkdir(parents=True)
        ca.write_bytes(self.host.authority.file.read_bytes())
        declared = {
            "name": CREDENTIAL,
            "urlPrefix": self.host.url,
            "kind": "Basic",
            "secretName": "write-secret",
            "host": {"kind": "GitHub", "api": self.host.url},
        }
        (place / "credentials.json").write_text(json.dumps([declared]))

    def _renew(self, token: str) -> None:
        self._secret.mkdir(parents=True, exist_ok=True)
        for key, value in (("username", "bot"), ("password", token)):
            unfinished = self._secret / f".{key}"
            unfinished.write_text(value)
            unfinished.replace(self._secret / key)

    @contextmanager
    def open(self) -> Iterator[DeliveryLane]:
        """Serve while the block runs."""
        try:
            with self.host.running():
                yield self
        finally:
            self.publisher.kill()

    def record(self, workload: str) -> tuple[list[Match], list[str]]:
        """Return the requests of an undisturbed delivery, and what is wrong with it even so."""
        disturbance, remains = self._play(workload, None)
        return disturbance.calls.seen, judge(remains)

    def play(self, plan: Plan) -> Verdict:
        """Play one trial and judge it."""
        begun = time.monotonic()
        disturbance, remains = self._play(plan.workload, plan.fault)
        return Verdict(plan, f"d{self._number:04d}", disturbance.fired, judge(remains), time.monotonic() - begun)

    def _play(self, workload: str, fault: Fault | None) -> tuple[Disturbance, Remains]:
        self._number += 1
        trial = _Trial(self, self._number, workload)
        disturbance = Disturbance(fault, self.host, self.publisher.kill, trial.move)
        with self.host.disturbed(disturbance):
            answer = self.publisher.deliver(trial.path, trial.request)
            disturbance.settle()
        remains = trial.remains(answer)
        if remains.moved_to:
            self._moved.add(trial.branch)
        return disturbance, remains

    def arrived(self) -> tuple[int, int]:
        """Count the branches and the pull requests, but for those that somebody else moved away from."""
        branches = {name for name in self.host.refs() if name.startswith("agents/")} - self._moved
        return len(branches), sum(pull.head in branches for pull in self.host.double.pulls)


class _Trial:
    """One run and its delivery."""

    def __init__(self, lane: DeliveryLane, number: int, workload: str) -> None:
        self._host, self._remote, self._number = lane.host, lane.host.remote, number
        self.uid = f"0a1b2c3d-0000-4000-8000-{number:012d}"
        self.branch, self._head = f"agents/run-{number}", f"refs/heads/agents/run-{number}"
        self._squashed, self._again = workload == "squashed", workload == "again"
        self._attempt = 2 if self._again else 1
        self._moved_to, self.marker = "", f"<!-- autopack-run: {self.uid} -->"
        self._main = lane.volume.main
        first = lane.volume.commit(self._ref(1), f"work-{number}", self._main, f"first {number}")
        self._expected = self._deliver_before(lane, first) if self._again else ""
        self.commit = first
        if self._again or self._squashed:
            parent = self._main if self._again else first
            self.commit = lane.volume.commit(self._ref(self._attempt), f"more-{number}", parent, f"second {number}")
        self._wanted_tree = lane.volume.tree(self.commit)
        self._moves_before = len(self._remote.moves(self.branch))
        self._others = self._foreign_heads()

    def _ref(self, attempt: int) -> str:
        return f"refs/runs/{self.uid}/a{attempt}/heads/main"

    def _deliver_before(self, lane: DeliveryLane, first: str) -> str:
        """Leave what an earlier delivery of the same run left: branch and pull request."""
        self._remote.git("fetch", "--quiet", str(lane.volume.path), f"+{self._ref(1)}:{self._head}")
        pulls = self._host.double.pulls
        body = f"Before.\n\n{self.marker}"
        pulls.append(PlayedPull(len(pulls) + 1, self.branch, "main", "Before", body, draft=False))
        return first

    @property
    def path(self) -> str:
        """The route of its delivery."""
        return f"/v1/deliveries/{self.uid}/{self._attempt}"

    @property
    def request(self) -> dict[str, Any]:
        """What the operator asks for."""
        return {
            "runId": f"run-{self._number}",
            "name": f"run-{self._number}",
            "namespace": "campaign",
            "repoKey": REPO_KEY,
            "ref": self._ref(self._attempt),
            "commit": self.commit,
            "base": self._main,
            "target": f"{self._host.url}/acme/app.git",
            "credential": CREDENTIAL,
            "branch": self.branch,
            "baseBranch": "",
            "expected": self._expected,
            "squash": self._squashed,
            "message": f"Work of run {self._number}",
            "policy": {"branches": ["agents/**"], "protectedPaths": [], "maxChangedFiles": None, "maxBytes": None},
            "pullRequest": {
                "title": f"Run {self._number}",
                "body": "What it did.",
                "draft": False,
                "labels": ["agents"],
                "reviewers": ["grace"],
            },
            "link": f"https://dashboard.example/runs/{self._number}",
        }

    def move(self) -> None:
        """Push to the branch as somebody else who knows nothing of us."""
        self._moved_to = self._remote.commit(self._head, f"theirs-{self._number}", self._main, f"theirs {self._number}")

    def remains(self, answer: dict[str, Any]) -> Remains:
        """Look at what there is now."""
        tip = self._remote.tip(self._head)
        pulls = [pull for pull in self._host.double.pulls if pull.head == self.branch]
        return Remains(
            answer=answer,
            commit=self.commit,
            squashed=self._squashed,
            expected=self._expected,
            moved_to=self._moved_to,
            marker=self.marker,
            tip=tip,
            tree=self._remote.tree(tip or NOTHING),
            wanted_tree=self._wanted_tree,
            moves=self._remote.moves(self.branch)[self._moves_before :],
            pulls=[Pull(pull.state, pull.body, pull.labels, pull.reviewers) for pull in pulls],
            statuses=[status["state"] for status in self._host.double.statuses.get(tip, [])],
            others_changed=self._others != self._foreign_heads(),
        )

    def _foreign_heads(self) -> dict[str, str]:
        heads = self._remote.heads()
        heads.pop(self.branch, None)
        return heads
