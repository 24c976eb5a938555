"""Thirty runs, one key: nobody is lost to rate limits, and budgets hold."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.models.script import Usage
from tests.local.gateway.gateways import KEY, Gateway, double, gateway_and_double, messages_body

RUNS = 30
EACH = 5
BURST = 10
PER_MINUTE = 600


async def _told(ours: Gateway, upstream: str) -> dict[str, int]:
    async with ours.session.get(f"{upstream}/double/counts") as answer:
        counts: dict[str, dict[str, int]] = await answer.json()
        return counts[KEY]


async def test_thirty_runs_on_a_bucket_for_ten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waits: list[float] = []

    async def work(ours: Gateway, run: str) -> list[int]:
        token = await ours.grant(run, batch=f"batch-{run[-1]}")
        statuses = []
        for _ in range(EACH):
            began = time.monotonic()
            async with ours.ask(token, "claude/v1/messages", messages_body(stream=True)) as answer:
                await answer.read()
                statuses.append(answer.status)
            waits.append(time.monotonic() - began)
        return statuses

    async with gateway_and_double(tmp_path, double(seconds=0.2)) as (ours, upstream):
        troubles = {"requests_per_minute": PER_MINUTE, "burst": BURST}
        async with ours.session.put(f"{upstream}/double/troubles", json=troubles):
            began = time.monotonic()
        statuses = await asyncio.gather(*(work(ours, f"run-{number}") for number in range(RUNS)))
        seconds = time.monotonic() - began
        counts = await _told(ours, upstream)
        used = [await ours.used(f"run-{number}") for number in range(RUNS)]
    share = RUNS * EACH / (BURST + seconds * PER_MINUTE / 60)
    with capsys.disabled():
        print(
            f"\n{RUNS} runs on a bucket for {BURST}: {RUNS * EACH} answers in {seconds:.1f} s,"
            f" {share:.0%} of the bucket used, {counts['limited']} refusals kept from the runs,"
            f" longest wait {max(waits):.1f} s"
        )
    assert statuses == [[200] * EACH] * RUNS
    assert [one["requests"] for one in used] == [EACH] * RUNS
    assert [one["estimated"] for one in used] == [0] * RUNS


@pytest.mark.parametrize(
    "limit", [{"usd": "0.02"}, {"tokens": 6000}, {"requests": 6}], ids=lambda limit: next(iter(limit))
)
async def test_a_spent_budget_stops_everybody_who_shares_it(tmp_path: Path, limit: dict[str, Any]) -> None:
    """An answer costs 0.00375 USD, 1050 tokens. At most one request goes over the limit, of all runs together."""

    async def work(ours: Gateway, run: str) -> str:
        token = await ours.grant(run, batch="b", budgets=[{"scope": "batch:b", **limit}])
        while True:
            async with ours.ask(token, "claude/v1/messages", messages_body(most=50)) as answer:
                document = await answer.json()
                if answer.status != 200:
                    assert (answer.status, document["error"]["type"]) == (403, "budget_exhausted")
                    return str(document["error"]["message"])

    async with gateway_and_double(tmp_path, double(seconds=0.02, used=Usage(1000, 50))) as (ours, upstream):
        said = await asyncio.gather(*(work(ours, f"run-{number}") for number in range(8)))
        counts = await _told(ours, upstream)
        runs = (await ours.client.spent())["runs"]
        again = await ours.grant("run-0", batch="b", budgets=[{"scope": "batch:b", "usd": "100"}])
        async with ours.ask(again, "claude/v1/messages", messages_body()) as answer:
            assert answer.status == 200
        assert (await ours.used("run-0"))["exhausted"] is None
    assert {one["exhausted"] for one in runs} == {"batch:b"}
    assert all("budget of this run's batch is used up" in one for one in said)
    one = {"usd": Decimal("0.00375"), "tokens": Decimal(1050), "requests": Decimal(1)}
    ((unit, most),) = limit.items()
    spent = counts["answered"] * one[unit]
    assert Decimal(most) <= spent < Decimal(most) + one[unit]
    assert sum(run["requests"] for run in runs) == counts["answered"]
