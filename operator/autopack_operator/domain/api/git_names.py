"""Addresses of repositories and names of refs, as the API server and our own commands accept them.

They are rules with a message and not patterns, so that a refusal says what would be accepted. `autopack.git` checks
both again, and more closely, before git sees them.
"""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, JsonValue
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

_USER = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_NAME = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
_HOST = rf"({_NAME}|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?"
_ENCODED = r"%([2-689A-Fa-f][0-9A-Fa-f]|7[0-9A-Ea-e])"
"""A percent-encoded byte that is no control character."""

_PATH = rf"([A-Za-z0-9._~+]|{_ENCODED})([A-Za-z0-9._~/+-]|{_ENCODED})*"
ADDRESS = rf"^((https://|ssh://({_USER}@)?){_HOST}/{_PATH}|{_USER}@{_NAME}:{_PATH})$"
"""No password, which everybody could read who can read the run; no local paths, no helpers of git."""

REF = r"^[A-Za-z0-9_.#][A-Za-z0-9_./+@#-]*$"
"""Never an option (`-x`), never whitespace or syntax of a shell."""


class _Form(NamedTuple):
    """A form that a text must have, and what to say when it has another."""

    pattern: str
    message: str

    def check(self, text: str) -> str:
        """Return the text; raise an error for pydantic, which says nothing of the text itself."""
        if re.fullmatch(self.pattern, text) is None:
            raise PydanticCustomError("form", "{message}", {"message": self.message})
        return text

    def field(self, longest: int) -> FieldInfo:
        """Return the bounds, and the same form for the API server."""
        rule: dict[str, JsonValue] = {"rule": f"self.matches(r'{self.pattern}')", "message": self.message}
        info: FieldInfo = Field(
            min_length=1, max_length=longest, json_schema_extra={"x-kubernetes-validations": [rule]}
        )
        return info


_ADDRESS = _Form(
    ADDRESS,
    "write the address as https://host/owner/repository.git, ssh://git@host/owner/repository.git or "
    "git@host:owner/repository.git, without a password; a space in the path is %20",
)
_REF = _Form(
    REF,
    "write the name of a branch or tag, or a full commit id, with letters, digits and _ . / + @ # -, and none of "
    "/ + @ - at the beginning",
)

_BRANCH_PATTERN = _Form(
    r"^[A-Za-z0-9_.#{][A-Za-z0-9_./+@#{}-]*$",
    "write the name of a branch, with letters, digits and _ . / + @ # -, and none of / + @ - at the beginning; {NAME} "
    "stands for a variable of a batch's run",
)

Address = Annotated[str, AfterValidator(_ADDRESS.check), _ADDRESS.field(2048)]
"""Where a repository is."""

Ref = Annotated[str, AfterValidator(_REF.check), _REF.field(255)]
"""Where a run starts."""

Branch = Annotated[str, AfterValidator(_REF.check), _REF.field(200)]
"""What a run works on."""

BranchPattern = Annotated[str, AfterValidator(_BRANCH_PATTERN.check), _BRANCH_PATTERN.field(200)]
"""The same, with what a batch fills in."""
