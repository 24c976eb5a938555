"""The credentials to write with: declared as those to read with, and each says what kind of host its server is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from autopack.errors import AutopackError, printable
from autopack_volume.service.credentials.access import Credentials
from autopack_volume.service.credentials.declared import Credential, Entry, Place, load_entries

from .hosts.address import HostKind

PLACE = Place("AUTOPACK_PUBLISHER_CREDENTIALS", "publisher.credentials")
_RIGHTS = {"contents": "write", "pull_requests": "write", "statuses": "write"}
"""What a GitHub App is asked for. Without `workflows`, GitHub lets it change nothing below .github/workflows."""


class _Host(BaseModel):
    """What speaks at the server besides git."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: HostKind = HostKind.PLAIN
    api: Annotated[str, Field(max_length=2048, pattern=r"^(https://[^\s\"\\@]+)?$")] = ""


class _Entry(Entry):
    """One entry of the chart's `publisher.credentials`."""

    host: _Host = _Host()


class Chosen(NamedTuple):
    """A credential and its host."""

    credential: Credential
    kind: HostKind
    api: str


class WriteCredentials:
    """The credentials of one installation, and how git and a host's API get them."""

    def __init__(self, file: Path | None) -> None:
        found = [] if file is None else load_entries(file, _Entry, PLACE)
        self._hosts = {credential.name: entry.host for entry, credential in found}
        self.git = Credentials(tuple(credential for _, credential in found), _RIGHTS)

    def choose(self, target: str, name: str) -> Chosen:
        """Return the one for a repository. AutopackError CredentialMissing when none is for it."""
        credential = self.git.choose(target, name)
        if credential is None:
            which = f"'{printable(name, 80)}' of {PLACE.field} is not" if name else f"no entry of {PLACE.field} is"
            fix = "Declare one whose urlPrefix the address begins with"
            raise AutopackError("CredentialMissing", f"{which} for {printable(target, 200)}", fix)
        host = self._hosts[credential.name]
        return Chosen(credential, host.kind, host.api)
