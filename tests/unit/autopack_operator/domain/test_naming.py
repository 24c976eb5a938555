"""Derived names: the same input always gives the same name, and two runs never one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopack_operator.domain import naming

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
LABELS = st.sampled_from("a0") | st.text("ab0-", max_size=20).map(lambda text: f"x{text}9")
NAMES = st.lists(LABELS, min_size=1, max_size=11).map(".".join)
LONG_NAMES = st.text("ab-", min_size=200, max_size=251).map(lambda text: f"x{text}y")


def test_a_short_name_stays_itself() -> None:
    assert naming.shortened("build130", 63) == "build130"


def test_a_name_of_exactly_the_limit_stays_itself() -> None:
    assert naming.shortened("a" * 63, 63) == "a" * 63


@given(st.lists(NAMES | LONG_NAMES, unique=True, max_size=8), st.integers(20, 200))
def test_shortening_keeps_different_names_apart(names: list[str], limit: int) -> None:
    assert len({naming.shortened(name, limit) for name in names}) == len(names)


@given(NAMES | LONG_NAMES, st.integers(20, 253))
def test_a_shortened_name_fits_and_is_still_a_name(name: str, limit: int) -> None:
    short = naming.shortened(name, limit)
    assert len(short) <= limit
    assert SUBDOMAIN.fullmatch(short)


def test_names_that_differ_only_behind_the_cut_are_kept_apart() -> None:
    assert naming.shortened("a" * 62 + "bc", 63) != naming.shortened("a" * 62 + "bd", 63)


@pytest.mark.parametrize(("run", "attempt", "name"), [("one", 1, "one-a1"), ("a.b", 12, "a.b-a12")])
def test_a_pod_is_named_by_run_and_attempt(run: str, attempt: int, name: str) -> None:
    assert naming.pod_name(run, attempt) == name


@given(NAMES | LONG_NAMES, st.integers(1, 10_000))
def test_a_pods_log_folder_fits_into_a_file_name(run: str, attempt: int) -> None:
    folder = f"{'n' * 63}_{naming.pod_name(run, attempt)}_{'u' * 36}"
    assert len(folder) <= 255


@given(NAMES | LONG_NAMES)
def test_a_label_value_keeps_the_limits_of_labels(run: str) -> None:
    value = naming.label_value(run)
    assert len(value) <= 63
    assert LABEL_VALUE.fullmatch(value)


def test_the_holder_of_a_lease_is_the_attempt() -> None:
    assert naming.lease_holder("uid", 3) == "uid.a3"
