"""What each run of a batch is asked, and by which agent."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from autopack_operator.domain.api.batch import RunBatchSpec, child_spec
from autopack_operator.domain.batch.matrix import items_of

JsonDict = dict[str, Any]
SOURCE = {"repository": "sample"}
AGENT: JsonDict = {"source": SOURCE, "agent": {"name": "one", "model": "m"}, "prompt": "Fix {FILE}."}
COMMAND: JsonDict = {"source": SOURCE, "command": ["x"], "args": ["-v"]}


def batch(template: JsonDict, **fields: object) -> RunBatchSpec:
    return RunBatchSpec.model_validate({"template": template, **fields})


def runs(template: JsonDict, **fields: object) -> list[JsonDict]:
    spec = batch(template, **fields)
    return [
        child_spec(spec, item).model_dump(by_alias=True, exclude_defaults=True, include=SHOWN, mode="json")
        for item in items_of(spec)
    ]


SHOWN = {"command", "args", "agent", "prompt", "prompt_from"}


def test_a_matrix_over_models_and_agents_fills_in_who_and_what() -> None:
    template = AGENT | {"agent": {"name": "{WHO}", "model": "lab/{MODEL}"}, "prompt": "As {MODEL}, not {OTHER} or {}."}
    matrix = [{"name": "WHO", "values": ["one"]}, {"name": "MODEL", "values": ["small", "large"]}]
    assert runs(template, matrix=matrix) == [
        {"agent": {"name": "one", "model": f"lab/{size}"}, "prompt": f"As {size}, not {{OTHER}} or {{}}."}
        for size in ("small", "large")
    ]


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    matrix = [{"name": "FILE", "values": ["{A}"]}, {"name": "A", "values": ["b"]}]
    assert runs(AGENT, matrix=matrix)[0]["prompt"] == "Fix {A}."


def test_items_say_what_differs_and_their_own_prompts_are_taken_as_they_are() -> None:
    items = [
        {"id": "a", "env": [{"name": "FILE", "value": "x.py"}]},
        {"id": "b", "prompt": "Do {FILE}", "env": [{"name": "FILE", "value": "x.py"}]},
        {"id": "c", "promptFrom": {"file": "t.md"}, "agent": {"model": "big"}},
        {"id": "d", "agent": {"name": "two"}},
        {"id": "e", "command": ["sh"], "args": ["-c", "true"]},
    ]
    assert runs(AGENT, runs=items) == [
        {"agent": {"name": "one", "model": "m"}, "prompt": "Fix x.py."},
        {"agent": {"name": "one", "model": "m"}, "prompt": "Do {FILE}"},
        {"agent": {"name": "one", "model": "big"}, "promptFrom": {"file": "t.md"}},
        {"agent": {"name": "two"}, "prompt": "Fix {FILE}."},
        {"command": ["sh"], "args": ["-c", "true"], "prompt": "Fix {FILE}."},
    ]


def test_an_item_may_name_an_agent_where_the_template_has_a_command() -> None:
    assert runs(COMMAND, runs=[{"id": "a", "agent": {"name": "two"}, "prompt": "p", "args": []}]) == [
        {"agent": {"name": "two"}, "prompt": "p"}
    ]


@pytest.mark.parametrize(
    ("template", "fields", "words"),
    [
        (
            AGENT | {"prompt": None},
            {"runs": [{"id": "a", "prompt": "p"}, {"id": "b"}]},
            "spec.runs 'b': an agent needs",
        ),
        (AGENT | {"prompt": None}, {"matrix": [{"name": "A", "values": ["1"]}]}, "spec.template: an agent needs"),
        (COMMAND, {"runs": [{"id": "a", "agent": {"name": "two"}}]}, "spec.runs 'a': an agent needs"),
        (COMMAND, {"runs": [{"id": "a", "agent": {"model": "m"}, "prompt": "p"}]}, "agent.model needs agent.name"),
        (AGENT | {"agent": {"name": "{WHO}"}}, {"runs": [{"id": "a"}]}, "agent.name has {WHO}, which is no variable"),
        (
            AGENT | {"agent": {"name": "one", "model": "{M}"}},
            {"matrix": [{"name": "M", "values": ["ok", "not ok"]}]},
            "agent.model 'not ok'",
        ),
        (
            AGENT,
            {"runs": [{"id": "a", "command": ["x"], "agent": {"name": "two"}}]},
            "at most one of command and agent",
        ),
        (AGENT, {"runs": [{"id": "a", "prompt": "x", "promptFrom": {"file": "f"}}]}, "at most one of prompt"),
    ],
)
def test_a_run_that_would_be_impossible_is_named(template: JsonDict, fields: JsonDict, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        batch({key: value for key, value in template.items() if value is not None}, **fields)
    assert words in str(raised.value)


LARGE = "x" * (256 << 10)


def axis(name: str, number: int) -> JsonDict:
    return {"name": name, "values": [str(value) for value in range(number)]}


@pytest.mark.parametrize(
    ("prompt", "fields", "words"),
    [
        ("p", {"runs": [{"id": f"r{n}", "prompt": LARGE} for n in range(4)]}, "1048577 bytes together; 1048576"),
        (LARGE, {"matrix": [axis("A", 129), axis("B", 2)]}, "(64 MiB) are the most: use promptFrom, with a ConfigMap"),
        (LARGE[3:] + "{A}", {"matrix": [{"name": "A", "values": ["1", "1234"]}]}, "262145 bytes once it is filled in"),
    ],
)
def test_prompts_that_nothing_could_store_are_refused_with_the_way_out(
    prompt: str, fields: JsonDict, words: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        batch(AGENT | {"prompt": prompt}, **fields)
    assert words in str(raised.value)


def test_what_can_be_stored_is_taken() -> None:
    batch(AGENT, runs=[{"id": f"r{n}", "prompt": LARGE[: -(1 << 8)]} for n in range(4)])
    batch(AGENT | {"prompt": LARGE}, matrix=[axis("A", 128), axis("B", 2)])
