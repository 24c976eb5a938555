"""Judges of a delivery: what is wrong with what is at the remote when the publisher has given its answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

NOTHING = "0" * 40


class Pull(NamedTuple):
    """A pull request of the trial's branch."""

    state: str
    body: str
    labels: Sequence[str]
    reviewers: Sequence[str]


class Remains(NamedTuple):
    """All that is known of a trial when it is over. `moves` are the updates of the branch, oldest first."""

    answer: Mapping[str, Any]
    commit: str
    """What was to be delivered; squashed, only the publisher knows its name."""
    squashed: bool
    expected: str
    moved_to: str
    """What somebody else pushed there during the trial; empty when nobody did."""
    marker: str
    tip: str
    tree: str
    wanted_tree: str
    moves: Sequence[tuple[str, str]]
    pulls: Sequence[Pull]
    statuses: Sequence[str]
    others_changed: bool
    """Whether any branch but the trial's own is another than before."""


def judge(remains: Remains) -> list[str]:
    """Return what is wrong."""
    return [*_forced_over(remains), *_doubled(remains), *(_moved(remains) if remains.moved_to else _lost(remains))]


def _forced_over(remains: Remains) -> Iterator[str]:
    if remains.others_changed:
        yield "forced: a branch of somebody else was changed"
    ours = {NOTHING, remains.expected}
    for before, after in remains.moves:
        if after != remains.moved_to and before not in ours:
            yield f"forced: {after[:12]} was put over {before[:12]}, which was not ours"
        ours.add(after if after != remains.moved_to else NOTHING)
    if remains.moved_to and remains.tip != remains.moved_to:
        yield f"forced: {remains.moved_to[:12]} of somebody else is gone"


def _doubled(remains: Remains) -> Iterator[str]:
    if len(remains.pulls) > 1:
        yield f"doubled: {len(remains.pulls)} pull requests of one run"
    pushes = [after for _, after in remains.moves if after != remains.moved_to]
    if len(pushes) > 1:
        yield f"doubled: the branch was pushed {len(pushes)} times"
    for pull in remains.pulls:
        if len(set(pull.labels)) < len(pull.labels) or len(set(pull.reviewers)) < len(pull.reviewers):
            yield f"doubled: {pull}"


def _moved(remains: Remains) -> Iterator[str]:
    pushed = any(after != remains.moved_to for _, after in remains.moves)
    state = remains.answer.get("state")
    if state != "conflict" and not (pushed and state == "delivered"):
        yield f"the remote was moved, and the answer is {remains.answer}"


def _lost(remains: Remains) -> Iterator[str]:
    if remains.answer.get("state") != "delivered":
        yield f"lost: the answer is {remains.answer}"
        return
    if remains.tip != remains.answer["commit"] or not (remains.squashed or remains.tip == remains.commit):
        yield f"lost: the branch is at {remains.tip[:12]}, the answer says {remains.answer['commit'][:12]}"
    if remains.tree != remains.wanted_tree:
        yield "lost: the branch has other files than the run"
    if not any(remains.marker in pull.body and pull.state == "open" for pull in remains.pulls):
        yield "lost: there is no pull request with the run's marker"
    for pull in remains.pulls:
        if (list(pull.labels), list(pull.reviewers)) != (["agents"], ["grace"]):
            yield f"lost: labels or reviewers of {pull}"
    if not remains.statuses or remains.statuses[0] == "pending":
        yield f"lost: the commit's status is {remains.statuses}"
