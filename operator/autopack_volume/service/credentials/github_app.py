"""Tokens of a GitHub App: an hour long, with no more rights than are needed, renewed before they end."""

from __future__ import annotations

import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import jwt

from autopack.errors import printable
from autopack_volume.service.answers import TransientError

from .declared import Credential
from .secret import read_key, read_optional

READ = {"contents": "read"}
_RENEW_BEFORE = 600
_TIMEOUT = 20
_MAX_ANSWER = 1 << 20


class _Token(NamedTuple):
    text: str
    ends: float
    of: tuple[str, str, str]


class Tokens:
    """The tokens in use, by credential. Safe from several threads."""

    def __init__(self, permissions: Mapping[str, str] = READ) -> None:
        self._permissions = dict(permissions)
        # One for each: a server that does not answer keeps nobody waiting who asks another.
        self._locks = defaultdict[str, threading.Lock](threading.Lock)
        self._held: dict[str, _Token] = {}

    def get(self, credential: Credential) -> str:
        """Return a token that is good for ten minutes at least; TransientError when GitHub gives none."""
        app, installation = read_key(credential, "githubAppID"), read_key(credential, "githubAppInstallationID")
        key = read_optional(credential, "githubAppPrivateKey") or ""
        with self._locks[credential.name]:
            held = self._held.get(credential.name)
            if held is None or held.of != (app, installation, key) or held.ends - time.time() < _RENEW_BEFORE:
                held = _mint(credential, app, installation, key, self._permissions)
                self._held[credential.name] = held
            return held.text


def _mint(credential: Credential, app: str, installation: str, key: str, permissions: Mapping[str, str]) -> _Token:
    now = int(time.time())
    try:
        # GitHub refuses what is issued in its future, and what lives longer than ten minutes.
        signed = jwt.encode({"iat": now - 60, "exp": now + 540, "iss": app}, key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise _failed(credential, "the key githubAppPrivateKey is not an RSA key in PEM form") from None
    if not installation.isdecimal():
        raise _failed(credential, "githubAppInstallationID is not a number")
    request = urllib.request.Request(  # noqa: S310 - the declaration admits https alone
        f"{credential.api}/app/installations/{installation}/access_tokens",
        data=json.dumps({"permissions": permissions}).encode(),
        headers={"Authorization": f"Bearer {signed}", "Accept": "application/vnd.github+json"},
        method="POST",
    )
    try:
        with _opener(credential).open(request, timeout=_TIMEOUT) as response:
            answer = json.loads(response.read(_MAX_ANSWER))
        ends = datetime.fromisoformat(answer["expires_at"]).timestamp()
        return _Token(str(answer["token"]), ends, (app, installation, key))
    except urllib.error.HTTPError as error:
        error.close()
        raise _failed(credential, f"GitHub answered {error.code}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _failed(credential, printable(str(error), 200)) from None


def _opener(credential: Credential) -> urllib.request.OpenerDirector:
    ca = credential.ca_file
    proxies = {"https": credential.proxy} if credential.proxy else None
    return urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=None if ca is None else str(ca))),
        urllib.request.ProxyHandler(proxies),
        _NoRedirects(),
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The signed request is for the declared address alone."""

    def redirect_request(self, *_: object) -> None:
        return None


def _failed(credential: Credential, why: str) -> TransientError:
    message = f"no token for the GitHub App of git credential '{credential.name}': {why}"
    return TransientError("CredentialRefused", message, f"Check the Secret '{credential.secret}'")
