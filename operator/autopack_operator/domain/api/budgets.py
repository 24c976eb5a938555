"""Budgets of runs, batches and profiles, and the providers of models that a profile's runs may use."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from autopack.agents.usage import MOST
from autopack_operator.domain.api.common import DNS_LABEL, Model

Dollars = Annotated[
    str,
    Field(max_length=14, pattern=r"^[0-9]{1,7}([.][0-9]{1,6})?$"),
]
"""Text, as costs are in a status: a float would not say what it is."""


class Budget(Model):
    """The most that may be used of models through the gateway. What is absent is not bounded."""

    usd: Annotated[Dollars | None, Field(description='US dollars, as text: "2.50".')] = None
    tokens: Annotated[int | None, Field(ge=0, le=MOST, description="Tokens that are sent and answered.")] = None
    requests: Annotated[int | None, Field(ge=0, le=MOST, description="Requests to models.")] = None


class WindowLength(StrEnum):
    """How long what was spent counts."""

    DAY = "Day"
    MONTH = "Month"


def _is_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write it as Europe/Berlin, or UTC") from error
    return name


class ProfileBudget(Model):
    """What all runs of the profile together may spend in a day or a month; then they wait for the next one."""

    window: Annotated[WindowLength, Field(description="Day or Month of the calendar.")] = WindowLength.MONTH
    timezone: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$",
            description="Time zone in which it begins, Europe/Berlin for example.",
        ),
        AfterValidator(_is_timezone),
    ] = "UTC"
    usd: Annotated[Dollars, Field(description='US dollars, as text: "200".')]


class ProviderApi(StrEnum):
    """What a provider's clients speak, which decides how an agent is told its address."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    OPENAI_COMPATIBLE = "openai-compatible"


class Provider(Model):
    """A provider of models that the installation's gateway has, and which of its models runs may use."""

    name: Annotated[
        str, Field(min_length=1, max_length=63, pattern=DNS_LABEL, description="Its name in gateway.providers.")
    ]
    api: Annotated[ProviderApi, Field(description="anthropic, openai or openai-compatible.")]
    models: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(max_length=64, description="Shell-style patterns (*, ?) of the models that runs may use; any if empty."),
    ] = []
