"""The credentials that an installation declares: a file of JSON that the chart writes, never with a secret in it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from autopack.errors import InvalidInput, printable

from .addresses import Address, covers, parse

_VARIABLE = "AUTOPACK_GIT_CREDENTIALS"
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


class _Entry(BaseModel):
    """One entry of the chart's `git.credentials`."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
    url_prefix: Annotated[str, Field(min_length=1, max_length=2048)]
    kind: Kind
    secret_name: Annotated[str, Field(max_length=253)] = ""
    proxy: Annotated[str, Field(max_length=2048, pattern=r"^((https?|socks5h?)://[^\s\"\\@]+)?$")] = ""
    api: Annotated[str, Field(max_length=2048, pattern=r"^(https://[^\s\"\\@]+)?$")] = ""


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
    """Read the declarations; InvalidInput names what is wrong with them, OSError says that they cannot be read.

    The Secret of the entry `github` is expected in `secrets/github` beside the file, its CA bundle in `ca/github`.
    """
    try:
        entries = TypeAdapter(list[_Entry]).validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(_VARIABLE, printable(f"git.credentials.{place}: {first['msg']}", 300)) from None
    found = tuple(_credential(entry, file.parent) for entry in entries)
    for kind in ("name", "prefix"):
        values = [getattr(credential, kind) for credential in found]
        if len(set(values)) < len(values):
            raise InvalidInput(_VARIABLE, f"two of git.credentials have the same {kind}", "Remove one of them")
    return found


def _credential(entry: _Entry, folder: Path) -> Credential:
    where = f"git.credentials of '{entry.name}'"
    prefix = parse(entry.url_prefix)
    schemes = _SCHEMES[entry.kind]
    if prefix is None or prefix.scheme not in schemes:
        example = f"{schemes[0]}://host/owner" if schemes[0] != "ssh" else "ssh://git@host/owner"
        message = f"{where}: urlPrefix '{printable(entry.url_prefix, 120)}' does not fit kind {entry.kind}"
        raise InvalidInput(_VARIABLE, message, f"Give one such as {example}")
    if prefix.scheme != "ssh" and prefix.user:
        raise InvalidInput(_VARIABLE, f"{where}: urlPrefix carries a user name", "Put it into the Secret")
    if entry.kind is not Kind.NONE and not entry.secret_name:
        raise InvalidInput(_VARIABLE, f"{where}: kind {entry.kind} needs a secretName", "Name a Secret")
    if entry.proxy and prefix.scheme == "ssh":
        raise InvalidInput(_VARIABLE, f"{where}: a proxy serves http and https alone", "Remove the proxy")
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


def choose(credentials: tuple[Credential, ...], url: str) -> Credential | None:
    """Return the credential with the longest prefix that the address begins with."""
    address = parse(url)
    if address is None:
        return None
    fitting = [credential for credential in credentials if covers(credential.prefix, address)]
    return max(fitting, key=lambda credential: (len(credential.prefix.path), credential.prefix.user), default=None)
