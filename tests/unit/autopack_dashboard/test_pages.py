"""Every page shows what it should, and nothing that a run wrote comes alive on it."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import quote

import pytest
from tests.unit.autopack_dashboard.pages import Elements, Pages
from tests.unit.autopack_dashboard.scene import HOSTILE, MemoryFiles
from yarl import URL

from autopack_dashboard.access.doorman import POLICY
from autopack_dashboard.ports import NotThereError

RUN = "/runs/uid-parser/parser"
HOSTILE_RUN = f"/runs/{quote(f'uid-{HOSTILE}', safe='')}/{quote(HOSTILE, safe='')}"
EVERY_PAGE = [
    "/batches",
    "/batches/nightly",
    "/batches/nightly/forecast",
    "/runs",
    RUN,
    f"{RUN}/log",
    f"{RUN}/diff",
    f"{RUN}/transcript",
    HOSTILE_RUN,
    "/runs/uid-docs/docs",
]


async def test_batches_lead_to_runs_logs_and_diffs(pages: Pages) -> None:
    trail = ["/batches/nightly", RUN, f"{RUN}/log", "/batches/nightly"]
    place = "/batches"
    for following in trail:
        assert following in [link.partition("?")[0] for link in (await pages.read(place)).links()]
        place = following


async def test_a_run_whose_work_is_not_all_saved_says_so_first(pages: Pages) -> None:
    text = (await pages.read("/runs/uid-docs/docs")).text
    assert "Not all of its work is saved: big <script>" in text
    assert "NotAllSaved" in (await pages.read("/runs")).text
    assert "Not all" not in (await pages.read(RUN)).text


async def test_a_run_of_an_agent_says_which_and_how_its_prompt_begins(pages: Pages) -> None:
    text = (await pages.read("/runs/uid-bench/bench")).text
    assert all(words in text for words in ("Agentcodex", "Modellab/large", "PromptFix <script>"))
    assert "Agent" not in (await pages.read(RUN)).text


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_nothing_on_a_page_is_alive(pages: Pages, path: str) -> None:
    page = await pages.read(path)
    assert [attrs.get("src") for tag, attrs in page.tags if tag == "script"] == ["/static/app.js"]
    assert not [tag for tag, _ in page.tags if tag in {"img", "iframe", "object", "style"}]
    names = {name for _, attrs in page.tags for name in attrs}
    assert not {name for name in names if name.startswith("on") or name == "style"}
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text


@pytest.mark.parametrize(
    "path", [*EVERY_PAGE, "/nowhere", "/runs.csv", f"{RUN}/artifact?path=ci/report.json", "/static/app.css"]
)
async def test_every_answer_is_inert_and_for_this_site_alone(pages: Pages, path: str) -> None:
    headers = (await pages.get(path)).headers
    expected = "default-src 'none'; sandbox" if "/artifact?" in path else POLICY
    assert headers["Content-Security-Policy"] == expected
    assert "unsafe" not in expected
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_nothing_comes_from_elsewhere(pages: Pages, path: str) -> None:
    page = await pages.read(path)
    addresses = [attrs[name] or "" for _, attrs in page.tags for name in ("href", "src", "action") if name in attrs]
    assert [address for address in addresses if not address.startswith(("/", "#"))] == []


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_every_page_has_its_landmarks_and_its_tables_have_headings(pages: Pages, path: str) -> None:
    page = await pages.read(path)
    tags = [tag for tag, _ in page.tags]
    assert (tags.count("main"), tags.count("header"), tags.count("h1")) == (1, 1, 1)
    assert "#main" in page.links()
    assert tags.count("table") == tags.count("caption")
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


async def test_the_log_is_shown_without_its_escapes(pages: Pages) -> None:
    page = await pages.read(f"{RUN}/log")
    assert HOSTILE in page.text
    assert "red  \\u202ebidi" in page.text
    assert "progress 100%" in page.text
    assert "progress 10%" not in page.text


async def test_a_run_shows_conditions_attempts_leases_artifacts_and_tests(pages: Pages) -> None:
    text = (await pages.read(RUN)).text
    for piece in (
        "AnchorApproved",
        "attempt 1",
        "Released",
        "ci/report.json",
        "tests/test_a.py::test_new",
        "11/12 passed",
    ):
        assert piece in text


async def test_what_agents_used_and_said_is_on_the_pages_of_run_and_batch(pages: Pages) -> None:
    run, batch = (await pages.read(RUN)).text, (await pages.read("/batches/nightly")).text
    for piece in ("4,525", "$0.007785", "The file is committed. <script>"):
        assert piece in run
        assert piece in batch
    assert "$12.50" in batch
    other = await pages.read("/runs/uid-lexer/lexer")
    assert "Tokens" not in other.text
    assert not [link for link in other.links() if link.endswith("/transcript")]


async def test_a_transcript_is_a_list_with_its_tools_folded(pages: Pages) -> None:
    page = await pages.read(f"{RUN}/transcript")
    assert [tag for tag, _ in page.tags].count("details") == 2
    for piece in ("I look.", f"{HOSTILE}: ls", "bash: README.md", "failed", "4,525 tokens, $0.007785"):
        assert piece in page.text


async def test_a_transcript_that_is_not_there_is_said(pages: Pages, files: MemoryFiles) -> None:
    del files.contents["transcript.jsonl"]
    assert "there is no file" in (await pages.read(f"{RUN}/transcript")).text


async def test_a_diff_shows_what_came_and_went(pages: Pages) -> None:
    page = await pages.read(f"{RUN}/diff")
    kinds = [attrs["class"] for tag, attrs in page.tags if tag == "tr"]
    assert kinds.count("add") == 3
    assert kinds.count("del") == 1
    assert '    question = "<script>alert(3)</script>"' in page.text


async def test_the_forecast_says_who_clashes_and_over_what(pages: Pages) -> None:
    page = await pages.read("/batches/nightly/forecast")
    assert len([1 for tag, attrs in page.tags if tag == "td" and attrs.get("class") == "bad"]) == 1
    assert "clashes in src/app.py" in page.text
    assert "Left out: types, over src/app.py" in " ".join(page.text.split())


async def test_the_timeline_links_every_run(pages: Pages) -> None:
    text = await (await pages.get("/batches/nightly")).text()
    picture = re.search(r'<svg class="timeline".*?</svg>\n</div>', text, re.DOTALL)
    assert picture is not None
    assert len([link for link in Elements(picture[0]).links() if link.startswith("/runs/")]) == 7


async def test_an_artifact_is_downloaded_and_never_shown(pages: Pages, files: MemoryFiles) -> None:
    path = next(path for path in files.contents if path.endswith(".html"))
    response = await pages.get(f"{RUN}/artifact?path={quote(path)}")
    assert await response.read() == files.contents[path]
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%3Cscript")
    assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_files_that_are_away_leave_the_rest_of_the_page(pages: Pages, files: MemoryFiles) -> None:
    files.problem = NotThereError("VolumeUnavailable", "the volume service does not answer")
    page = await pages.read(RUN)
    assert "the volume service does not answer" in page.text
    assert "AnchorApproved" in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/runs/none/none", 404),
        ("/batches/none", 404),
        ("/nowhere", 404),
        ("/runs?state=Wonderful", 400),
        ("/runs?after=nonsense", 400),
        (f"/runs?q={'x' * 300}", 400),
        (f"{RUN}?attempt=7", 400),
        (f"{RUN}?attempt=-1", 400),
        (f"{RUN}/log?stream=passwd", 400),
        (f"{RUN}/artifact?path=../../etc/passwd", 404),
        (f"{RUN}/artifact", 400),
        ("/runs/a%00b/c", 404),
    ],
)
async def test_a_bad_address_is_answered_with_a_page(pages: Pages, path: str, status: int) -> None:
    response = await pages.get(path)
    assert response.status == status
    assert "Traceback" not in await response.text()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=ER", ["emitter", "optimizer", "lexer", "parser"]),
        ("run=lexer", ["lexer"]),
        ("state=Failed", ["bench", "optimizer"]),
        ("batch=nightly&state=Running", ["emitter"]),
        ("q=%25", []),
    ],
)
async def test_runs_are_filtered(pages: Pages, query: str, names: list[str]) -> None:
    rows = csv.reader(io.StringIO(await (await pages.get(f"/runs.csv?{query}")).text()))
    found = [row[0] for row in rows][1:]
    if query == "q=ER":
        found = [name for name in found if "<" not in name]
    assert found == names


async def test_no_cell_of_the_csv_is_a_formula(pages: Pages) -> None:
    rows = list(csv.reader(io.StringIO(await (await pages.get("/runs.csv")).text())))
    assert "'=cmd|'/c calc'!A1" in [row[0] for row in rows]
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))] == []


async def test_another_site_whose_name_points_here_reads_nothing(pages: Pages) -> None:
    assert (await pages.get("/runs", Host="evil.example")).status == 403
    assert (await pages.get("/runs", Host="localhost:8765")).status == 200


async def test_there_is_no_way_to_write(pages: Pages) -> None:
    for path in ("/runs", RUN, "/batches/nightly", f"{RUN}/artifact", "/login", "/logout"):
        assert (await pages.client.post(path)).status in {404, 405}


async def test_a_file_whose_name_is_not_utf8_or_turns_the_line_around_is_listed_and_downloaded(
    pages: Pages, files: MemoryFiles
) -> None:
    name = b"odd-\xff-\xe2\x80\xae.bin".decode("utf-8", "surrogateescape")
    files.contents[name] = b"odd"
    page = await pages.read(RUN)
    assert "odd-\\udcff-\\u202e.bin" in page.text
    [link] = [link for link in page.links() if "odd-" in link]
    response = await pages.client.get(URL(link, encoded=True))
    assert await response.read() == b"odd"
    assert "odd-%FF-%E2%80%AE.bin" in response.headers["Content-Disposition"]
