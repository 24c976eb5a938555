"""kube-controller-manager without a bound on its requests, for as long as a comparison needs it."""

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

from devcluster import binaries

NAME = "kube-controller-manager"
NO_BOUND = ("--kube-api-qps=100000", "--kube-api-burst=100000")


@contextmanager
def unbounded(layout: Layout) -> Iterator[None]:
    """Restart it with other flags, then with its own again; so does the next `make cluster`, were we killed."""
    progress = Progress()
    built = binaries.ensure(layout, binaries.CLUSTER_PACKAGES, progress)

    def program(name: str) -> Path:
        return binaries.program_path(built, name, os.environ)

    (usual,) = (component for component in components(layout, program) if component.name == NAME)
    # Of a flag that is given twice, the last one counts.
    _replace(layout, replace(usual, argv=usual.argv + NO_BOUND), progress)
    try:
        yield
    finally:
        _replace(layout, usual, progress)


def _replace(layout: Layout, component: Component, progress: Progress) -> None:
    supervision.stop(layout, [component], progress)
    supervision.start(layout, component)
    answers = partial(supervision.answers, component)
    supervision.wait(layout, component.name, answers, progress, needs=[component])
