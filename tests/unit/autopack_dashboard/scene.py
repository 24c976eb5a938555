"""A dashboard over a SQLite registry and files in memory, with everything hostile that a run could write."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autopack.inside import Found
from autopack.merge_forecast import Conflict, MergeForecast
from autopack.phases import Phase
from autopack.registry.events import BatchEvent, BatchRecord, RunEvent, RunRecord
from autopack.registry.reader import RegistryReader, RunDetail, RunSummary
from autopack.registry.store import Registry
from autopack.registry.urls import DatabaseUrl, sqlite_url
from autopack.test_baseline_tracker import TestBaseline
from autopack_dashboard.ports import Download, Listing, NotThereError, Patch, Text
from autopack_dashboard.rows import Rows

NOW = datetime(2026, 1, 6, 12, 0, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
ANSI = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \u202ebidi"
PATCH = b"""diff --git a/src/app.py b/src/app.py
index 1..2 100644
--- a/src/app.py
+++ b/src/app.py
@@ -1,3 +1,4 @@ def answer():
 def answer():
-    return 42
+    question = "<script>alert(3)</script>"
+    return 43
 # end
diff --git a/new.txt b/new.txt
new file mode 100644
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+hello
\\ No newline at end of file
"""


USED = {"requests": 3, "inputTokens": 4400, "outputTokens": 125, "cachedTokens": 2700, "costUSD": "0.007785"}
TRANSCRIPT = [
    {"role": "assistant", "kind": "message", "text": f"I look. {HOSTILE} {ANSI}"},
    {"role": "assistant", "kind": "tool_call", "tool": HOSTILE, "text": f"ls\n{HOSTILE}", "at": HOSTILE},
    {"role": "tool", "kind": "tool_result", "tool": "bash", "text": f"README.md\n{ANSI}", "failed": True},
    {"role": "assistant", "kind": "usage", **USED},
]


def stamp(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


def run_event(name: str, start: float, took: float | None, state: Phase = Phase.SUCCEEDED, **more: object) -> RunEvent:
    lease = {
        "type": "LeaseHeld",
        "status": "False" if took is not None else "True",
        "reason": "Released",
        "message": "",
    }
    facts = {
        "run_id": name,
        "attempt": 1,
        "state": state,
        "at": stamp(start + (took or 0)),
        "batch_id": "nightly",
        "reason": "Completed" if took is not None else "CommandRunning",
        "exit_code": 0 if took is not None else None,
        "branch": f"autopack/{name}",
        "base_sha": "0123456789abcdef0123456789abcdef01234567",
        "head_sha": "f" * 40,
        "artifacts": f"{name}/a1-00000001",
        "started_at": stamp(start),
        "finished_at": None if took is None else stamp(start + took),
        "installation": "lab",
        "created_at": stamp(start - 2),
        "conditions": [
            {
                "type": "AnchorApproved",
                "status": "True",
                "reason": "ParallelismAllowed",
                "message": "4 at once",
                "at": stamp(start),
            },
            {**lease, "at": stamp(start + (took or 0))},
        ],
    } | more
    return RunEvent(f"uid-{name}", int(start * 10) + (took is not None), RunRecord(**facts))  # type: ignore[arg-type]


def batch_event(name: str = "nightly", **more: object) -> BatchEvent:
    facts = {
        "batch_id": name,
        "state": "Running",
        "installation": "lab",
        "created_at": stamp(-5),
        "reason": "RunsUnderWay",
        "workers": 3,
        "total": 8,
        "pending": 1,
        "active": 1,
        "succeeded": 4,
        "failed": 2,
        "started_at": stamp(0),
    } | more
    return BatchEvent(f"uid-{name}", 1, BatchRecord(**facts))  # type: ignore[arg-type]


ASKED = {"agent": "codex", "model": "lab/large", "prompt": f"Fix {HOSTILE}"}


def fill(url: DatabaseUrl) -> None:
    registry = Registry(url, wal=False)
    registry.upgrade()
    held = {"type": "LeaseHeld", "status": "True", "reason": "Acquired", "message": "held by attempt 1", "at": stamp(1)}
    unsaved = {
        "type": "WorkSaved",
        "status": "False",
        "reason": "Partly",
        "message": f"big {HOSTILE} {ANSI}",
        "at": stamp(56),
    }
    registry.record(
        [
            run_event("parser", 1, None, Phase.PREPARING, conditions=[held]),
            run_event("parser", 1, 64, usage=USED, summary=f"The file is committed. {HOSTILE}"),
            run_event("lexer", 2, 31),
            run_event(
                "optimizer",
                2,
                95,
                Phase.FAILED,
                reason="ExitCode",
                message="the command ended with exit code 3",
                exit_code=3,
            ),
            run_event("docs", 34, 22, reason="NotAllSaved", conditions=[unsaved]),
            run_event("types", 58, 41),
            run_event("bench", 67, 12, Phase.FAILED, reason="DeadlineExceeded", message=f"{HOSTILE} {ANSI}", **ASKED),
            run_event("emitter", 99, None, Phase.RUNNING),
            run_event(HOSTILE, 0, 3, Phase.CANCELED, batch_id=None, reason="Canceled"),
            run_event("=cmd|'/c calc'!A1", 0, 3, Phase.REFUSED, batch_id=None, reason="AnchorAbsent", attempt=0),
        ],
        [
            batch_event(usage=USED | {"costUSD": "12.50"}),
            batch_event(
                "docs-sweep",
                state="Succeeded",
                total=3,
                succeeded=3,
                failed=0,
                active=0,
                pending=0,
                created_at=stamp(-4000),
                started_at=stamp(-4000),
                finished_at=stamp(-3600),
                reason="Completed",
            ),
        ],
    )
    registry.close()


def rows_of(folder: Path) -> Rows:
    url = sqlite_url(folder / "registry.db")
    fill(url)
    return Rows(RegistryReader(url, "lab"))


BASELINE = TestBaseline("r", "0123456789", NOW, 12, 11, 1, 0, 0, ["t::old"])


def _test(name: str, outcome: str = "passed") -> dict[str, str]:
    return {"nodeid": name, "outcome": outcome}


class MemoryFiles:
    """Implements ports.Files."""

    def __init__(self) -> None:
        self.contents = {
            "logs/stdout.log": "".join(
                f"step {number}: compiling module_{number}.py\n" for number in range(60)
            ).encode()
            + f"{HOSTILE}\n{ANSI}\nprogress 10%\rprogress 100%\n".encode(),
            "ci/report.json": json.dumps(
                {"tests": [_test("tests/test_a.py::test_new", "failed"), _test("t::old")]}
            ).encode(),
            "transcript.jsonl": "\n".join(map(json.dumps, TRANSCRIPT)).encode() + b"\nno JSON\n[1]\n",
            "baselines/0123456789.json": BASELINE.to_json().encode(),
            f"{HOSTILE.replace('/', '_')}.html": b"<script>alert(4)</script>",
        }
        self.problem: NotThereError | None = None

    def _check(self) -> None:
        if self.problem is not None:
            raise self.problem

    async def listing(self, run: RunDetail, attempt: int) -> Listing:
        self._check()
        found = [Found(path, len(data)) for path, data in self.contents.items()]
        return Listing([*found, Found("link", None, "/etc/passwd")], final=True, truncated=False)

    async def log(self, run: RunDetail, attempt: int, stream: str, tail: int) -> Text:
        self._check()
        data = self.contents.get(f"logs/{stream}.log", b"")
        return Text(data[-tail:], max(0, len(data) - tail), len(data))

    async def content(self, run: RunDetail, attempt: int, path: str, limit: int) -> bytes:
        self._check()
        if path not in self.contents:
            raise NotThereError("ArtifactNotFound", f"there is no file '{path}'")
        return self.contents[path]

    async def download(self, run: RunDetail, attempt: int, path: str) -> Download:
        self._check()
        if path not in self.contents:
            raise NotThereError("ArtifactNotFound", "there is no such file")

        async def pieces() -> AsyncIterator[bytes]:
            yield self.contents[path]

        return Download(len(self.contents[path]), pieces())

    async def patch(self, run: RunDetail, attempt: int, limit: int) -> Patch:
        self._check()
        return Patch(PATCH, "0" * 40, "f" * 40, truncated=False)

    async def forecast(self, runs: list[RunSummary]) -> MergeForecast | None:
        self._check()
        names = [run.run_id for run in runs]
        clash = Conflict(names[0], names[-1], ("src/app.py",)) if len(names) > 1 else None
        left_out = (Conflict("main", names[-1], ("src/app.py",)),)
        return MergeForecast("main", tuple(names[:-1]), left_out, (clash,) if clash else (), ())
