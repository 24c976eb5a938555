"""How git gets a credential: by settings in memory and by paths of mounted files, never by words or environment."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from .declared import Credential, Kind, choose
from .github_app import READ, Tokens
from .secret import need_file, read_key

_SSH = (
    # No file of the image's, nothing asked, no key but the declared one, no host that is not known.
    "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes "
    "-o IdentityAgent=none -o UpdateHostKeys=no -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ForwardAgent=no "
)


class Access(NamedTuple):
    """What a git command gets to reach one address: options before the subcommand, environment, descriptors."""

    options: tuple[str, ...]
    env: dict[str, str]
    descriptors: tuple[int, ...]


class Credentials:
    """The credentials of one installation."""

    def __init__(self, declared: tuple[Credential, ...] = (), permissions: Mapping[str, str] = READ) -> None:
        self._declared = declared
        self._tokens = Tokens(permissions)

    def choose(self, url: str, name: str = "") -> Credential | None:
        """Return the credential that an address gets: the one of that name, if it is for that address."""
        return choose(self._declared, url, name)

    def name_for(self, url: str) -> str:
        """Return the name of the credential that an address gets; empty when it gets none."""
        credential = self.choose(url)
        return "" if credential is None or credential.kind is Kind.NONE else credential.name

    @contextmanager
    def access(self, url: str, name: str = "") -> Iterator[Access]:
        """Yield what git needs for one address. TransientError when its Secret cannot be used."""
        credential = self.choose(url, name)
        ssh = {"GIT_SSH_COMMAND": _ssh_command(credential), "GIT_SSH_VARIANT": "ssh"}
        lines = [] if credential is None else self._settings_for(credential)
        if not lines:
            yield Access((), ssh, ())
            return
        # A file in memory without a name: not in the arguments or the environment, where other processes and logs see
        # it, and not on a disk. Each git process opens it for itself.
        descriptor = os.memfd_create("git-settings")
        try:
            # For this address alone: git gives it to no other, wherever it is led.
            os.write(descriptor, f'[http "{_quoted(url)}"]\n{"".join(lines)}'.encode())
            yield Access(("-c", f"include.path=/proc/self/fd/{descriptor}"), ssh, (descriptor,))
        finally:
            os.close(descriptor)

    def token(self, credential: Credential) -> str:
        """Return what proves us to the server's API. TransientError when the Secret cannot be used."""
        match credential.kind:
            case Kind.BASIC:
                return read_key(credential, "password")
            case Kind.GITHUB_APP:
                return self._tokens.get(credential)
            case Kind.BEARER | Kind.SSH | Kind.NONE:
                return read_key(credential, "bearerToken")

    def _settings_for(self, credential: Credential) -> list[str]:
        values = {"extraHeader": self._header(credential), "proxy": credential.proxy, "sslCAInfo": ""}
        if (ca := credential.ca_file) is not None:
            values["sslCAInfo"] = str(ca)
        return [f'\t{name} = "{_quoted(value)}"\n' for name, value in values.items() if value]

    def _header(self, credential: Credential) -> str:
        match credential.kind:
            case Kind.BASIC:
                return _basic(read_key(credential, "username"), read_key(credential, "password"))
            case Kind.BEARER:
                return f"Authorization: Bearer {read_key(credential, 'bearerToken')}"
            case Kind.GITHUB_APP:
                return _basic("x-access-token", self._tokens.get(credential))
            case Kind.SSH | Kind.NONE:
                return ""


def _basic(user: str, password: str) -> str:
    return f"Authorization: Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _ssh_command(credential: Credential | None) -> str:
    if credential is None or credential.kind is not Kind.SSH:
        return f"{_SSH}-o UserKnownHostsFile=/dev/null"
    known, identity = need_file(credential, "known_hosts"), need_file(credential, "identity")
    return f"{_SSH}-o UserKnownHostsFile={known} -i {identity}"
