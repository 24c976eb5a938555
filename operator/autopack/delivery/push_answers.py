"""What a git server says to a push that it does not take. Pure."""

from __future__ import annotations

import re

from autopack.errors import AutopackError, printable
from autopack.git.runner import GitResult
from autopack.redaction import redact_url

from .refusal import Refused

_SAID = 600
_REJECTED = re.compile(r"^!\t[^\t]*\t\[(remote rejected|rejected|remote failure)\](?: \((.*)\))?", re.MULTILINE)
_MOVED = ("stale info", "reference already exists", "incorrect old value", "but expected", "fetch first")
_PASSES = ("cannot lock ref", "unable to lock", "failed to update ref", "unpacker error", "internal server error")
_PROTECTED = ("protected branch", "protected ref", "repository rule violations", "gh006", "gh013")
_NOT_PERMITTED = (
    "returned error: 403",
    "permission denied",
    "permission to",
    "not allowed to push",
    "not allowed to upload",
    "read only",
    "read-only",
    "write access",
)


class Moved(AutopackError):  # noqa: N818 - what happened
    """Somebody was there between our look and our push: look again."""


class Passing(AutopackError):  # noqa: N818 - what happened
    """The server could not take it now."""


def rejection(result: GitResult) -> AutopackError | None:
    """Return what a failed push means: Refused, Moved, Passing; None where the server was not reached to say so."""
    told = _REJECTED.search(result.stdout.decode("utf-8", "replace"))
    said = result.stderr.decode("utf-8", "replace")
    words = hook_words(said)
    why = (told[2] or "") if told else ""
    everything = f"{said}\n{why}".lower()
    if told is None:
        return _no_permission(words or said) if any(text in everything for text in _NOT_PERMITTED) else None
    if any(text in everything for text in _PROTECTED):
        message = f"the branch is protected at the git server: {words or why}"
        return Refused("ProtectedBranch", message, "Deliver to another branch, or let the credential's user push there")
    if any(text in why.lower() for text in _MOVED):
        return Moved("BranchMoved", f"the branch moved during the push: {printable(why, 200)}")
    if "hook declined" in why.lower():
        return Refused("HookDeclined", f"a hook of the git server declined: {words or why}")
    if any(text in everything for text in _PASSES):
        return Passing("PushNotTaken", f"the git server could not take the push: {words or printable(why, 200)}")
    if any(text in everything for text in _NOT_PERMITTED):
        return _no_permission(words or why)
    return Refused("PushRefused", f"the git server refused the push: {printable(why, 200)} {words}".rstrip())


def _no_permission(said: str) -> Refused:
    message = f"the credential may not push there: {printable(redact_url(said.strip()), _SAID)}"
    return Refused("PushNotPermitted", message, "Give its user the right to write")


def hook_words(said: str) -> str:
    """Return what the other side itself said, on one line that is safe to show."""
    lines = (line.removeprefix("remote:").strip() for line in said.splitlines() if line.startswith("remote:"))
    return printable(redact_url(" ".join(filter(None, lines))), _SAID)
