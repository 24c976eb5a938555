"""One front for the three kinds of cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster import current, kind, machine
from devcluster.choice import Kind, choose
from devcluster.embedded import cluster as embedded
from devcluster.failure import Failure
from devcluster.images import embedded as embedded_images
from devcluster.layout import Layout
from devcluster.progress import Progress


@dataclass(frozen=True)
class Report:
    """What `status` says: for people, for programs, and as an exit code."""

    healthy: bool
    lines: tuple[str, ...]
    document: dict[str, Any]


def up(layout: Layout, progress: Progress) -> Path:
    """Choose a cluster, say which and why, bring it up; returns the kubeconfig's path."""
    choice = choose(machine.look(chosen(layout)))
    progress.say(f"cluster: {choice.kind} ({choice.why})")
    layout.dev.mkdir(exist_ok=True)
    layout.chosen.write_text(choice.kind)
    {Kind.EMBEDDED: embedded.up, Kind.KIND: kind.up, Kind.CURRENT: current.up}[choice.kind](layout, progress)
    return layout.kubeconfig


def down(layout: Layout, progress: Progress) -> None:
    """Stop what `up` started; a cluster of the user's own goes on."""
    former = chosen(layout)
    if former is Kind.KIND:
        kind.down(layout, progress)
    elif former is Kind.CURRENT:
        layout.kubeconfig.unlink(missing_ok=True)
    else:
        embedded.down(layout, progress)
    layout.chosen.unlink(missing_ok=True)
    progress.say("the cluster is down")


def chosen(layout: Layout) -> Kind | None:
    """Return the kind of cluster that `up` chose last, None before the first `up` and after `down`."""
    try:
        return Kind(layout.chosen.read_text().strip())
    except (FileNotFoundError, ValueError):
        return None


def status(layout: Layout) -> Report:
    """Look at the cluster that `up` chose last."""
    former = chosen(layout)
    states = _states(layout, former)
    healthy = all(states.values())
    document = {"kind": former, "healthy": healthy, "kubeconfig": str(layout.kubeconfig), "states": states}
    lines = (f"cluster: {former or 'none'}", *(f"{'up  ' if up else 'DOWN'} {name}" for name, up in states.items()))
    return Report(healthy, (*lines, f"kubeconfig: {layout.kubeconfig}"), document)


def project_image(layout: Layout, tag: str, progress: Progress) -> None:
    """Build the project's image and put it into the cluster."""
    match _running(layout):
        case Kind.EMBEDDED:
            embedded_images.project_image(layout, tag, progress)
        case Kind.KIND:
            kind.project_image(layout, tag, progress)
        case Kind.CURRENT:
            raise current.refuse_images()


def agents_image(layout: Layout, tag: str, agents: Sequence[str], progress: Progress) -> None:
    """Build the image of these coding agents and put it into the cluster. Raises Failure on one that is not known."""
    known = sorted(path.parent.name for path in layout.agents.glob("*/*lock*"))
    if unknown := sorted(set(agents) - set(known)):
        raise Failure(f"there is no agent {', '.join(unknown)} in {layout.agents}; there are {', '.join(known)}")
    match _running(layout):
        case Kind.EMBEDDED:
            embedded_images.agents_image(layout, tag, agents, progress)
        case Kind.KIND:
            kind.agents_image(layout, tag, agents, progress)
        case Kind.CURRENT:
            raise current.refuse_images()


def test_images(layout: Layout, progress: Progress) -> list[str]:
    """Put the tests' images into the cluster; returns their names."""
    match _running(layout):
        case Kind.EMBEDDED:
            return embedded_images.test_images(layout, progress)
        case Kind.KIND:
            return kind.test_images(layout, progress)
        case Kind.CURRENT:
            raise current.refuse_images()


def _running(layout: Layout) -> Kind:
    former = chosen(layout)
    if former is None:
        raise Failure("no cluster is up; start one with `python3 -m devcluster up`")
    return former


def _states(layout: Layout, former: Kind | None) -> dict[str, bool]:
    match former:
        case None:
            return {"a cluster": False}
        case Kind.EMBEDDED:
            return embedded.health(layout)
        case Kind.KIND:
            return {"API server ready": kind.is_healthy(layout)}
        case Kind.CURRENT:
            return {"API server ready": current.is_healthy(layout)}
