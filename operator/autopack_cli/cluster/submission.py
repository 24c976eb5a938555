"""From what a user gives to `submit` to a RunBatch: pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import ValidationError

from autopack.errors import InvalidInput, printable
from autopack.run_ids import check_run_ids
from autopack_operator.domain import anchor_gate
from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.api.common import ANCHOR_ANNOTATION, API_VERSION, JsonDict
from autopack_operator.domain.times import rfc3339

_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_MOST_STORED = 1_400_000
"""Bytes: etcd takes 1.5 MiB, of which something is left for what the API server and the operator add."""

_AXIS = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<values>.*)", re.ASCII | re.DOTALL)


def runs_from_ids(text: str) -> list[JsonDict]:
    """`a,b,c` -> one item each; raise InvalidInput for one that can be no id."""
    ids = check_run_ids([part.strip() for part in text.split(",") if part.strip()])
    if not ids:
        raise InvalidInput("run-ids", "names no run", "Give ids such as a,b,c")
    for one in ids:
        if not _ID.fullmatch(one):
            message = f"'{printable(one, 80)}' cannot be part of a Kubernetes name"
            raise InvalidInput("run-ids", message, "Use lower-case letters, digits and '-', 63 characters at most")
    return [{"id": one} for one in ids]


def axis(text: str) -> JsonDict:
    """`NAME=a,b` -> an axis of a matrix; raise InvalidInput."""
    found = _AXIS.fullmatch(text)
    values = found["values"].split(",") if found else []
    if found is None or not all(values):
        raise InvalidInput("matrix", f"'{printable(text, 80)}' is not NAME=value,value", "Use MODEL=small,large")
    return {"name": found["name"], "values": values}


def env_var(text: str) -> JsonDict:
    """`NAME=value` -> a variable; raise InvalidInput."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInput("env", f"'{printable(name, 60)}' is not NAME=value", "Use --env NAME=value")
    return {"name": name, "value": value}


def check_anchor(text: str) -> str:
    """Return an anchor for the annotation; raise InvalidInput when no run would start with it."""
    if anchor_gate.reference(text) is not None:
        return text
    verdict = anchor_gate.judge(text)
    if not verdict.allowed:
        raise InvalidInput("anchor", verdict.message, "Fix it, or name configmap/<name>[/<key>]")
    return text


def anchor_allowing(runs: int, now: datetime) -> str:
    """Return an anchor that allows so many runs at once and says nothing else."""
    allowed = {"allowed": True, "isolation_model": "four_layer", "max_concurrent_runs": runs}
    digest = hashlib.sha256(json.dumps(allowed).encode()).hexdigest()
    return json.dumps(
        {
            "format_version": "v2",
            "project_id": "submitted",
            "created_at": rfc3339(now),
            "raw_input_digest": digest,
            "pivot_intentions": {"parallelism_isolation": allowed},
        }
    )


def batch_manifest(name: str, namespace: str, spec: JsonDict, anchor: str | None) -> JsonDict:
    """Return the RunBatch; raise InvalidInput naming the field that is wrong."""
    if bool(spec.get("runs")) == bool(spec.get("matrix")):
        raise InvalidInput("runs", "give exactly one of --run-ids, --matrix and --tasks", "Choose one")
    try:
        RunBatchSpec.model_validate(spec)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in ("spec", *first["loc"]))
        raise InvalidInput(
            field, printable(first["msg"].removeprefix("Value error, "), 300), "See docs/guide/kubectl.md"
        ) from error
    annotations = {} if anchor is None else {ANCHOR_ANNOTATION: anchor}
    _check_size(spec)
    return {
        "apiVersion": API_VERSION,
        "kind": "RunBatch",
        "metadata": {"name": name, "namespace": namespace, **({"annotations": annotations} if annotations else {})},
        "spec": spec,
    }


def _check_size(spec: JsonDict) -> None:
    """Raise InvalidInput for what no cluster could store: as JSON, in which `<`, `>` and `&` take six bytes each."""
    text = json.dumps(spec, ensure_ascii=False)
    size = len(text.encode()) + 5 * sum(map(text.count, "<>&"))
    if size > _MOST_STORED:
        message = f"the batch has {size} bytes as JSON, and a cluster stores {_MOST_STORED}"
        raise InvalidInput("spec", message, "Submit it in parts, or write prompts into files of the repository")


def start(command: Sequence[str], agent: str | None, model: str | None, prompt: str | None) -> JsonDict:
    """Return what the runs execute, as fields of their template; raise InvalidInput."""
    if bool(command) == bool(agent):
        fix = "Name an agent with --agent, or end with -- and what each run executes: … -- my-agent --task x"
        raise InvalidInput("command", "is given beside --agent" if agent else "is missing", fix)
    if model is not None and agent is None:
        raise InvalidInput("model", "is for an agent", "Name one with --agent")
    made: JsonDict = {"command": list(command)} if command else {"agent": {"name": agent}}
    if model is not None:
        made["agent"]["model"] = model
    return made | ({"prompt": prompt} if prompt is not None else {})


def template(
    source: Mapping[str, str | None], started: JsonDict, fields: Mapping[str, object], env: Sequence[str]
) -> JsonDict:
    """Return the runs' template with what was given; the rest is left to the API's defaults."""
    if (source.get("url") is None) == (source.get("repository") is None):
        raise InvalidInput("source", "give exactly one of --repository and --url", "Choose one")
    made: JsonDict = {
        "source": {name: value for name, value in source.items() if value is not None},
        **started,
    }
    made |= {name: value for name, value in fields.items() if value is not None}
    return made | ({"env": [env_var(one) for one in env]} if env else {})


def read_text(raw: bytes, what: str) -> str:
    """Decode a user's file; raise InvalidInput."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(what, "the file is not UTF-8", "Save it as UTF-8") from error
