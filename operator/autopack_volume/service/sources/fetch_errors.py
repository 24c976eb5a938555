"""What a failed fetch means for the caller: worth another try, or not. Pure."""

from __future__ import annotations

from autopack.errors import AutopackError
from autopack.git.runner import GitError
from autopack_volume.service.answers import TransientError

_TRANSIENT = (
    "could not resolve host",
    "couldn't resolve host",
    "temporary failure in name resolution",
    "connection timed out",
    "connection refused",
    "connection reset",
    "failed to connect",
    "operation timed out",
    "operation too slow",
    "early eof",
    "unexpected disconnect",
    "the remote end hung up unexpectedly",
    "rpc failed",
    "returned error: 429",
    "returned error: 50",
    # Connections that break in TLS, in the words of GnuTLS and OpenSSL, and of curl when nothing came at all.
    "gnutls recv error",
    "gnutls_handshake() failed",
    "ssl_error_syscall",
    "unexpected eof",
    "empty reply from server",
    "no space left on device",
    "disk quota exceeded",
    "unable to create temporary",
    "cannot lock ref",
)
_NOT_FOUND = (
    "repository not found",
    # What git itself makes of a 404: repository 'https://…' not found.
    "' not found",
    "returned error: 404",
    "does not appear to be a git repository",
    "does not exist",
)
_MOVED = tuple(f"returned error: {code}" for code in (301, 302, 303, 307, 308))
_NOT_ALLOWED = (
    "could not read username",
    "could not read password",
    "authentication failed",
    "returned error: 401",
    "returned error: 403",
    "permission denied",
    "terminal prompts disabled",
)
_UNKNOWN_HOST_KEY = ("host key verification failed", "remote host identification has changed")
_UNKNOWN_CA = ("certificate verification failed", "ssl certificate problem", "unable to get local issuer")


def classify(error: GitError, credential: str = "") -> AutopackError:
    """Return a TransientError, or the final answer: RepositoryNotFound, RepositoryMoved, HostNotTrusted,
    CredentialMissing or FetchFailed. `credential` names the one of git.credentials that was used, if one was.

    A credential that is refused is transient: it may have expired, and is read again when it is renewed.
    """
    said = error.stderr.decode("utf-8", "replace").lower()
    if error.reason == "GitTimeout":
        return TransientError("FetchTimeout", error.message)
    if any(text in said for text in _UNKNOWN_HOST_KEY):
        return AutopackError("HostNotTrusted", error.message, _host_key_fix(credential))
    if any(text in said for text in _UNKNOWN_CA):
        fix = "Name the CA that signed the server's certificate in git.credentials[].caBundle"
        return AutopackError("HostNotTrusted", error.message, fix)
    # What names the repository goes first: a missing one also "hangs up unexpectedly" over ssh and files.
    if any(text in said for text in _NOT_FOUND):
        fix = f"Check the URL, and what git credential '{credential}' may read" if credential else "Check the URL"
        return AutopackError("RepositoryNotFound", error.message, fix)
    if any(text in said for text in _MOVED):
        fix = "Redirects are not followed: give the address that it redirects to as source.url"
        return AutopackError("RepositoryMoved", error.message, fix)
    if any(text in said for text in _NOT_ALLOWED):
        return _not_allowed(error, credential)
    if any(text in said for text in _TRANSIENT):
        return TransientError("FetchFailed", error.message)
    return AutopackError("FetchFailed", error.message)


def _not_allowed(error: GitError, credential: str) -> AutopackError:
    if credential:
        fix = f"The server refuses git credential '{credential}': renew its Secret, or give it the right to read"
        return TransientError("CredentialRefused", error.message, fix)
    fix = (
        "The repository does not exist, or is not public: declare a credential for it in git.credentials, "
        "or import it with autopack-runtime import-repository"
    )
    return AutopackError("CredentialMissing", error.message, fix)


def _host_key_fix(credential: str) -> str:
    if credential:
        return f"Put the server's present key into known_hosts of git credential '{credential}', once it is verified"
    return "Declare an SSH credential with known_hosts for this server in git.credentials"


def is_missing_ref(error: GitError) -> bool:
    """Tell whether the other side answered, but has no such ref."""
    said = error.stderr.decode("utf-8", "replace").lower()
    return "couldn't find remote ref" in said or "not our ref" in said


def may_be_damage(error: GitError) -> bool:
    """Tell whether a failed update may be the fault of our own copy: of none that we know on the other side."""
    final = classify(error)
    known = isinstance(final, TransientError) or final.reason == "RepositoryNotFound" or bool(final.fix)
    return not known and not is_missing_ref(error)
