"""The runs that a matrix stands for: their order, their ids, their variables."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.autopack_operator.builders import BatchBuilder

from autopack_operator.domain.api.batch import RunBatchSpec, child_spec
from autopack_operator.domain.api.common import DNS_LABEL
from autopack_operator.domain.batch.matrix import items_of


def spec(env: tuple[str, ...] = (), **axes: list[str]) -> RunBatchSpec:
    matrix = [{"name": name, "values": values} for name, values in axes.items()]
    template = {"source": {"repository": "sample"}, "command": ["agent"], "env": [{"name": name} for name in env]}
    return RunBatchSpec.model_validate({"template": template, "matrix": matrix})


def ids(**axes: list[str]) -> list[str]:
    return [item.id for item in items_of(spec((), **axes))]


def test_the_last_axis_changes_fastest_and_the_ids_are_made_of_the_values() -> None:
    assert ids(MODEL=["small", "big"], TASK=["parse", "lex"]) == ["small-parse", "small-lex", "big-parse", "big-lex"]


def test_the_values_are_in_the_runs_environment_and_win_over_the_templates() -> None:
    batch = spec(("MODEL", "OTHER"), MODEL=["Small v2"])
    run = child_spec(batch, items_of(batch)[0])
    assert {var.name: var.value for var in run.env} == {"MODEL": "Small v2", "OTHER": ""}


def test_a_list_is_taken_as_it_is() -> None:
    batch = RunBatchSpec.model_validate(BatchBuilder(ids=("b", "a")).view().spec)
    assert [item.id for item in items_of(batch)] == ["b", "a"]


def test_what_is_no_part_of_a_dns_label_becomes_a_dash() -> None:
    assert ids(REF=["Feature/X_1.2 "]) == ["feature-x-1-2"]


def test_values_that_would_give_one_id_are_kept_apart_and_others_stay_readable() -> None:
    one, two, three = ids(PATH=["a/b", "a-b", "c"])
    assert re.fullmatch("a-b-[0-9a-f]{10}", one)
    assert re.fullmatch("a-b-[0-9a-f]{10}", two)
    assert (one != two, three) == (True, "c")


def test_values_that_meet_only_when_joined_are_kept_apart() -> None:
    assert len(set(ids(A=["x", "x-y"], B=["y-z", "z"]))) == 4


def test_ids_that_are_too_long_are_cut_and_kept_apart() -> None:
    one, two = ids(TEXT=["x" * 80, "x" * 81])
    assert one != two
    assert {len(one), len(two)} == {63}


def test_an_id_of_63_characters_is_left_as_it_is() -> None:
    assert ids(TEXT=["x" * 63, "y"])[0] == "x" * 63


def test_an_id_that_is_cut_at_a_dash_has_one_dash_before_its_digest() -> None:
    cut = ids(TEXT=["x" * 51 + "-" + "y" * 20])[0]
    assert re.fullmatch("x{51}-[0-9a-f]{10}", cut)


@pytest.mark.parametrize("value", ["", "***", "\u00e9\u00e9"])
def test_a_value_without_any_letter_gives_an_id_all_the_same(value: str) -> None:
    assert re.fullmatch("run-[0-9a-f]{10}", ids(A=[value])[0])


def test_a_value_that_spells_out_the_digest_of_another_is_kept_apart() -> None:
    one, _ = ids(A=["a/b", "a-b"])
    assert len(set(ids(A=["a/b", "a-b", one]))) == 3


@settings(max_examples=60)
@given(st.lists(st.lists(st.text(max_size=40), min_size=1, max_size=4, unique=True), min_size=1, max_size=3))
def test_whatever_the_values_are_ids_are_distinct_labels(values: list[list[str]]) -> None:
    found = ids(**{f"AXIS{number}": axis for number, axis in enumerate(values)})
    assert len(set(found)) == math.prod(len(axis) for axis in values)
    assert all(len(identity) <= 63 and re.fullmatch(DNS_LABEL, identity) for identity in found)


def test_five_thousand_combinations_are_possible() -> None:
    assert len(ids(A=[str(n) for n in range(50)], B=[str(n) for n in range(100)])) == 5000


def test_more_combinations_are_refused_naming_the_field() -> None:
    with pytest.raises(ValidationError, match=r"spec\.matrix has 5100 combinations; 5000 are the most"):
        spec(A=[str(n) for n in range(51)], B=[str(n) for n in range(100)])


def test_an_axis_more_than_a_run_may_have_variables_is_refused_naming_the_field() -> None:
    with pytest.raises(ValidationError, match=r"the axes of spec\.matrix and the template have more than 100"):
        spec(tuple(f"V{n}" for n in range(100)), A=["x"])
