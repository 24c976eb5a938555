"""What the operator tells the gateway, and what the gateway tells of runs."""

from __future__ import annotations

from dataclasses import dataclass

from autopack.agents.usage import Usage


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that may be spent under one scope: `run:<uid>`, `batch:<uid>` or `profile:<name>:<start of the window>`.
    None does not bound. `usd` is decimal text.
    """

    scope: str
    usd: str | None = None
    tokens: int | None = None
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """A provider, and patterns of the models of it that may be used; any if empty."""

    provider: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """One pod may use these providers for its run. A later attempt's takes the place of an earlier one's."""

    run_uid: str
    run_name: str
    attempt: int
    pod_uid: str
    batch: str | None
    providers: tuple[Allowed, ...]
    bounds: tuple[Bound, ...]
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """What all attempts of a run have used. `exhausted` is the scope for whose sake its last request was refused."""

    run_uid: str
    usage: Usage
    exhausted: str | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """What changed after a cursor, and the cursor to ask with next."""

    cursor: str
    runs: tuple[Spent, ...]


@dataclass(frozen=True, slots=True)
class GatewayFailure:
    """The gateway did not do what was asked; it is asked again."""

    message: str
