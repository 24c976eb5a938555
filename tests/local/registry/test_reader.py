"""Reading the registry in pages, on both databases; and 10,000 runs in Postgres, measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from alembic import command
from alembic.config import Config
from scripts.postgres import PostgresServer
from sqlalchemy import inspect
from tests.unit.autopack_dashboard.scene import MemoryFiles

from autopack.agents.usage import MOST, UNKNOWN, Usage
from autopack.phases import Phase
from autopack.registry.engine import open_engine
from autopack.registry.events import BatchEvent, BatchRecord, RunEvent, RunRecord
from autopack.registry.failures import DatabaseUnreachable
from autopack.registry.reader import Cursor, RegistryReader, RunFilter, RunSummary
from autopack.registry.store import Registry
from autopack.registry.urls import DatabaseUrl, check_database_url, sqlite_url
from autopack_dashboard.app import Parts, make_app
from autopack_dashboard.pages.asking import cursor_after
from autopack_dashboard.rows import Rows

START = datetime(2026, 1, 6, tzinfo=UTC)


def moment(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def event(number: int, installation: str | None = "lab") -> RunEvent:
    # Four at once have the same time: only the whole cursor tells them apart.
    at = moment(number // 4)
    state = (Phase.SUCCEEDED, Phase.FAILED, Phase.RUNNING)[number % 3]
    facts = RunRecord(
        f"run-{number:05}",
        1,
        state,
        at,
        batch_id=f"batch-{number // 100:03}",
        started_at=at,
        finished_at=None if state is Phase.RUNNING else moment(number // 4 + 30),
        installation=installation,
        created_at=at if installation else None,
        message="a message of usual length, as a status has one",
        conditions=[{"type": "Succeeded", "status": "True", "reason": "Completed", "message": "", "at": at}] * 6,
    )
    return RunEvent(f"uid-{number:05}", number, facts)


def batch(number: int) -> BatchEvent:
    facts = BatchRecord(f"batch-{number:03}", "Running", "lab", moment(number), total=100, succeeded=number % 100)
    return BatchEvent(f"b-{number}", 1, facts)


@pytest.fixture(params=["postgres", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseUrl:
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "registry.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return check_database_url(server.new_database())


@pytest.fixture
def registry(url: DatabaseUrl) -> Iterator[Registry]:
    found = Registry(url, wal=False)
    found.upgrade()
    yield found
    found.close()


def reader(url: DatabaseUrl, installation: str | None = "lab") -> RegistryReader:
    return RegistryReader(url, installation)


def every_page(found: RegistryReader, wanted: RunFilter, size: int) -> list[list[RunSummary]]:
    pages: list[list[RunSummary]] = []
    after: Cursor | None = None
    while True:
        page = found.runs(wanted, after, size)
        if not page:
            return pages
        pages.append(page)
        after = (page[-1].listed_at, page[-1].scope, page[-1].run_id)


def test_pages_hold_every_run_once_the_newest_first(registry: Registry, url: DatabaseUrl) -> None:
    registry.record([event(number) for number in range(50)])
    pages = every_page(reader(url), RunFilter(), 7)
    names = [run.run_id for page in pages for run in page]
    assert names == [f"run-{number:05}" for number in reversed(range(50))]
    assert [len(page) for page in pages] == [7] * 7 + [1]


def test_a_run_that_comes_while_somebody_reads_moves_no_page(registry: Registry, url: DatabaseUrl) -> None:
    registry.record([event(number) for number in range(20)])
    first = reader(url).runs(RunFilter(), None, 10)
    registry.record([event(number) for number in range(100, 110)])
    last = first[-1]
    second = reader(url).runs(RunFilter(), (last.listed_at, last.scope, last.run_id), 10)
    assert [run.run_id for run in second] == [f"run-{number:05}" for number in reversed(range(10))]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (RunFilter(state="Failed"), 67),
        (RunFilter(batch_id="batch-001"), 100),
        (RunFilter(text="UN-0001"), 10),
        (RunFilter(text="%"), 0),
        (RunFilter(text="_"), 0),
        (RunFilter(run_id="run-00007"), 1),
        (RunFilter(since=START + timedelta(seconds=49)), 4),
    ],
)
def test_filters_narrow(registry: Registry, url: DatabaseUrl, wanted: RunFilter, count: int) -> None:
    registry.record([event(number) for number in range(200)])
    assert len(reader(url).runs(wanted, None, 1000)) == count
    assert sum(reader(url).count_by_state(wanted).values()) == count


def test_another_installations_runs_are_not_seen(registry: Registry, url: DatabaseUrl) -> None:
    registry.record([event(1, "lab"), event(2, "other"), event(3, None)], [batch(1)])
    for installation, name in (("lab", "run-00001"), ("other", "run-00002"), (None, "run-00003")):
        found = reader(url, installation)
        assert [run.run_id for run in found.runs(RunFilter(), None, 10)] == [name]
        assert found.run("uid-00001", "run-00001") is None or installation == "lab"
        assert found.count_by_state(RunFilter()).keys()
    assert reader(url, "other").batches(None, 10) == []


def test_batches_come_in_pages_too(registry: Registry, url: DatabaseUrl) -> None:
    registry.record([], [batch(number) for number in range(5)])
    first = reader(url).batches(None, 3)
    assert [each.batch_id for each in first] == ["batch-004", "batch-003", "batch-002"]
    assert [each.batch_id for each in reader(url).batches("batch-002", 3)] == ["batch-001", "batch-000"]


def test_batches_of_the_local_supervisor_are_counted_from_their_runs(registry: Registry, url: DatabaseUrl) -> None:
    registry.record([event(number, None) for number in range(3)])
    [found] = reader(url, None).batches(None, 10)
    assert (found.batch_id, found.total, found.succeeded, found.failed, found.active) == ("batch-000", 3, 1, 1, 1)
    assert (found.state, found.finished_at) == ("Running", None)
    assert reader(url, None).batch("batch-000") == found
    assert reader(url, None).batch("none") is None


USED = {"requests": 3, "inputTokens": 4400, "outputTokens": 125, "costUSD": "0.007785", "source": "agent"}


def test_what_agents_used_is_read_again_and_added_up_where_nobody_wrote_a_sum(
    registry: Registry, url: DatabaseUrl
) -> None:
    told = [
        RunEvent(
            "u", number, RunRecord(f"r{number}", 1, Phase.RUNNING, moment(0), batch_id="b", usage=USED, summary="So.")
        )
        for number in range(2)
    ]
    registry.record([*told, RunEvent("u", 9, RunRecord("r9", 1, Phase.RUNNING, moment(0), batch_id="b"))])
    found = reader(url, None)
    one = found.run("u", "r0")
    assert one is not None
    assert (one.summary.usage, one.summary.summary) == (Usage(3, 4400, 125, None, None, 7785), "So.")
    [both] = found.batches(None, 10)
    assert both.usage == Usage(6, 8800, 250, None, None, 15570)


def test_a_batch_of_a_cluster_has_its_own_sum(registry: Registry, url: DatabaseUrl) -> None:
    facts = BatchRecord("b", "Running", "lab", moment(0), usage=USED | {"inputTokens": MOST})
    registry.record([], [BatchEvent("b-1", 1, facts)])
    [found] = reader(url).batches(None, 10)
    assert found.usage == Usage(3, MOST, 125, None, None, 7785)


def test_rows_outlive_the_way_back_and_forth_between_versions(registry: Registry, url: DatabaseUrl) -> None:
    registry.record([event(1)], [batch(1)])
    config = Config()
    config.set_main_option("script_location", "autopack.registry:migrations")
    config.set_main_option("path_separator", "os")
    engine = open_engine(url, wal=False)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        assert "micro_usd" not in {each["name"] for each in inspect(connection).get_columns("registry_runs")}
    engine.dispose()
    assert registry.upgrade()
    [found] = reader(url).runs(RunFilter(), None, 10)
    assert (found.run_id, found.usage) == ("run-00001", UNKNOWN)
    assert reader(url).batch("batch-001") is not None


def test_everything_about_a_run_is_in_order(registry: Registry, url: DatabaseUrl) -> None:
    steps = [
        RunEvent("u", number, RunRecord("r", 1, state, moment(number), installation="lab"))
        for number, state in enumerate((Phase.PENDING, Phase.RUNNING, Phase.SUCCEEDED))
    ]
    registry.record(reversed(steps))
    found = reader(url).run("u", "r")
    assert found is not None
    assert [step.state for step in found.steps] == ["Pending", "Running", "Succeeded"]
    assert found.summary.state == "Succeeded"
    assert found.summary.listed_at.tzinfo is not None


def test_the_version_differs_after_any_change(registry: Registry, url: DatabaseUrl) -> None:
    seen = [reader(url).version()]
    registry.record([event(1)])
    seen.append(reader(url).version())
    registry.record([], [batch(1)])
    seen.append(reader(url).version())
    assert len(set(seen)) == 3
    assert reader(url).version() == seen[-1]


def test_a_registry_that_is_not_there_yet_is_said(url: DatabaseUrl) -> None:
    with pytest.raises(DatabaseUnreachable, match="does not exist yet"):
        reader(url).runs(RunFilter(), None, 10)


async def test_a_page_of_ten_thousand_runs_is_quick(postgres: PostgresServer) -> None:
    """The figure is printed, not asserted: `pytest -s` shows it."""
    url = check_database_url(postgres.new_database())
    registry = Registry(url)
    registry.upgrade()
    for start in range(0, 10_000, 1000):
        registry.record([event(number) for number in range(start, start + 1000)], [batch(start // 100)])
    registry.close()
    app = make_app(Parts(Rows(RegistryReader(url, "lab")), MemoryFiles(), None, "lab"))
    took = []
    async with TestClient(TestServer(app)) as client:
        middle = cursor_after(RegistryReader(url, "lab").runs(RunFilter(), None, 5000)[-1])
        for path in ["/runs", "/runs?state=Failed", "/runs?q=099", f"/runs?after={middle}", "/batches"] * 40:
            began = time.perf_counter()
            response = await client.get(path)
            assert response.status == 200
            await response.read()
            took.append(time.perf_counter() - began)
    took.sort()
    print(
        f"\n10,000 runs: median {took[len(took) // 2] * 1000:.0f} ms, p95 {took[int(len(took) * 0.95)] * 1000:.0f} ms"
    )
