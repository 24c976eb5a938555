"""The credentials that an installation declares: a file of JSON that the chart writes, never with a secret in it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from autopack.errors import InvalidInput, printable

from .addresses import Address, covers, parse

_CA_KEYS = ("ca.crt", "caFile")


class Kind(StrEnum):
    """What a credential is. The keys of its Secret are those of Flux and Argo CD."""

    NONE = "None"
    BASIC = "Basic"
    BEARER = "Bearer"
    SSH = "SSH"
    GITHUB_APP = "GitHubApp"


_SCHEMES = {
    Kind.NONE: ("https", "http"),
    Kind.BASIC: ("https",),
    Kind.BEARER: ("https",),
    Kind.SSH: ("ssh",),
    Kind.GITHUB_APP: ("https",),
}


class Entry(BaseModel):
    """One entry of the chart's `git.credentials`."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
    url_prefix: Annotated[str, Field(min_length=1, max_length=2048)]
    kind: Kind
    secret_name: Annotated[str, Field(max_length=253)] = ""
    proxy: Annotated[str, Field(max_length=2048, pattern=r"^((https?|socks5h?)://[^\s\"\\@]+)?$")] = ""
    api: Annotated[str, Field(max_length=2048, pattern=r"^(https://[^\s\"\\@]+)?$")] = ""


E = TypeVar("E", bound=Entry)


class Place(NamedTuple):
    """Where credentials are declared: the variable that names the file, and the chart's field, for sentences."""

    variable: str
    field: str


READING = Place("AUTOPACK_GIT_CREDENTIALS", "git.credentials")


class Credential(NamedTuple):
    """One declared credential. `folder` is where its Secret is mounted, `ca` where its CA bundle is; they are read
    for each use, so a rotated Secret counts at once. `api` is where a GitHub App asks for tokens.
    """

    name: str
    prefix: Address
    kind: Kind
    secret: str
    folder: Path
    ca: Path
    proxy: str
    api: str

    @property
    def ca_file(self) -> Path | None:
        """The CA bundle for this server alone, from the chart's `caBundle` or from the Secret."""
        places = [self.ca / "ca.crt", *(self.folder / key for key in _CA_KEYS)]
        return next((path for path in places if path.is_file()), None)


def load(file: Path) -> tuple[Credential, ...]:
    """Read the declarations for reading; InvalidInput names what is wrong with them, OSError: they cannot be read."""
    return tuple(credential for _, credential in load_entries(file, Entry, READING))


def load_entries(file: Path, kind: type[E], place: Place) -> list[tuple[E, Credential]]:
    """Read declarations of a kind, each with its credential; InvalidInput or OSError as of `load`.

    The Secret of the entry `github` is expected in `secrets/github` beside the file, its CA bundle in `ca/github`.
    """
    try:
        entries = TypeAdapter(list[kind]).validate_json(file.read_bytes())  # type: ignore[valid-type]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(place.variable, printable(f"{place.field}.{where}: {first['msg']}", 300)) from None
    found = [(entry, _credential(entry, file.parent, place)) for entry in entries]
    for what in ("name", "prefix"):
        values = [getattr(credential, what) for _, credential in found]
        if len(set(values)) < len(values):
            raise InvalidInput(place.variable, f"two of {place.field} have the same {what}", "Remove one of them")
    return found


def _credential(entry: Entry, folder: Path, place: Place) -> Credential:
    where = f"{place.field} of '{entry.name}'"
    prefix = parse(entry.url_prefix)
    schemes = _SCHEMES[entry.kind]
    if prefix is None or prefix.scheme not in schemes:
        example = f"{schemes[0]}://host/owner" if schemes[0] != "ssh" else "ssh://git@host/owner"
        message = f"{where}: urlPrefix '{printable(entry.url_prefix, 120)}' does not fit kind {entry.kind}"
        raise InvalidInput(place.variable, message, f"Give one such as {example}")
    if prefix.scheme != "ssh" and prefix.user:
        raise InvalidInput(place.variable, f"{where}: urlPrefix carries a user name", "Put it into the Secret")
    if entry.kind is not Kind.NONE and not entry.secret_name:
        raise InvalidInput(place.variable, f"{where}: kind {entry.kind} needs a secretName", "Name a Secret")
    if entry.proxy and prefix.scheme == "ssh":
        raise InvalidInput(place.variable, f"{where}: a proxy serves http and https alone", "Remove the proxy")
    return Credential(
        name=entry.name,
        prefix=prefix,
        kind=entry.kind,
        secret=entry.secret_name,
        folder=folder / "secrets" / entry.name,
        ca=folder / "ca" / entry.name,
        proxy=entry.proxy,
        api=entry.api or _github_api(prefix),
    )


def _github_api(prefix: Address) -> str:
    """Return where GitHub, or a GitHub Enterprise Server of that name, has its API."""
    return "https://api.github.com" if prefix.host == "github.com" else f"https://{prefix.host}:{prefix.port}/api/v3"


def choose(credentials: tuple[Credential, ...], url: str, name: str = "") -> Credential | None:
    """Return the credential with the longest prefix that the address begins with; of that name, where one is given."""
    address = parse(url)
    if address is None:
        return None
    fitting = [one for one in credentials if covers(one.prefix, address) and name in ("", one.name)]
    return max(fitting, key=lambda credential: (len(credential.prefix.path), credential.prefix.user), default=None)
