"""What each run of a batch is asked, and which agent is asked: the template's words, filled in for that run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from autopack_operator.domain.api.agents import MAX_PROMPT, AgentChoice, AgentDifference
from autopack_operator.domain.api.placeholders import filled, left_over

MAX_PROMPTS = 1 << 20
"""Bytes of all prompts that stand in one RunBatch; etcd takes objects of 1.5 MB."""

MAX_COPIES = 64 << 20
"""Bytes of the prompts of all runs of a batch together: each run is an object of its own, with its prompt."""

Variables = Mapping[str, str]
"""Of one run, by name: those that its item adds, or the matrix."""


def agent_of(shared: AgentChoice | None, own: AgentDifference | None, variables: Variables) -> AgentChoice | None:
    """The agent of one run; None where there is none. Raises ValueError for one that can be none."""
    model = own.model if own is not None else None
    if own is not None and own.name is not None:
        name = own.name
    elif shared is not None:
        name, model = shared.name, model or shared.model
    elif own is not None:
        raise ValueError("agent.model needs agent.name, which the template does not have")
    else:
        return None
    chosen = {"name": filled(name, variables)} | ({"model": filled(model, variables)} if model is not None else {})
    for field, value in chosen.items():
        if (unknown := left_over(value)) is not None:
            raise ValueError(f"agent.{field} has {unknown}, which is no variable of the run")
    try:
        return AgentChoice.model_validate(chosen)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"agent.{first['loc'][0]} {chosen[str(first['loc'][0])]!r}: {first['msg']}") from error


def check_sizes(shared: str | None, own: Iterable[str], copies: Iterable[Variables]) -> None:
    """Raise ValueError when prompts are too large for what stores them.

    `shared` is the template's prompt and `copies` are the variables of the runs that get it; `own` are other prompts.
    """
    written = [text for text in (shared, *own) if text is not None]
    if (size := sum(map(_size, written))) > MAX_PROMPTS:
        raise ValueError(
            f"the prompts have {size} bytes together; {MAX_PROMPTS} (1 MiB) are the most in one RunBatch: use more "
            "batches, or promptFrom"
        )
    if shared is None:
        return
    runs = list(copies)
    if (size := len(runs) * _size(shared)) > MAX_COPIES:
        raise ValueError(
            f"the {len(runs)} runs would have copies of the template's prompt of {size} bytes together; {MAX_COPIES} "
            "(64 MiB) are the most: use promptFrom, with a ConfigMap or a file of the repository"
        )
    for variables in runs if "{" in shared else ():
        if (size := _size(filled(shared, variables))) > MAX_PROMPT:
            raise ValueError(f"the prompt has {size} bytes once it is filled in; {MAX_PROMPT} (256 KiB) are the most")


def _size(text: str) -> int:
    return len(text.encode())
