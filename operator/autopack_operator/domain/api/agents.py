"""Agents, which a RunProfile offers, and prompts, which runs give them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from autopack.agents.formats import OutputFormat
from autopack_operator.domain.api.bindings import BoundEnv, KeyRef
from autopack_operator.domain.api.common import DNS_LABEL, MAX_ENV, Argument, Model
from autopack_operator.domain.api.placeholders import PLACEHOLDER

MAX_PROMPT = 256 << 10
"""Bytes of a prompt."""

MAX_PROMPT_ARGUMENT = 120 << 10
"""Bytes of a prompt that is one word of a command line: Linux allows 128 KiB for one word, with what ends it."""


class Word(StrEnum):
    """What stands in an agent's command for something of the run. No shell ever reads it."""

    PROMPT = "{prompt}"
    PROMPT_FILE = "{prompt-file}"
    MODEL = "{model}"
    ARTIFACTS = "{artifacts}"


def _fits(text: str) -> str:
    if (size := len(text.encode())) > MAX_PROMPT:
        raise ValueError(f"the prompt has {size} bytes; {MAX_PROMPT} (256 KiB) are the most")
    return text


Prompt = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_PROMPT,
        # Not blank, and without NUL, which no argument and few programs can hold.
        pattern=r"^[^\x00]*[^\s\x00][^\x00]*$",
        description="What the agent is asked to do, up to 256 KiB. It reaches the command as the file "
        "$AUTOPACK_PROMPT_FILE.",
    ),
    AfterValidator(_fits),
]
ModelName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=rf"^([A-Za-z0-9_.]|{PLACEHOLDER})([A-Za-z0-9_.:/@+=\[\]-]|{PLACEHOLDER})*$",
        description="Model that the agent uses, in the agent's own words; the agent's default when absent.",
    ),
]


class Agent(Model):
    """A program that works on a prompt, and how it is started."""

    list_map_keys: ClassVar[dict[str, str]] = {"env": "name"}

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL, description="Name that runs use.")]
    image: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=512,
            description="Image with the agent, which its runs may use; the profile's default image when absent.",
        ),
    ] = None
    command: Annotated[
        list[Argument],
        Field(
            min_length=1,
            max_length=64,
            description="What to execute in the worktree, without a shell. In a word, {prompt-file} is the path of the "
            "prompt's file, and {artifacts} that of the artifacts' folder; the word {prompt} is the prompt itself, of "
            "120 KiB at most. Without {prompt-file} and {prompt}, the prompt is the standard input.",
        ),
    ]
    model_args: Annotated[
        list[Argument],
        Field(
            max_length=16,
            description="Added to the command of a run that names a model, which stands for {model} in them. Without "
            "them, runs cannot name one.",
        ),
    ] = []
    models: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(max_length=64, description="Shell-style patterns (*, ?) of the models that runs may name; any if empty."),
    ] = []
    env: Annotated[
        list[BoundEnv],
        Field(
            max_length=MAX_ENV,
            description="Variables of the agent's runs, its keys for example. They win over those of a run.",
        ),
    ] = []
    provider: Annotated[
        str | None,
        Field(min_length=1, max_length=63, pattern=DNS_LABEL, description="Who serves its models, anthropic for one."),
    ] = None
    version: Annotated[
        str | None, Field(min_length=1, max_length=63, description="Version of the agent, for people to read.")
    ] = None
    output: Annotated[
        OutputFormat,
        Field(
            description="Format of what it prints, from which its transcript and usage are read: with mini-trajectory, "
            "of the file {artifacts}/trajectory.json; of text nothing is read."
        ),
    ] = OutputFormat.TEXT

    @property
    def reads_a_file(self) -> bool:
        """Whether its command names the prompt's file."""
        return any(Word.PROMPT_FILE in word for word in self.command)

    @property
    def takes_an_argument(self) -> bool:
        """Whether the prompt is a word of its command line."""
        return Word.PROMPT in self.command


class AgentChoice(Model):
    """Which of the profile's agents works on the prompt, and with which model."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=130,
            pattern=f"^([a-z0-9]([-a-z0-9]*[a-z0-9])?|{PLACEHOLDER})$",
            description="Name of one of the RunProfile's agents.",
        ),
    ]
    model: ModelName | None = None


class AgentDifference(Model):
    """What one run of a batch has instead of the template's agent or model."""

    name: Annotated[
        str | None,
        Field(min_length=1, max_length=63, pattern=DNS_LABEL, description="Replaces the template's agent.name."),
    ] = None
    model: ModelName | None = None


_NO_NAME = "(^|/)[.]{0,2}(/|$)"
"""An empty part of a path, `.` or `..`."""


class PromptFrom(Model):
    """Where a prompt comes from: a key of a ConfigMap, or a file of the repository."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "has(self.configMapKeyRef) != has(self.file)",
                    "message": "set exactly one of promptFrom.configMapKeyRef and promptFrom.file",
                },
                {
                    # A split would be too dear for the runs of a batch.
                    "rule": f"!has(self.file) || !self.file.matches('{_NO_NAME}')",
                    "message": "promptFrom.file is not a path inside of the repository; write it as docs/task.md",
                },
            ]
        }
    )

    config_map_key_ref: Annotated[
        KeyRef | None,
        Field(
            description="A key of a ConfigMap in the run's namespace that has the label autopack.dev/prompt: "
            '"true". It is read when an attempt is prepared.'
        ),
    ] = None
    file: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=512,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="Path of a file in the commit that the run starts from, such as docs/task.md.",
        ),
    ] = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.config_map_key_ref is None) == (self.file is None):
            raise ValueError("set exactly one of promptFrom.configMapKeyRef and promptFrom.file")
        if self.file is not None and re.search(_NO_NAME, self.file):
            raise ValueError("promptFrom.file is not a path inside of the repository; write it as docs/task.md")
        return self
