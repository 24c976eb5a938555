"""The providers of an installation: a file of JSON that the chart writes, never with a key in it."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from autopack.errors import AutopackError, InvalidInput, printable

from .apis.routes import Api
from .money.prices import Price

VARIABLE = "AUTOPACK_GATEWAY_PROVIDERS"
_Amount = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class _Entry(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class _Price(_Entry):
    model: Annotated[str, Field(min_length=1, max_length=200)]
    input_per_m_tok: Annotated[_Amount, Field(alias="inputPerMTok")]
    output_per_m_tok: Annotated[_Amount, Field(alias="outputPerMTok")]
    cached_per_m_tok: Annotated[_Amount | None, Field(alias="cachedPerMTok")] = None
    cache_write_per_m_tok: Annotated[_Amount | None, Field(alias="cacheWritePerMTok")] = None
    max_output_tokens: Annotated[int, Field(ge=1, le=10_000_000)] = 32768


class _Provider(_Entry):
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
    api: Api
    upstream: Annotated[str, Field(pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$", max_length=2048)]
    key_file: Annotated[str, Field(max_length=4096)] = ""
    models: list[Annotated[str, Field(min_length=1, max_length=200)]] = []
    prices: list[_Price] = []
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 64


class _File(_Entry):
    providers: list[_Provider]


class KeyMissingError(AutopackError):
    """A provider's key cannot be read."""

    def __init__(self, provider: str, error: OSError) -> None:
        super().__init__("KeyMissing", f"the key of the provider {provider} cannot be read ({error.strerror})")


class Provider(NamedTuple):
    """One provider. `models` are patterns; none: all models. Without `key_file` nothing is sent as a key."""

    name: str
    api: Api
    upstream: str
    key_file: Path | None
    models: tuple[str, ...]
    prices: tuple[Price, ...]
    concurrency: int

    def has(self, model: str) -> bool:
        """Tell whether the installation lets this model be used."""
        return matches(model, self.models)

    def credentials(self) -> dict[str, str]:
        """Return the headers that prove who pays; the file is read each time, so a rotated key counts at once."""
        if self.key_file is None:
            return {}
        try:
            key = self.key_file.read_text().strip()
        except OSError as error:
            raise KeyMissingError(self.name, error) from error
        return {"x-api-key": key} if self.api is Api.ANTHROPIC else {"Authorization": f"Bearer {key}"}


def matches(model: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a model is one of these; without any pattern every one is."""
    return not patterns or any(fnmatchcase(model, pattern) for pattern in patterns)


def load(file: Path) -> dict[str, Provider]:
    """Read the declarations; InvalidInput names what is wrong with them."""
    try:
        return parse(file.read_bytes())
    except OSError as error:
        message = f"{printable(str(file), 200)} cannot be read: {error.strerror}"
        raise InvalidInput(VARIABLE, message, "Name the file with the providers") from error


def parse(text: bytes) -> dict[str, Provider]:
    """Read the declarations from the text of the file."""
    try:
        entries = _File.model_validate_json(text).providers
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or VARIABLE
        raise InvalidInput(printable(field, 120), first["msg"].lower(), "Correct gateway.providers") from error
    providers = {entry.name: _provider(entry) for entry in entries}
    if len(providers) < len(entries):
        raise InvalidInput("providers", "two have the same name", "Give each a name of its own")
    return providers


def _provider(entry: _Provider) -> Provider:
    prices = [
        Price.of(
            one.model,
            one.input_per_m_tok,
            one.output_per_m_tok,
            one.cached_per_m_tok,
            one.cache_write_per_m_tok,
            one.max_output_tokens,
        )
        for one in entry.prices
    ]
    key = Path(entry.key_file) if entry.key_file else None
    return Provider(entry.name, entry.api, entry.upstream, key, tuple(entry.models), tuple(prices), entry.concurrency)
