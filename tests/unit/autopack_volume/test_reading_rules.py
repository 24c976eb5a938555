"""What readers may ask for: paths, ranges, query strings, and where the door without a token may be."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from autopack.errors import AutopackError, InvalidInput
from autopack.inside import Found, browse, check_path, open_file
from autopack_volume.service.answers import Json
from autopack_volume.service.jobs import Jobs
from autopack_volume.service.reading.forecasts import Forecasts
from autopack_volume.service.reading.queries import Query
from autopack_volume.service.reading.ranges import byte_range, window
from autopack_volume.service.reading.sending import headers_of
from autopack_volume.service.settings import Settings

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../../b", "a//b", "./a", "a/", "a\0b", "/".join("a" * 65)]
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_path(path)
    assert raised.value.field == "path"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An artifacts' folder with a secret beside it."""
    (tmp_path / "secret").write_text("secret")
    path = tmp_path / "artifacts"
    (path / "ci").mkdir(parents=True)
    (path / "ci" / "report.json").write_text("{}")
    (path / "repo.git").mkdir()
    (path / "repo.git" / "config").write_text("[core]")
    return path


def reason_of(folder: Path, path: str) -> str:
    with pytest.raises(AutopackError) as raised:
        open_file(folder, path.split("/"), path)
    return raised.value.reason


def test_no_symlink_is_followed_to_a_file(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    assert reason_of(folder, "link") == "ArtifactNotFound"


def test_no_symlink_is_followed_on_the_way(folder: Path) -> None:
    (folder / "up").symlink_to(folder.parent)
    assert reason_of(folder, "up/secret") == "ArtifactNotFound"


@pytest.mark.parametrize("path", ["ci", "nothing", "ci/report.json/x", "x" * 300])
def test_what_is_no_file_is_not_there(folder: Path, path: str) -> None:
    assert reason_of(folder, path) == "ArtifactNotFound"


def test_a_pipe_is_no_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert reason_of(folder, "pipe") == "ArtifactNotFound"


def test_the_list_shows_links_and_leaves_out_what_it_shall(folder: Path) -> None:
    (folder / "link").symlink_to("../secret")
    assert browse(folder, 10, {"repo.git"}) == ([Found("ci/report.json", 2), Found("link", None, "../secret")], False)


def test_a_long_list_is_cut_and_says_so(folder: Path) -> None:
    for number in range(5):
        (folder / f"f{number}").touch()
    listed, truncated = browse(folder, 3)
    assert (len(listed), truncated) == (3, True)


def test_a_folder_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert browse(tmp_path / "none", 3) == ([], False)


def test_a_folder_of_many_files_is_not_held_in_memory(tmp_path: Path) -> None:
    for number in range(4000):
        (tmp_path / f"{number:0200}").touch()
    tracemalloc.start()
    try:
        listed, truncated = browse(tmp_path, 10)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ([int(one.path) for one in listed], truncated) == (list(range(10)), True)
    assert peak < 100_000, "all names together take ten times that"
    assert reason_of(tmp_path / "none", "ci/report.json") == "ArtifactNotFound"


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-3", (0, 4)),
        ("bytes=4-", (4, 6)),
        ("bytes=-3", (7, 3)),
        ("bytes=-100", (0, 10)),
        ("bytes=8-100", (8, 2)),
        ("bytes=3-1", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=٣-", None),
    ],
)
def test_ranges(header: str | None, part: tuple[int, int] | None) -> None:
    assert byte_range(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_a_range_outside_of_the_file(header: str) -> None:
    with pytest.raises(AutopackError, match="10 bytes"):
        byte_range(header, 10)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ({"tail": None, "offset": None}, (0, 4)),
        ({"tail": 2, "offset": None}, (8, 2)),
        ({"tail": 99, "offset": None}, (6, 4)),
        ({"tail": None, "offset": 7}, (7, 3)),
        ({"tail": None, "offset": 99}, (10, 0)),
    ],
)
def test_parts_of_a_log_of_ten_bytes_with_a_limit_of_four(asked: dict[str, int | None], part: tuple[int, int]) -> None:
    assert window(10, tail=asked["tail"], offset=asked["offset"], limit=4) == part


@pytest.mark.parametrize("raw", ["x=1", "path=a&path=b", "&".join("path=a" for _ in range(301))])
def test_a_query_that_says_something_else_is_refused(raw: str) -> None:
    with pytest.raises(InvalidInput):
        Query(raw, "path")


def test_names_that_are_not_utf_8_survive_a_query() -> None:
    assert Query("path=a%FFb", "path").needed("path") == "a\udcffb"


@pytest.mark.parametrize("value", ["", "-1", "1.5", "x", "9" * 16, "٣"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Query(f"tail={value}", "tail").number("tail", 10)
    assert raised.value.field == "tail"


def test_a_number_is_bounded() -> None:
    assert Query("tail=999", "tail").number("tail", 10) == 10


@pytest.mark.parametrize("raw", ["", "attempt=x", f"attempt={UID}", f"attempt={UID}/0", f"attempt={UID}/1/2"])
def test_attempts_that_are_none_are_refused(raw: str) -> None:
    with pytest.raises(InvalidInput):
        Query(raw, "attempt", many=frozenset({"attempt"})).attempts(3)


def test_an_attempt_is_named_once() -> None:
    query = Query(f"attempt={UID}/1&attempt={UID}/2&attempt={UID}/1", "attempt", many=frozenset({"attempt"}))
    assert query.attempts(3) == [(UID, 1), (UID, 2)]


def test_a_hostile_name_is_inert_in_the_headers() -> None:
    headers = headers_of('a"\r\nSet-Cookie: x=1\x1b[31m<b>.html')
    disposition = headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''a%22%0D%0ASet-Cookie%3A%20x%3D1%1B")
    assert disposition.isprintable()
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("listen", ["0.0.0.0:8082", "10.0.0.1:8082", "localhost:8082", ":8082", "[::]:8082"])
def test_the_door_without_a_token_is_only_on_loopback(tmp_path: Path, listen: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Settings.from_environment({"AUTONOMOUS_RUNS_DIR": str(tmp_path), "AUTOPACK_READ_LISTEN": listen})
    assert raised.value.field == "AUTOPACK_READ_LISTEN"


def test_readers_are_named_in_the_environment(tmp_path: Path) -> None:
    env = {"AUTONOMOUS_RUNS_DIR": str(tmp_path), "AUTOPACK_ALLOWED_READERS": "system:serviceaccount:a:b, ,c"}
    assert Settings.from_environment(env).allowed_readers == {"system:serviceaccount:a:b", "c"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_forecast_is_kept_for_a_minute() -> None:
    clock, asked = Clock(), 0
    forecasts = Forecasts(Jobs(5), clock)

    async def work() -> Json:
        nonlocal asked
        asked += 1
        return {"asked": asked}

    answers = [await forecasts.answer("question", work) for _ in range(2)]
    clock.now = 61
    answers.append(await forecasts.answer("question", work))
    assert [answer.body["asked"] for answer in answers] == [1, 1, 2]


async def test_a_forecast_that_failed_is_tried_again() -> None:
    forecasts = Forecasts(Jobs(5), Clock())

    async def fails() -> Json:
        raise AutopackError("RefNotFound", "no such ref")

    async def works() -> Json:
        return {}

    assert (await forecasts.answer("question", fails)).status == 422
    assert (await forecasts.answer("question", works)).status == 200
