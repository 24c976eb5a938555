"""docs/api.md and docs/metrics.md say what the code says."""

from __future__ import annotations

import re

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from scripts import generate_api_docs as api
from scripts import generate_metrics_docs as metrics

from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import AutopackRunStatus


def test_the_page_of_fields_is_todays() -> None:
    assert api.TARGET.read_text("utf-8") == api.rendered(), "stale: run `make generate`"


def test_the_page_of_metrics_is_todays() -> None:
    assert metrics.TARGET.read_text("utf-8") == metrics.rendered(), "stale: run `make generate`"


@pytest.mark.parametrize("model", [AutopackRunSpec, AutopackRunStatus])
def test_every_field_of_a_run_is_there(model: type[AutopackRunSpec | AutopackRunStatus]) -> None:
    page = api.rendered().partition("## RunBatch")[0]
    wanted = {field.alias for field in model.model_fields.values()}
    assert wanted <= set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))


def test_a_field_without_a_description_is_not_documented_silently() -> None:
    with pytest.raises(api.UndocumentedFieldError, match=r"env\[\]\.name"):
        api.row("env[].name", {"type": "string"}, required=True)


@pytest.mark.parametrize(
    ("node", "kind", "bounds"),
    [
        ({"type": "string", "enum": ["A", "B"]}, "string", "`A`, `B`"),
        ({"type": "integer", "minimum": 1}, "integer", "1 or more"),
        ({"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": 5}}, "list of strings",
         "up to 3 items; each: up to 5 characters"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "map of strings", ""),
        ({"type": "string", "format": "date-time"}, "time", ""),
    ],
)  # fmt: skip
def test_what_a_field_accepts(node: api.Node, kind: str, bounds: str) -> None:
    assert (api.kind(node), api.accepted(node)) == (kind, bounds)


def test_a_metric_is_listed_with_its_labels() -> None:
    registry = CollectorRegistry()
    Counter("things", "Things seen.", ["kind"], registry=registry).labels("a").inc()
    assert "| `things_total` | counter | `kind` | Things seen. |" in metrics.table(
        "x", generate_latest(registry).decode()
    )


def test_a_metric_that_nothing_counts_is_not_documented_silently() -> None:
    registry = CollectorRegistry()
    Gauge("silent", "Never set.", ["kind"], registry=registry)
    with pytest.raises(metrics.UndocumentedMetricError, match="silent"):
        metrics.table("x", generate_latest(registry).decode())
