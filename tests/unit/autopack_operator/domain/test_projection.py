"""Views are total: whatever stands in an object, as far as the API server lets it stand there, gives a view."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.autopack_operator.builders import RunBuilder

from autopack_operator.domain.api.common import ANCHOR_ANNOTATION, ATTEMPT_LABEL, RUN_UID_LABEL, JsonDict
from autopack_operator.domain.keys import keys_for_pod, keys_for_run
from autopack_operator.domain.projection import batch_view, lease_view, pod_view, profile_view, run_view
from autopack_operator.domain.registry_rows import batch_event, run_event
from autopack_operator.domain.run.ttl import limits_of
from autopack_operator.domain.turns import occupies, profile_of

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.none() | st.text(max_size=12)
NAMES = ("spec", "status", "phase", "attempt", "conditions", "outcome", "profileRef", "ttlSecondsAfterFinished", "ref")


def some(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[JsonDict]:
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def texts(*names: str) -> st.SearchStrategy[JsonDict]:
    """Labels or annotations: these, or others."""
    return st.dictionaries(st.sampled_from(names) | st.text(max_size=8), st.text(max_size=8), max_size=3)


OWNER = some(kind=st.sampled_from(["AutopackRun", "RunBatch", "Job"]), name=TEXTS, uid=TEXTS, controller=st.booleans())
META = st.builds(
    lambda more: {"namespace": "lab", "name": "one", "uid": "1"} | more,
    some(
        resourceVersion=st.text(max_size=8),
        generation=st.integers(0),
        creationTimestamp=st.text(max_size=20),
        deletionTimestamp=st.text(max_size=20),
        labels=st.none() | texts(ATTEMPT_LABEL, RUN_UID_LABEL),
        annotations=st.none() | texts(ANCHOR_ANNOTATION),
        ownerReferences=st.none() | st.lists(OWNER, max_size=3),
    ),
)
OURS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), JSON, max_size=5)
STATE = some(reason=TEXTS, message=TEXTS, exitCode=st.integers(0, 255), signal=st.integers(), startedAt=TEXTS)
CONTAINER = some(
    name=st.sampled_from(["run", "workspace", "keeper"]),
    state=st.none() | some(waiting=st.none() | STATE, terminated=st.none() | STATE, running=st.none() | STATE),
)
CONDITION = some(
    type=st.sampled_from(["PodScheduled", "DisruptionTarget", "Ready"]),
    status=st.sampled_from(["True", "False", "Unknown"]),
    reason=TEXTS,
    message=TEXTS,
    lastTransitionTime=TEXTS,
)
POD = some(
    spec=st.none() | some(nodeName=TEXTS),
    status=st.none()
    | some(
        phase=TEXTS,
        reason=TEXTS,
        message=TEXTS,
        conditions=st.none() | st.lists(CONDITION, max_size=3),
        containerStatuses=st.none() | st.lists(CONTAINER, max_size=3),
        initContainerStatuses=st.none() | st.lists(CONTAINER, max_size=3),
    ),
)


@given(META, some(spec=st.none() | OURS, status=JSON))
def test_objects_of_ours(meta: Mapping[str, object], fields: JsonDict) -> None:
    body: JsonDict = {"metadata": meta} | fields
    run, batch, profile = run_view(body), batch_view(body), profile_view(body)
    assert {(view.namespace, view.name, view.uid) for view in (run, batch, profile)} == {("lab", "one", "1")}
    # What is asked of every view, before anybody has parsed its spec.
    assert keys_for_run(run)[0].name == "one"
    assert isinstance(occupies(run), bool)
    assert profile_of(run.spec)
    assert limits_of(run.spec)
    assert (run_event(run, "lab").facts.run_id, batch_event(batch, "lab").facts.batch_id) == ("one", "one")


@given(META, POD)
def test_pods(meta: Mapping[str, object], fields: JsonDict) -> None:
    pod = pod_view({"metadata": meta} | fields)
    assert (pod.namespace, pod.name, pod.uid) == ("lab", "one", "1")
    assert pod.attempt >= 0
    assert isinstance(pod.stopped, bool)
    assert len(keys_for_pod(pod)) <= 1


@given(META)
def test_leases(meta: Mapping[str, object]) -> None:
    lease = lease_view({"metadata": meta})
    assert lease is None or lease.attempt >= 0


@pytest.mark.parametrize(("phase", "kept"), [("Running", 5000), ("Succeeded", 512)])
def test_of_a_finished_run_only_the_beginning_of_its_prompt_is_kept(phase: str, kept: int) -> None:
    body = RunBuilder().spec(prompt="x" * 5000).status(phase=phase).body()
    assert len(run_view(body).spec["prompt"]) == kept
    assert len(body["spec"]["prompt"]) == 5000
