"""Where each run of a batch is delivered: the template's words, filled in for that run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from pydantic import ValidationError

from autopack_operator.domain.api.deliver import ONE_BRANCH_EACH, Deliver
from autopack_operator.domain.api.placeholders import filled, left_over

Variables = Mapping[str, str]
"""Of one run, by name."""


class _Item(Protocol):
    @property
    def id(self) -> str: ...


def deliver_of(shared: Deliver, variables: Variables) -> Deliver:
    """What the template says of the delivery, for one run. Raises ValueError for what cannot be."""
    document = shared.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    if shared.branch is not None:
        document["branch"] = filled(shared.branch, variables)
        if (unknown := left_over(document["branch"])) is not None:
            raise ValueError(f"deliver.branch has {unknown}, which is no variable of the run")
        if "{" in document["branch"] or "}" in document["branch"]:
            raise ValueError(f"deliver.branch {document['branch']!r} has a brace, which stands for no variable")
    request = document.get("pullRequest", {})
    for name in request.keys() & {"title", "body"}:
        request[name] = filled(request[name], variables)
    try:
        return Deliver.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"deliver.{place} is not possible once it is filled in: {first['msg']}") from error


def check_each(shared: Deliver, runs: Iterable[tuple[_Item | None, Variables]]) -> None:
    """Raise ValueError when the delivery of one of the runs is impossible, or two have one branch."""
    taken: set[str] = set()
    for item, variables in runs:
        where = f"spec.runs {item.id!r}: " if item is not None else "spec.template."
        try:
            branch = deliver_of(shared, variables).branch
        except ValueError as error:
            raise ValueError(f"{where}{error}") from error
        if branch is not None and branch in taken:
            raise ValueError(f"{ONE_BRANCH_EACH}; two of them would have {branch!r}")
        taken.add(branch or "")
