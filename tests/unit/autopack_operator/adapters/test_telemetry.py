"""Metrics under the names that the dashboard reads, and logs that are one JSON object a line."""

from __future__ import annotations

import json
import logging
import re

import pytest
from tests.unit.autopack_operator.adapters.api_double import JsonDict

from autopack.agents.usage import Usage
from autopack_operator.adapters.telemetry.logs import JsonFormatter
from autopack_operator.adapters.telemetry.metrics import PrometheusTelemetry


def exposed(telemetry: PrometheusTelemetry) -> dict[str, float]:
    """Sample -> value."""
    lines = telemetry.render().decode().splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def test_state_is_read_at_each_scrape() -> None:
    telemetry, depth, phases = PrometheusTelemetry(), [3], {"Running": 2}
    telemetry.watch_state(lambda: depth[0], lambda: phases)
    assert exposed(telemetry)["autopack_workqueue_depth"] == 3
    depth[0], phases["Running"] = 4, 5
    after = exposed(telemetry)
    assert (after["autopack_workqueue_depth"], after['autopack_runs{phase="Running"}']) == (4, 5)


def test_counters_and_histograms() -> None:
    telemetry = PrometheusTelemetry()
    telemetry.lease_contention()
    telemetry.worktree_ready(3.0)
    telemetry.run_finished("Failed")
    telemetry.delivery_ended("Conflict")
    for _ in range(2):
        telemetry.agent_used(Usage(requests=1, input_tokens=1000, output_tokens=10, micro_usd=250_000))
    telemetry.leader.set(1)
    with telemetry.reconcile("RunBatch"):
        pass
    found = exposed(telemetry)
    assert found["autopack_lease_contention_total"] == 1
    assert (found['autopack_worktree_seconds_bucket{le="2.0"}'], found["autopack_worktree_seconds_sum"]) == (0, 3)
    assert found['autopack_runs_finished_total{phase="Failed"}'] == 1
    assert found['autopack_deliveries_total{state="Conflict"}'] == 1
    tokens = [found[f'autopack_tokens_total{{kind="{kind}"}}'] for kind in ("input", "cached", "output")]
    assert (tokens, found["autopack_cost_usd_total"]) == ([2000, 0, 20], 0.5)
    assert found["autopack_leader"] == 1
    assert found['autopack_reconcile_seconds_count{kind="RunBatch"}'] == 1


def test_a_reconcile_that_fails_is_timed_too() -> None:
    telemetry = PrometheusTelemetry()
    with pytest.raises(RuntimeError), telemetry.reconcile("AutopackRun"):
        raise RuntimeError
    assert exposed(telemetry)['autopack_reconcile_seconds_count{kind="AutopackRun"}'] == 1


def test_a_second_process_in_the_same_interpreter_has_metrics_of_its_own() -> None:
    PrometheusTelemetry().lease_contention()
    assert exposed(PrometheusTelemetry())["autopack_lease_contention_total"] == 0


def line(message: str, *args: object, **extra: object) -> JsonDict:
    record = logging.LogRecord("a.b", logging.WARNING, __file__, 1, message, args, None)
    record.__dict__.update(extra)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    parsed: JsonDict = json.loads(text)
    return parsed


def test_a_record_is_one_object() -> None:
    found = line("run %s\n%s", "x", "is\x1b[31m here", run="x", runUID="u", attempt=2)
    assert found == {
        "time": found["time"],
        "level": "WARNING",
        "logger": "a.b",
        "message": "run x\nis\x1b[31m here",
        "run": "x",
        "runUID": "u",
        "attempt": 2,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", found["time"])


def test_credentials_in_a_url_are_not_logged() -> None:
    found = line("could not fetch https://user:secret@host/x.git")
    assert "secret" not in json.dumps(found)


def test_a_registry_that_is_away_is_measured() -> None:
    telemetry, problems = PrometheusTelemetry(), ["the database does not answer"]
    telemetry.watch_registry(lambda: problems[0] if problems else None)
    assert b"autopack_registry_away 1.0" in telemetry.render()
    problems.clear()
    assert b"autopack_registry_away 0.0" in telemetry.render()
