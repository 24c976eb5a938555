"""Why a delivery does not go out, though nothing is broken."""

from __future__ import annotations

from autopack.errors import AutopackError


class Refused(AutopackError):  # noqa: N818 - the word users meet as a state
    """The policy, the secret scan or the git server says no: the same again gets the same answer."""


class Conflict(AutopackError):  # noqa: N818 - the word users meet as a state
    """The branch has commits of somebody else's, which nothing here overwrites."""

    def __init__(self, message: str) -> None:
        super().__init__("BranchMoved", message, "Deliver to another branch, or move that one out of the way")
        self.args = (message,)
