"""What it means that a git server could not be reached for a delivery. Pure."""

from __future__ import annotations

from autopack.errors import AutopackError
from autopack.git.runner import GitError
from autopack_volume.service.sources.fetch_errors import classify

_WORDS = {"FetchFailed": "PushFailed", "FetchTimeout": "PushTimeout"}


def classified(error: GitError, credential: str) -> AutopackError:
    """Return a TransientError, or the final answer, as for a fetch: the servers say the same."""
    found = classify(error, credential)
    reason = _WORDS.get(found.reason, found.reason)
    fix = found.fix.replace("git.credentials", "publisher.credentials").replace(
        "the right to read", "the right to write"
    )
    if reason == "RepositoryMoved":
        fix = "Redirects are not followed: deliver to the address that it redirects to"
    return type(found)(reason, found.message, fix)
