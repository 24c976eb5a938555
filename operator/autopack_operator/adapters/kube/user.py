"""A connection with a person's own rights: the kubeconfig, as kubectl reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, list_kube_config_contexts, load_incluster_config, load_kube_config
from yaml import YAMLError

from autopack_operator.adapters.kube.connection import Connection, NoCredentialsError

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_BAD_FILE = (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError, YAMLError)
_FIX = "Set KUBECONFIG or give --kubeconfig; `kubectl config view` shows what it says"


@dataclass(frozen=True)
class UserConnection:
    """The connection, the namespace that its context names (None: it names none), and the server's address."""

    connection: Connection
    namespace: str | None
    server: str


async def open_as_user(
    kubeconfig: str | None, context: str | None, environ: Mapping[str, str] = os.environ
) -> UserConnection:
    """Connect as the kubeconfig says; in a pod without one, as its ServiceAccount. Raises NoCredentialsError."""
    configuration = Configuration()
    configuration.retries = False
    place = kubeconfig or environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    if not _exists(place):
        if kubeconfig is None and context is None:
            return _in_cluster(configuration, place)
        raise NoCredentialsError(f"there is no kubeconfig ({place}). {_FIX}")
    try:
        contexts, active = list_kube_config_contexts(place)  # type: ignore[no-untyped-call]
        await load_kube_config(  # type: ignore[no-untyped-call]
            config_file=place, context=context, client_configuration=configuration, persist_config=False
        )
    except _BAD_FILE as error:
        message = " ".join(str(error).split()) or type(error).__name__
        raise NoCredentialsError(f"the kubeconfig {place} cannot be used: {message}. {_FIX}") from error
    chosen = active if context is None else next(one for one in contexts if one["name"] == context)
    return UserConnection(Connection(configuration), chosen["context"].get("namespace"), configuration.host)


def _exists(place: str) -> bool:
    return any(Path(one).exists() for one in place.split(os.pathsep) if one)


def _in_cluster(configuration: Configuration, place: str) -> UserConnection:
    try:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except ConfigException as error:
        raise NoCredentialsError(f"there is no kubeconfig ({place}). {_FIX}") from error
    try:
        namespace = (_ACCOUNT / "namespace").read_text().strip()
    except OSError:
        namespace = ""
    return UserConnection(Connection(configuration), namespace or None, configuration.host)
