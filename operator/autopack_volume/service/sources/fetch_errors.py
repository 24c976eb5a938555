"""What a failed fetch means for the caller: worth another try, or not. Pure."""

from __future__ import annotations

from autopack.errors import AutopackError
from autopack.git.runner import GitError
from autopack_volume.service.answers import TransientError

_TRANSIENT = (
    "could not resolve host",
    "couldn't resolve host",
    "temporary failure in name resolution",
    "connection timed out",
    "connection refused",
    "connection reset",
    "failed to connect",
    "operation timed out",
    "operation too slow",
    "early eof",
    "unexpected disconnect",
    "the remote end hung up unexpectedly",
    "rpc failed",
    "returned error: 429",
    "returned error: 50",
    "no space left on device",
    "disk quota exceeded",
    "unable to create temporary",
    "cannot lock ref",
)
_NOT_FOUND = (
    "repository not found",
    "returned error: 404",
    "does not appear to be a git repository",
    "does not exist",
)
_MOVED = tuple(f"returned error: {code}" for code in (301, 302, 303, 307, 308))
_NOT_ALLOWED = (
    "could not read username",
    "could not read password",
    "authentication failed",
    "returned error: 401",
    "returned error: 403",
    "permission denied",
    "terminal prompts disabled",
)


def classify(error: GitError) -> AutopackError:
    """Return a TransientError, or the final answer: RepositoryNotFound, RepositoryMoved or FetchFailed."""
    said = error.stderr.decode("utf-8", "replace").lower()
    if error.reason == "GitTimeout":
        return TransientError("FetchTimeout", error.message)
    # What names the repository goes first: a missing one also "hangs up unexpectedly" over ssh and files.
    if any(text in said for text in _NOT_FOUND):
        return AutopackError("RepositoryNotFound", error.message, "Check the URL")
    if any(text in said for text in _MOVED):
        fix = "Redirects are not followed: give the address that it redirects to as source.url"
        return AutopackError("RepositoryMoved", error.message, fix)
    if any(text in said for text in _NOT_ALLOWED):
        fix = "The repository does not exist, or is not public; import it with autopack-runtime import-repository"
        return AutopackError("FetchFailed", error.message, fix)
    if any(text in said for text in _TRANSIENT):
        return TransientError("FetchFailed", error.message)
    return AutopackError("FetchFailed", error.message)


def is_missing_ref(error: GitError) -> bool:
    """Tell whether the other side answered, but has no such ref."""
    said = error.stderr.decode("utf-8", "replace").lower()
    return "couldn't find remote ref" in said or "not our ref" in said


def may_be_damage(error: GitError) -> bool:
    """Tell whether a failed update may be the fault of our own copy: of none that we know on the other side."""
    final = classify(error)
    known = isinstance(final, TransientError) or final.reason == "RepositoryNotFound" or bool(final.fix)
    return not known and not is_missing_ref(error)
