"""Run ids: what is refused, and that no two share a folder."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopack.errors import InvalidInput
from autopack.run_ids import check_run_id, check_run_ids, path_component

FIRST = string.ascii_letters + string.digits + "_"
PARTS = st.tuples(st.sampled_from(FIRST), st.text(FIRST + "-", max_size=8)).map("".join)
IDS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


@pytest.mark.parametrize("text", ["build130-phase-a", "a/b", "A_1.2", "7", "x" * 253])
def test_an_ordinary_id_is_accepted(text: str) -> None:
    assert check_run_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "../x",
        "/etc",
        "a/../../b",
        ".git/hooks/x",
        "a\0b",
        "a\nb",
        "a ",
        "$(id)",
        "user\u202egnp",
        "ünïcode",
        "-x",
        "a//b",
        "a/",
        "a..b",
        "a.",
        "x.lock",
        "a\\b",
        "~root",
        "workspaces",
        "Workspaces",
        "x" * 254,
    ],
)
def test_a_bad_id_is_refused_naming_the_field(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_run_id(text)
    assert caught.value.field == "run_id"
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("texts", [["a", "a"], ["Run", "run"]])
def test_ids_that_cannot_be_told_apart_are_refused(texts: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_run_ids(texts)
    assert caught.value.field == "run_ids"


def test_a_slash_and_a_dash_are_kept_apart() -> None:
    assert path_component("a/b") != path_component("a-b")


def test_long_ids_with_one_beginning_are_kept_apart() -> None:
    first, second = path_component("x" * 252 + "a"), path_component("x" * 252 + "b")
    assert first != second
    assert len(first) == 183


@given(IDS, IDS)
def test_path_component_is_injective(first: str, second: str) -> None:
    if "workspaces" in (first.lower(), second.lower()) or "projects" in (first.lower(), second.lower()):
        return
    assert (path_component(first) == path_component(second)) == (first == second)
