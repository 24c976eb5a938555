"""Whatever stands in an anchor, an id or a ref: it is taken as it is, or refused with a reason, and nothing else."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from autopack.errors import AutopackError, InvalidInput
from autopack.git.refs import check_branch, check_ref
from autopack.git.urls import check_repo_url
from autopack.intention_anchor.v2 import AnchorError, parse_anchor
from autopack.run_ids import check_run_id, path_component

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.text(max_size=60) | st.text("-./@~^:{}ab \n\0\u202e", max_size=20)
PORTABLE = string.ascii_letters + string.digits + "._-" + "+"
"""In file names `+` stands for the `/` of an id."""
FIELDS = ("allowed", "isolation_model", "max_concurrent_runs", "more")


def anchor(**policy: Any) -> dict[str, Any]:
    return {
        "format_version": "v2",
        "project_id": "demo",
        "created_at": "2026-01-06T00:00:00Z",
        "raw_input_digest": "0123456789abcdef",
        "pivot_intentions": {"parallelism_isolation": {"allowed": True, "isolation_model": "four_layer"} | policy},
    }


def outcome(check: Callable[[Any], Any], given_: object) -> Any:
    """What the check gives, or its refusal; any other error fails the test."""
    try:
        return check(given_)
    except AutopackError as refused:
        return refused


def is_taken_or_refused(raw: bytes | str) -> None:
    found = outcome(parse_anchor, raw)
    if isinstance(found, AnchorError):
        assert found.reason.startswith("Anchor")
        assert str(found).isprintable()
    else:
        assert parse_anchor(json.dumps(found.to_json_dict())) == found


@settings(max_examples=40)
@given(raw=st.binary(max_size=200) | TEXTS | VALUES.map(json.dumps))
def test_what_is_no_anchor_is_refused(raw: bytes | str) -> None:
    is_taken_or_refused(raw)


@settings(max_examples=40)
@given(policy=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3))
def test_an_anchor_with_any_policy_is_taken_or_refused(policy: dict[str, Any]) -> None:
    is_taken_or_refused(json.dumps(anchor(**policy)))


@settings(max_examples=40)
@given(place=st.sampled_from(sorted(anchor())), value=VALUES)
def test_an_anchor_with_any_field_is_taken_or_refused(place: str, value: object) -> None:
    is_taken_or_refused(json.dumps(anchor() | {place: value}))


@settings(max_examples=40)
@given(start=st.integers(0, 250), cut=st.integers(0, 250))
def test_a_damaged_anchor_is_taken_or_refused(start: int, cut: int) -> None:
    whole = json.dumps(anchor())
    is_taken_or_refused(whole[:start] + whole[start + cut :])


@settings(max_examples=60)
@given(text=TEXTS)
@example(text="0/0")
def test_an_id_leads_nowhere_else(text: str) -> None:
    found = outcome(lambda given_: path_component(check_run_id(given_)), text)
    if isinstance(found, InvalidInput):
        assert found.field == "run_id"
        assert str(found).isprintable()
    else:
        assert not found.startswith(("-", "."))
        assert set(found) <= set(PORTABLE)


@settings(max_examples=60)
@given(text=TEXTS, check=st.sampled_from([check_ref, check_branch, check_repo_url]))
def test_no_ref_branch_or_address_is_an_option_of_git(text: str, check: Callable[[str], str]) -> None:
    found = outcome(check, text)
    assert str(found).isprintable()
    if not isinstance(found, InvalidInput):
        assert not found.startswith("-")
