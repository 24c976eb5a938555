"""What the user reads after `helm install`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from autopack.intention_anchor.v2 import parse_anchor
from tests.chart.rendering import CHART, Helm

# `helm template` leaves the notes out, so a copy of the chart gets a manifest that carries them.
CARRIER = """apiVersion: v1
kind: Notes
metadata: {name: notes}
text: {{ tpl (.Files.Get "NOTES.txt") . | toJson }}
"""


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("notes") / "autopack"
    shutil.copytree(CHART, copy)
    (copy / "templates" / "NOTES.txt").rename(copy / "NOTES.txt")
    (copy / "templates" / "notes.yaml").write_text(CARRIER)
    return copy


def notes(helm: Helm, chart: Path, **values: Any) -> str:
    return str(helm.template(values, chart=chart).one("Notes", "notes")["text"])


def test_says_how_to_wait_import_and_watch(helm: Helm, chart: Path) -> None:
    text = notes(helm, chart)
    assert "kubectl -n agents rollout status deployment/autopack-operator deployment/autopack-volume" in text
    assert "kubectl -n agents exec -i deployment/autopack-volume -- autopack-runtime import-repository NAME" in text
    assert "kubectl -n agents get autopackruns --watch" in text


def test_the_example_carries_an_anchor_that_allows_parallel_runs(helm: Helm, chart: Path) -> None:
    text = notes(helm, chart)
    example = yaml.safe_load(text.split("<<'EOF'\n")[1].split("     EOF")[0])
    anchor = parse_anchor(example["metadata"]["annotations"]["autopack.dev/intention-anchor"])
    assert anchor.pivot_intentions.parallelism_isolation is not None
    assert anchor.pivot_intentions.parallelism_isolation.allowed


def test_a_plain_installation_has_no_warning(helm: Helm, chart: Path) -> None:
    assert "WARNING" not in notes(helm, chart)


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ({"storage": {"accessMode": "ReadWriteOnce"}}, "share ONE node"),
        ({"defaultProfile": {"enabled": False}}, "no RunProfile `default`"),
        ({"admissionPolicy": {"enabled": False}}, "nothing limits the pods"),
        ({"storage": {"chown": True}}, "as root"),
    ],
)
def test_each_compromise_is_said(helm: Helm, chart: Path, values: dict[str, Any], warning: str) -> None:
    [said] = [line for line in notes(helm, chart, **values).splitlines() if "WARNING" in line]
    assert warning in said


@pytest.mark.parametrize(("storage", "claim"), [({}, "autopack-runs"), ({"existingClaim": "ours"}, "the claim ours")])
def test_says_which_claim_stays(helm: Helm, chart: Path, storage: dict[str, Any], claim: str) -> None:
    assert f"{claim}, the custom resources" in notes(helm, chart, storage=storage)


def test_says_what_keeps_deliveries_from_going_out(helm: Helm, chart: Path) -> None:
    assert "publisher" not in notes(helm, chart)
    assert "the publisher has no credentials" in notes(helm, chart, publisher={"enabled": True})
    assert "there is no publisher" in notes(helm, chart, defaultProfile={"deliver": {"credential": "github"}})
