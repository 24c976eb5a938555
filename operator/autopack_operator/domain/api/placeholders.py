"""`{NAME}` in the template of a batch: the variable NAME that a run of the batch has, from its item or from the matrix.

Only names that the run has are filled in. All else in braces is text: prompts are full of code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDER = r"\{[A-Za-z_][A-Za-z0-9_]*\}"
_FOUND = re.compile(PLACEHOLDER, re.ASCII)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the values; what they say is not looked at again."""
    return _FOUND.sub(lambda found: values.get(found[0][1:-1], found[0]), text)


def left_over(text: str) -> str | None:
    """The first placeholder in a text that should have none; None when there is none."""
    found = _FOUND.search(text)
    return found[0] if found else None
