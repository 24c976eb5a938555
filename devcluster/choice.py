"""Which kind of cluster to use: a pure decision over facts about the machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devcluster.failure import Failure, UsageError


class Kind(StrEnum):
    """The kinds of cluster, by the names the environment variable CLUSTER takes."""

    CURRENT = "current"
    KIND = "kind"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class Facts:
    """What decides; each is looked up once, at the edge."""

    wanted: str
    """The environment variable CLUSTER; empty when it is not set."""
    kubeconfig: str
    """The environment variable KUBECONFIG; empty when it is not set."""
    engine: str
    """`docker` or `podman` when its engine answers, else empty."""
    has_kind: bool
    has_go: bool
    is_linux: bool
    is_root: bool
    former: Kind | None = None
    """What `up` chose before, unless `down` has ended it since."""


@dataclass(frozen=True)
class Choice:
    """What to use and, for people, why."""

    kind: Kind
    why: str


def choose(facts: Facts) -> Choice:
    """Return the cluster to use; raises Failure naming what to install, set or stop when there is none."""
    if facts.wanted:
        return _forced(facts)
    if facts.former is not None:
        return Choice(facts.former, "chosen before; `down` ends it")
    if facts.engine and (facts.has_kind or facts.has_go):
        return Choice(Kind.KIND, f"the {facts.engine} engine answers")
    missing = _missing_for_embedded(facts)
    if not missing:
        return Choice(Kind.EMBEDDED, "no Docker or Podman engine answers; this is Linux, as root, with Go")
    raise Failure(
        "no cluster possible: start a Docker or Podman engine (and have kind or Go), "
        f"or for the embedded cluster {' and '.join(missing)}, "
        "or set CLUSTER=current and KUBECONFIG to use a cluster of your own"
    )


def _forced(facts: Facts) -> Choice:
    try:
        kind = Kind(facts.wanted)
    except ValueError:
        raise UsageError(f"CLUSTER={facts.wanted} is not known; use {', '.join(Kind)}") from None
    if facts.former not in (None, kind):
        raise Failure(f"a cluster of kind {facts.former} is up; stop it first (`python3 -m devcluster down`)")
    missing = {
        Kind.CURRENT: [] if facts.kubeconfig else ["set KUBECONFIG to its file"],
        Kind.KIND: _missing_for_kind(facts),
        Kind.EMBEDDED: _missing_for_embedded(facts),
    }[kind]
    if missing:
        raise Failure(f"CLUSTER={kind} needs more: {' and '.join(missing)}")
    return Choice(kind, f"CLUSTER={kind} is set")


def _missing_for_kind(facts: Facts) -> list[str]:
    missing = []
    if not facts.engine:
        missing.append("start a Docker or Podman engine")
    if not (facts.has_kind or facts.has_go):
        missing.append("install kind, or Go to build it")
    return missing


def _missing_for_embedded(facts: Facts) -> list[str]:
    missing = []
    if not facts.is_linux:
        missing.append("use Linux")
    if not facts.is_root:
        missing.append("be root (sudo)")
    if not facts.has_go:
        missing.append("install Go (golang)")
    return missing
