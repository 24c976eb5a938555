"""The pure parts: texts, patches, timelines, leases, test deltas."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tests.unit.autopack_dashboard.scene import BASELINE, NOW, PATCH

from autopack.inside import Found
from autopack.merge_forecast import Conflict, MergeForecast
from autopack.registry.reader import RunSummary, Step
from autopack_dashboard import baselines, leases, patches, texts
from autopack_dashboard.pages.batches import matrix
from autopack_dashboard.timeline import LEFT, WIDTH, layout


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[1;31mred\x1b[0m", ["red"]),
        (b"\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", ["link"]),
        (b"\x9b31m\xc2\x9b31mx", ["\ufffd31mx"]),
        (b"10%\r50%\r100%\r\n", ["100%"]),
        (b"a\tb\x00\x07", ["a   b\\x00\\x07"]),
        (b"\xff\xfe", ["\ufffd\ufffd"]),
        ("\u202etxt".encode(), ["\\u202etxt"]),
        (b"one\n\ntwo\n", ["one", "", "two"]),
        (b"", []),
        (b"\x1b" * 5, ["\\x1b" * 5]),
    ],
)
def test_what_programs_printed_is_made_inert(raw: bytes, shown: list[str]) -> None:
    assert texts.lines_of(raw) == shown


def test_a_line_without_its_beginning_is_left_out_and_a_long_one_cut() -> None:
    assert texts.lines_of(b"alf\nwhole\n", cut_first=True) == ["whole"]
    assert len(texts.line("x" * 10_000)) == texts.LONGEST_LINE


def test_a_patch_becomes_numbered_rows() -> None:
    files, cut = patches.parse(PATCH)
    assert [(file.name, file.added, file.removed, file.notes) for file in files] == [
        ("src/app.py", 2, 1, []),
        ("new.txt", 1, 0, ["new file mode 100644"]),
    ]
    assert [(row.kind, row.old, row.new) for row in files[0].rows[1:]] == [
        ("same", 1, 1),
        ("del", 2, None),
        ("add", None, 2),
        ("add", None, 3),
        ("same", 3, 4),
    ]
    assert not cut


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"diff --git a/x y b/x y\n", "x y"),
        (b"diff --git a/old b/new\nrename from old\nrename to new\n", "a/old b/new"),
        (b"diff --git a/e\x1b[31m b/e\x1b[31m\n", "e"),
        (b"diff --git a/gone b/gone\n--- a/gone\n+++ /dev/null\n", "gone"),
        (b"diff --git a/p.bin b/p.bin\nBinary files differ\n", "p.bin"),
    ],
)
def test_names_of_files_in_a_patch_are_inert(text: bytes, name: str) -> None:
    assert [file.name for file in patches.parse(text)[0]] == [name]


def test_a_line_of_content_that_looks_like_a_header_stays_content() -> None:
    files, _ = patches.parse(b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n--- a/y\n+++ b/y\n+more\n")
    assert [(row.kind, row.text) for row in files[0].rows[1:]] == [
        ("del", "-- a/y"),
        ("add", "++ b/y"),
        ("add", "more"),
    ]


def test_a_patch_without_end_is_cut() -> None:
    assert patches.parse(b"diff --git a/x b/x\n@@ -0,0 +1 @@\n" + b"+y\n" * 10_000)[1]


def test_what_is_no_patch_has_no_files() -> None:
    assert patches.parse(b"hello\n") == ([], False)


def run(name: str, start: float | None, took: float | None) -> RunSummary:
    started = None if start is None else NOW + timedelta(seconds=start)
    ended = None if took is None or started is None else started + timedelta(seconds=took)
    return RunSummary(name, name, 1, "Running", None, None, NOW, started, ended, None)


def test_a_run_takes_the_first_lane_that_is_free() -> None:
    found = layout([run("a", 0, 10), run("b", 1, 20), run("c", 10, 5), run("d", 12, 1), run("e", 40, 1)], NOW)
    assert found is not None
    assert {bar.run.run_id: bar.lane for bar in found.bars} == {"a": 0, "b": 1, "c": 0, "d": 2, "e": 0}
    assert found.lanes == 3


def test_bars_stay_within_the_picture_and_a_run_under_way_reaches_until_now() -> None:
    found = layout([run("long", 0, None), run("short", 99, 0)], NOW + timedelta(seconds=100))
    assert found is not None
    assert all(bar.x >= LEFT and bar.x + bar.width <= WIDTH for bar in found.bars)
    assert found.bars[0].label == "1m40s"
    assert found.ticks
    assert all(LEFT <= tick.x <= WIDTH for tick in found.ticks)


@pytest.mark.parametrize("seconds", [0, 1, 59, 3600, 86_400 * 40, 86_400 * 4000])
def test_an_axis_has_a_few_ticks_whatever_the_time(seconds: float) -> None:
    found = layout([run("a", 0, seconds)], NOW)
    assert found is not None
    assert len(found.ticks) <= 6


def test_a_clock_that_went_back_gives_no_negative_bar() -> None:
    found = layout([run("a", 10, -5)], NOW)
    assert found is not None
    assert found.bars[0].width > 0


def test_without_a_start_there_is_no_timeline() -> None:
    assert layout([run("a", None, None)], NOW) is None


def step(attempt: int, held: str | None, at: str, reason: str = "") -> Step:
    lease = [] if held is None else [{"type": "LeaseHeld", "status": held, "at": at, "reason": reason}]
    return Step(attempt, "Running", NOW, None, None, None, None, None, None, None, None, None, lease)


def test_leases_are_told_by_who_held_them_and_until_when() -> None:
    steps = [
        step(0, None, ""),
        step(1, "True", "t1"),
        step(1, "True", "t1"),
        step(1, "False", "t2", "Released"),
        step(2, "True", "t3"),
    ]
    assert leases.holds(steps) == [leases.Hold(1, "t1", "t2", "Released"), leases.Hold(2, "t3")]


def test_a_lease_that_passes_to_the_next_attempt_has_two_holders() -> None:
    found = leases.holds([step(1, "True", "t1"), step(2, "True", "t1"), step(2, "False", "t9", "Released")])
    assert [(hold.attempt, hold.until, hold.how) for hold in found] == [
        (1, "t1", "passed to the next attempt"),
        (2, "t9", "Released"),
    ]


def test_attempts_are_their_last_steps() -> None:
    steps = [step(0, None, ""), step(1, "True", "a"), step(1, "False", "b"), step(2, "True", "c")]
    assert [each.conditions[0]["at"] for each in leases.attempts(steps)] == ["b", "c"]


def report(**outcomes: str) -> bytes:
    return json.dumps({"tests": [{"nodeid": name, "outcome": outcome} for name, outcome in outcomes.items()]}).encode()


def test_tests_are_told_apart_by_what_became_of_them() -> None:
    baseline = BASELINE.to_json().replace("t::old", "old").encode()
    found = baselines.delta(baseline, report(old="passed", new="failed", shaky="failed"), report(shaky="passed"))
    assert found is not None
    assert (found.newly_failing, found.newly_passing, found.flaky, found.after) == (["new"], ["old"], ["shaky"], 3)


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b"\xff", b'{"total_tests": "many"}', BASELINE.to_json().replace("12", '"<b>"').encode()]
)
def test_what_is_no_baseline_gives_no_delta(text: bytes) -> None:
    assert baselines.delta(text, None, None) is None


@pytest.mark.parametrize("text", [None, b"", b"[]", b'{"tests": [1]}', b"[" * 100_000])
def test_what_is_no_report_leaves_the_baseline_alone(text: bytes | None) -> None:
    found = baselines.delta(BASELINE.to_json().encode(), text, None)
    assert found is not None
    assert found.after is None


def test_the_reports_are_found_among_the_artifacts() -> None:
    names = ["baselines/aa.json", "ci/baseline.json", "ci/final.json", "ci/retry.json", "ci/notes.txt", "logs/x.json"]
    found = baselines.sources([Found(name, 1) for name in names] + [Found("ci/z.json", None, "elsewhere")])
    assert found == baselines.Sources("baselines/aa.json", "ci/final.json", "ci/retry.json")


def test_a_matrix_has_the_base_and_every_run_before() -> None:
    clashes = (Conflict("main", "b", ("x",)), Conflict("a", "c", ("y",)))
    rows = matrix(MergeForecast("main", (), (), clashes, ()), ["a", "b", "c"])
    assert [(name, [clash is not None for clash in cells]) for name, cells in rows] == [
        ("a", [False]),
        ("b", [True, False]),
        ("c", [False, True, False]),
    ]
