"""Names of refs and branches given by people: checked before git sees them, so none can be an option or a path."""

from __future__ import annotations

import re

from autopack import errors

RUN_REFS = "refs/autopack/"
"""Below it are the last states of runs."""

_MAX_REF = 512
_MAX_REF_COMPONENT = 250
_FORBIDDEN_IN_REF = frozenset(" ~^:?*[\\")


def _what_is_wrong_with_ref(text: str) -> str | None:
    """Say why git would not take this name (the rules of `git check-ref-format`, and none of revision syntax)."""
    if not text:
        return "is empty"
    if len(text) > _MAX_REF:
        return f"has more than {_MAX_REF} characters"
    if text.startswith("-"):
        return "begins with '-'"
    if not text.isprintable():
        return "has a control or invisible character"
    if bad := sorted(_FORBIDDEN_IN_REF.intersection(text)):
        return f"has the character '{bad[0]}'"
    if ".." in text or "@{" in text or text == "@" or text.endswith("."):
        return "has '..' or '@{', is '@', or ends with '.'"
    for part in text.split("/"):
        if not part or part.startswith(".") or part.endswith(".lock") or len(part.encode()) > _MAX_REF_COMPONENT:
            return "has a part that is empty, too long, begins with '.' or ends with '.lock'"
    return None


def check_ref(text: str, field: str = "ref") -> str:
    """Return `text` if it can name a branch, tag, full ref or commit; raise InvalidInput otherwise.

    Revision expressions (`main~3`, `HEAD@{1}`, `a..b`) are refused: a run starts at a name or at a commit id.
    """
    wrong = _what_is_wrong_with_ref(text)
    if wrong:
        message = f"'{errors.printable(text, 120)}' {wrong}"
        raise errors.InvalidInput(field, message, "Give a branch, a tag or a full commit id")
    return text


def check_branch(text: str, field: str = "branch") -> str:
    """Return `text` if a branch may be called so; raise InvalidInput otherwise.

    Beyond `check_ref`: not HEAD, not a full ref, and not something git would take for a commit id.
    """
    wrong = _what_is_wrong_with_ref(text)
    if not wrong and (text == "HEAD" or text.startswith("refs/")):
        wrong = "is not a branch's short name"
    if not wrong and re.fullmatch(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", text):
        wrong = "looks like a commit id"
    if wrong:
        message = f"'{errors.printable(text, 120)}' {wrong}"
        raise errors.InvalidInput(field, message, "Give a branch name such as autopack/my-run")
    return text
