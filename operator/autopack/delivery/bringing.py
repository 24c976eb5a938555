"""A commit on its way to its branch: looked for first, pushed only from what was seen, looked for again. Blocking."""

from __future__ import annotations

from autopack.errors import AutopackError

from .branch_state import Relation, next_step
from .outgoing import Outgoing
from .policy import check_not_base
from .push_answers import Moved, Passing
from .remote import Remote, Seen


def bring(remote: Remote, outgoing: Outgoing, branch: str, commit: str, expected: str) -> Seen:
    """Bring a commit to a branch unless it is there; return what is seen there at the end. Safe to repeat.

    `expected` is what was delivered there before. Raises Refused, Conflict, Passing, and GitError where the server was
    not reached.
    """
    seen = remote.look(branch)
    check_not_base(branch, {seen.default})
    relation = Relation.OWN if outgoing.is_own(seen.tip, commit) else Relation.OTHER
    step = next_step(branch, seen.tip, commit, expected, relation)
    if step is None:
        return seen
    left: AutopackError | None = None
    try:
        remote.push(outgoing.repository, commit, branch, step.lease)
    except (Moved, Passing) as error:
        left = error
    now = remote.look(branch)
    if now.tip == step.lease:
        raise Passing("PushNotTaken", left.message if left else "the branch does not show the push yet")
    # Ours by now, or somebody else's.
    next_step(branch, now.tip, commit, commit, Relation.OTHER)
    return now
