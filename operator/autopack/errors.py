"""The errors every part raises: a machine reason, a sentence for a person, and the fix."""

from __future__ import annotations


def printable(text: str, limit: int = 512) -> str:
    r"""Make text safe to print on a terminal or in a log line, at most `limit` characters long.

    Control characters, ANSI escapes, bidirectional overrides, other invisible characters and lone surrogates come out
    as `\x1b` or `\u202e`, so what is shown is what is there. A cut is marked by a final `…`.
    """
    if len(text) <= limit and text.isprintable():
        return text
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in text[: limit + 1]
    )
    return shown if len(shown) <= limit and len(text) <= limit else shown[: limit - 1] + "…"


class AutopackError(Exception):
    """An expected failure.

    `reason` is a CamelCase word for conditions and metrics, `message` says what is wrong, `fix` what to do about it
    (may be empty). Printing the error gives message and fix on one line.
    """

    def __init__(self, reason: str, message: str, fix: str = "") -> None:
        super().__init__(reason, message, fix)
        self.reason = reason
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}. {self.fix}" if self.fix else self.message


class InvalidInput(AutopackError, ValueError):  # noqa: N818 - the word users meet as a reason
    """What a person or another program gave us is refused; `field` names the part of it that is wrong."""

    def __init__(self, field: str, message: str, fix: str = "") -> None:
        super().__init__("InvalidInput", message, fix)
        self.field = field
        # Exceptions are pickled by calling the class with `args`: processes hand these errors to each other.
        self.args = (field, message, fix)

    def __str__(self) -> str:
        return f"{self.field}: {super().__str__()}"


class WorkspaceError(AutopackError, RuntimeError):
    """A worktree cannot be made or removed; also a RuntimeError, which callers of the workspace manager expect."""
