"""RunBatch on the real kubelet."""

from __future__ import annotations

from datetime import datetime

from tests.e2e.installation import ANCHOR, Installation, make_batch, phase


def overlap(spans: list[tuple[datetime, datetime]]) -> int:
    """The largest number of spans that hold one instant in common."""
    changes = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans], key=lambda c: (c[0], c[1]))
    highest = current = 0
    for _, change in changes:
        current += change
        highest = max(highest, current)
    return highest


def span(pod: dict) -> tuple[datetime, datetime]:  # type: ignore[type-arg]
    """Start and end of the command in a finished pod."""
    state = next(item for item in pod["status"]["containerStatuses"] if item["name"] == "run")["state"]["terminated"]
    return datetime.fromisoformat(state["startedAt"]), datetime.fromisoformat(state["finishedAt"])


def test_a_batch_with_two_workers_never_runs_three(installation: Installation) -> None:
    ids = ["one", "two", "three", "four", "five"]
    installation.apply(make_batch("pair", "sleep 2", ids, workers=2))
    batch = installation.finished("pair", "runbatch", timeout=180)
    status = batch["status"]
    assert (phase(batch), status["succeeded"], status["failed"], status["active"]) == ("Succeeded", 5, 0, 0)
    assert status["finishedIndexes"]["succeeded"] == "0-4"
    pods = installation.all("pods", "autopack.dev/batch=pair")
    assert len(pods) == 5
    assert overlap([span(pod) for pod in pods]) <= 2


def test_the_anchor_bounds_the_workers(installation: Installation) -> None:
    anchor = ANCHOR.replace('"max_concurrent_runs": 8', '"max_concurrent_runs": 1')
    installation.apply(make_batch("bounded", "sleep 1", ["a", "b"], anchor=anchor, workers=2))
    batch = installation.finished("bounded", "runbatch", timeout=120)
    assert batch["status"]["effectiveWorkers"] == 1
    assert overlap([span(pod) for pod in installation.all("pods", "autopack.dev/batch=bounded")]) == 1


def test_runs_of_one_batch_do_not_see_each_other(installation: Installation) -> None:
    script = 'test ! -e mine; echo "$AUTOPACK_RUN_ID" > mine; git add mine; git commit -qm mine; sleep 1; '
    script += "cat mine > $AUTOPACK_ARTIFACTS/ci/who"
    installation.apply(make_batch("apart", script, ["x", "y", "z"], workers=3))
    installation.finished("apart", "runbatch", timeout=120)
    for name in ("apart-x", "apart-y", "apart-z"):
        run = installation.get("autopackrun", name)
        assert installation.file(f"{run['status']['artifacts']}/ci/who") == f"{name}\n"
        assert installation.git(run, "show", f"{run['status']['ref']}:mine") == f"{name}\n"


def test_a_failed_run_fails_its_batch_but_not_its_siblings(installation: Installation) -> None:
    installation.apply(make_batch("mixed", 'test "$AUTOPACK_RUN_ID" != mixed-bad', ["good", "bad", "fine"]))
    batch = installation.finished("mixed", "runbatch", timeout=120)
    assert (phase(batch), batch["status"]["succeeded"], batch["status"]["failed"]) == ("Failed", 2, 1)
    assert batch["status"]["finishedIndexes"] == {"succeeded": "0,2", "failed": "1"}


def test_a_batch_without_an_anchor_makes_no_runs(installation: Installation) -> None:
    installation.apply(make_batch("gated", "true", ["a", "b"], anchor=None))
    batch = installation.finished("gated", "runbatch")
    assert (phase(batch), batch["status"]["reason"]) == ("Refused", "AnchorAbsent")
    assert installation.all("autopackruns", "autopack.dev/batch=gated") == []
