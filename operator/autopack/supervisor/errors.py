"""The supervisor's own error."""

from __future__ import annotations

from autopack.errors import AutopackError


class SupervisorError(AutopackError):
    """The supervisor cannot start at all: its configuration is unsafe or incomplete."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__("SupervisorMisconfigured", message, fix)
        self.args = (message, fix)
