"""What the command's container starts, and how its prompt gets there: never in the environment, and on the command line
only where an agent has no other way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from autopack.kept_files import KeptFiles
from autopack_operator.domain.api.agents import Agent, Word
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.run.agent_policy import agent_of

_WORDS = re.compile("|".join(map(re.escape, (Word.PROMPT_FILE, Word.MODEL, Word.ARTIFACTS))))


@dataclass(frozen=True, slots=True)
class Launch:
    """The words of the command line, and what the entrypoint is told to do with the prompt's file."""

    words: tuple[str, ...]
    options: tuple[str, ...] = ()


def launch_of(spec: AutopackRunSpec, profile: RunProfileSpec, files: KeptFiles) -> Launch:
    """How the run's command is started: its own, or its agent's with the prompt."""
    agent = agent_of(spec, profile)
    if agent is None:
        return Launch((*(spec.command or ()), *spec.args))
    prompt = str(files.prompt)
    model = spec.agent.model if spec.agent is not None else None
    values: dict[str, str] = {Word.PROMPT_FILE: prompt, Word.ARTIFACTS: str(files.artifacts), Word.MODEL: model or ""}
    own = (*agent.command, *(agent.model_args if model is not None else ()))
    return Launch((*(_filled(word, values) for word in own), *spec.args), _options(agent, prompt))


def _options(agent: Agent, prompt: str) -> tuple[str, ...]:
    places = [place for place, word in enumerate(agent.command) if word == Word.PROMPT]
    if places:
        return tuple(option for place in places for option in ("--word-from", f"{place}={prompt}"))
    return () if agent.reads_a_file else ("--stdin", prompt)


def _filled(word: str, values: Mapping[str, str]) -> str:
    return _WORDS.sub(lambda found: values[found[0]], word)
