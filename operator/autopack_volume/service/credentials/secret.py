"""What a mounted Secret holds, read for each use."""

from __future__ import annotations

from autopack_volume.service.answers import TransientError

from .declared import Credential

_MAX_BYTES = 1 << 20


def read_key(credential: Credential, key: str) -> str:
    """Return a key's value without its final newline; TransientError names Secret and key when it cannot be had.

    Transient, for the administrator may add it at any time, and the kubelet mounts it a minute later.
    """
    value = read_optional(credential, key)
    if value is None:
        raise _unusable(credential, f"has no key '{key}'")
    if not value or not value.isprintable():
        raise _unusable(credential, f"has a key '{key}' that is empty, or more than one line of text")
    return value


def read_optional(credential: Credential, key: str) -> str | None:
    """Return a key's value without its final newline; None when there is no such key."""
    try:
        with (credential.folder / key).open("rb") as file:
            return file.read(_MAX_BYTES).decode().rstrip("\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise _unusable(credential, f"has a key '{key}' that cannot be read") from None


def need_file(credential: Credential, key: str) -> str:
    """Return the path of a key that a program reads itself."""
    if not read_optional(credential, key):
        raise _unusable(credential, f"has no key '{key}'")
    return str(credential.folder / key)


def _unusable(credential: Credential, what: str) -> TransientError:
    message = f"the Secret '{credential.secret}' of git credential '{credential.name}' {what}"
    return TransientError("CredentialUnusable", message, "Correct the Secret; it is read again by itself")
