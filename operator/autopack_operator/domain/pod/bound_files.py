"""What a RunProfile has mounted from Secrets and ConfigMaps: one read-only volume, and a mount for each file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from autopack.bound_files import FOLDER, VARIABLE, Holder, path_of
from autopack_operator.domain.api.bindings import KeyRef, ValueFrom
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.profile import RunProfileSpec

VOLUME = "files"
CA_FILE = "/autopack-ca.crt"

_CA_VARIABLES = (
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
)
"""Read by OpenSSL, Go and Rust; curl; git; Node, Bun and Deno; pip; Python's requests."""


class _Bound(NamedTuple):
    holder: Holder
    ref: KeyRef
    mount_path: str

    @property
    def path(self) -> str:
        return path_of(self.holder, self.ref.name, self.ref.key)


def volumes(profile: RunProfileSpec) -> list[JsonDict]:
    """Return the pod's volume for them; none when there is no file."""
    items: dict[tuple[Holder, str], dict[str, str]] = defaultdict(dict)
    for file in _files(profile):
        items[file.holder, file.ref.name][file.ref.key] = file.path
    sources = [_source(holder, name, paths) for (holder, name), paths in items.items()]
    # Readable for the run's group, which is the volume's by fsGroup, and for nobody else.
    return [{"name": VOLUME, "projected": {"defaultMode": 0o440, "sources": sources}}] if sources else []


def _source(holder: Holder, name: str, paths: dict[str, str]) -> JsonDict:
    field = {Holder.SECRET: "secret", Holder.CONFIG_MAP: "configMap"}[holder]
    items = [{"key": key, "path": path} for key, path in paths.items()]
    return {field: {"name": name, "optional": True, "items": items}}


def of_command(profile: RunProfileSpec) -> list[JsonDict]:
    """Return the mounts of the command's container."""
    return [_mount(file.mount_path) | {"subPath": file.path} for file in _files(profile)]


def of_workspace(profile: RunProfileSpec) -> list[JsonDict]:
    """Return the mounts of the container that sees whether all keys are there."""
    return [_mount(FOLDER)] if any(_files(profile)) else []


def expected(profile: RunProfileSpec) -> dict[str, str]:
    """Return the variable by which that container knows what to look for."""
    paths = dict.fromkeys(file.path for file in _files(profile))
    return {VARIABLE: ":".join(paths)} if paths else {}


def trust(profile: RunProfileSpec) -> dict[str, str]:
    """Return the variables that lead programs to the certificates of `caBundle`."""
    return dict.fromkeys(_CA_VARIABLES, CA_FILE) if profile.ca_bundle is not None else {}


def _mount(path: str) -> JsonDict:
    return {"name": VOLUME, "mountPath": path, "readOnly": True}


def _files(profile: RunProfileSpec) -> Iterator[_Bound]:
    bundle: list[tuple[ValueFrom, str]] = [(profile.ca_bundle, CA_FILE)] if profile.ca_bundle is not None else []
    for source, mount_path in (*bundle, *((file, file.path) for file in profile.files)):
        for holder, ref in ((Holder.SECRET, source.secret_key_ref), (Holder.CONFIG_MAP, source.config_map_key_ref)):
            if ref is not None:
                yield _Bound(holder, ref, mount_path)
