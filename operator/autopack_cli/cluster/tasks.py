"""From a file of tasks to the runs of a batch: pure. What is wrong is named by its line, or item, and its field."""

from __future__ import annotations

import json
from collections.abc import Iterator

import yaml
from pydantic import ValidationError

from autopack.errors import InvalidInput, printable
from autopack_operator.domain.api.batch import BatchItem
from autopack_operator.domain.api.common import JsonDict

Place = tuple[str, object]
"""Where a task stands, for people, and the task."""

TASK_VARIABLE = "AUTOPACK_TASK"
JSON_LINES = ".jsonl"


def runs_from_tasks(text: str, suffix: str, *, as_prompts: bool = False) -> list[JsonDict]:
    """Read tasks; raise InvalidInput.

    `.yaml`, `.yml`, `.json`: a list of items as in spec.runs (`id`, `prompt`, `args`, `env` …); `.jsonl`: one of them a
    line. `agent` may be the agent's name alone, `model` stands for agent.model, `id` may be a number, and counts
    (task-001) where it is absent. Anything else is text: each line that is neither empty nor begins with `#` is a task,
    in the run's variable AUTOPACK_TASK; with `as_prompts`, it is the run's prompt.
    """
    if suffix == JSON_LINES:
        places = list(_json_lines(text))
    elif suffix in {".yaml", ".yml", ".json"}:
        places = list(_documents(text))
    else:
        places = list(_text_lines(text, as_prompts=as_prompts))
    if not places:
        raise InvalidInput("tasks", "there are none", "Write one a line, or items such as {id: a, prompt: …}")
    return list(_distinct(places))


def _json_lines(text: str) -> Iterator[Place]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _unreadable(f"line {number} is not JSON", error) from error


def _documents(text: str) -> Iterator[Place]:
    try:
        items = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unreadable("the file cannot be read", error) from error
    if not isinstance(items, list):
        raise InvalidInput("tasks", "the file is not a list of runs", "Write items such as {id: a, args: [x]}")
    yield from ((f"item {number}", item) for number, item in enumerate(items, 1))


def _text_lines(text: str, *, as_prompts: bool) -> Iterator[Place]:
    for number, line in enumerate(text.splitlines(), 1):
        if (task := line.strip()) and not task.startswith("#"):
            made = {"prompt": task} if as_prompts else {"env": [{"name": TASK_VARIABLE, "value": task}]}
            yield f"line {number}", made


def _unreadable(what: str, error: Exception) -> InvalidInput:
    where = " ".join(str(error).split())
    return InvalidInput("tasks", f"{what}: {printable(where, 300)}", "Check its syntax")


def _distinct(places: list[Place]) -> Iterator[JsonDict]:
    width = max(3, len(str(len(places))))
    seen: dict[str, str] = {}
    for number, (where, document) in enumerate(places, 1):
        item = _item(where, document, f"task-{number:0{width}}")
        if (earlier := seen.setdefault(item["id"], where)) != where:
            raise InvalidInput("tasks", f"{where}: id: {item['id']!r} is that of {earlier}", "Give each run its own id")
        yield item


def _item(where: str, document: object, counted: str) -> JsonDict:
    """A task as an item of spec.runs, checked; raise InvalidInput naming place and field."""
    if not isinstance(document, dict):
        raise InvalidInput("tasks", f"{where} is not an object", 'Write {"id": "a", "prompt": "…"}')
    item: JsonDict = {"id": counted} | document
    if isinstance(item["id"], int) and not isinstance(item["id"], bool):
        item["id"] = str(item["id"])
    if isinstance(item.get("agent"), str):
        item["agent"] = {"name": item["agent"]}
    if "model" in item and isinstance(item.get("agent", {}), dict):
        item["agent"] = item.get("agent", {}) | {"model": item.pop("model")}
    try:
        BatchItem.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        said = ": ".join(filter(None, (where, field, printable(first["msg"].removeprefix("Value error, "), 300))))
        raise InvalidInput("tasks", said, "See docs/guide/agents.md") from error
    return item
