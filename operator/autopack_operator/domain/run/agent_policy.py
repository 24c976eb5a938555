"""Which agent a run gets, and what its profile has against it."""

from __future__ import annotations

from fnmatch import fnmatchcase

from autopack_operator.domain.api.agents import MAX_PROMPT_ARGUMENT, Agent
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec

Objection = tuple[str, str]
"""A reason, and the message for people."""


def agent_of(spec: AutopackRunSpec, profile: RunProfileSpec) -> Agent | None:
    """The agent that the run names, as the profile has it; None for a run with a command of its own."""
    return next((agent for agent in profile.agents if spec.agent and agent.name == spec.agent.name), None)


def objection(spec: AutopackRunSpec, profile: RunProfileSpec) -> Objection | None:
    """Why the run cannot have the agent that it names; None when it can, or names none."""
    if spec.agent is None:
        return None
    agent, place = agent_of(spec, profile), f"RunProfile {spec.profile_ref.name!r}"
    if agent is None:
        known = ", ".join(sorted(each.name for each in profile.agents))
        has = f"it has {known}" if known else "it has none; an administrator adds agents to its spec.agents"
        return "AgentUnknown", f"spec.agent.name {spec.agent.name!r} is no agent of {place}; {has}"
    return _to_model(agent, spec.agent.model, place) or _to_length(agent, spec.prompt or "", place)


def _to_model(agent: Agent, model: str | None, place: str) -> Objection | None:
    if model is None:
        return None
    if not agent.model_args:
        return (
            "ModelNotAllowed",
            f"agent {agent.name!r} of {place} lets runs choose no model; leave spec.agent.model out",
        )
    if agent.models and not any(fnmatchcase(model, pattern) for pattern in agent.models):
        allowed = ", ".join(agent.models)
        message = f"spec.agent.model {model!r} is not among the models of agent {agent.name!r} of {place}: {allowed}"
        return "ModelNotAllowed", message
    return None


def _to_length(agent: Agent, prompt: str, place: str) -> Objection | None:
    size = len(prompt.encode())
    if not agent.takes_an_argument or size <= MAX_PROMPT_ARGUMENT:
        return None
    message = (
        f"spec.prompt has {size} bytes, and agent {agent.name!r} of {place} takes it as an argument, which can have "
        f"{MAX_PROMPT_ARGUMENT}; shorten it, or name an agent that reads a file or its standard input"
    )
    return "PromptTooLong", message
