"""kube-controller-manager with another bound on its requests, or none, for as long as a comparison needs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from devcluster.embedded import supervision
from devcluster.embedded.components import Component, components
from devcluster.layout import Layout
from devcluster.progress import Progress

from autopack_operator.adapters.kube.pace import BURST_SECONDS
from bench.settings import CLUSTER_QPS
from devcluster import binaries

NAME = "kube-controller-manager"
NO_BOUND = 100_000
"""client-go knows no "none": a rate that nothing reaches."""


def burst_of(qps: int) -> int:
    """How many requests may go out at once after a pause: as many as the operator's own bound lets out."""
    return round(qps * BURST_SECONDS)


@contextmanager
def bounded(layout: Layout, qps: int) -> Iterator[None]:
    """Hold each of its controllers to so many requests a second, as `operator.apiQPS` does the operator.

    (Each has a client, and so a bound, of its own; the garbage collector's is twice as high.)
    """
    if qps == CLUSTER_QPS:
        yield
        return
    with _restarted(layout, qps, burst_of(qps)):
        yield


@contextmanager
def unbounded(layout: Layout) -> Iterator[None]:
    """Lift the bound."""
    with _restarted(layout, NO_BOUND, NO_BOUND):
        yield


@contextmanager
def _restarted(layout: Layout, qps: int, burst: int) -> Iterator[None]:
    """Restart it with other flags, then with its own again; so does the next `make cluster`, were we killed."""
    progress = Progress()
    built = binaries.ensure(layout, binaries.CLUSTER_PACKAGES, progress)

    def program(name: str) -> Path:
        return binaries.program_path(built, name, os.environ)

    (usual,) = (component for component in components(layout, program) if component.name == NAME)
    try:
        _replace(layout, with_bound(usual, qps, burst), progress)
        yield
    finally:
        _replace(layout, usual, progress)


def with_bound(component: Component, qps: int, burst: int) -> Component:
    """The same with another bound. Of a flag that is given twice, the last one counts."""
    return replace(component, argv=(*component.argv, f"--kube-api-qps={qps}", f"--kube-api-burst={burst}"))


def _replace(layout: Layout, component: Component, progress: Progress) -> None:
    supervision.stop(layout, [component], progress)
    supervision.start(layout, component)
    answers = partial(supervision.answers, component)
    supervision.wait(layout, component.name, answers, progress, needs=[component])
