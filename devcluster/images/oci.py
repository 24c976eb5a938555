"""Writing an OCI image of one layer, as an archive that containerd, Docker and Buildah read."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EPOCH = "1970-01-01T00:00:00Z"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Image:
    """What an image is, its files aside."""

    name: str
    """With tag, for example `localhost/pause:dev`."""
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Sequence[str] = ()
    """`NAME=value` each."""


def layer_of(files: Mapping[str, Path]) -> bytes:
    """Return a layer with executable files (path in the image -> file here), the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for name, source in sorted(files.items()):
            content = source.read_bytes()
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.mode = 0o755
            entry.size = len(content)
            layer.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def write_archive(archive: Path, image: Image, layer: Path, *, architecture: str) -> None:
    """Write `archive` holding `image` with the one uncompressed layer in the file `layer`."""
    layer_digest = _digest_of(layer)
    config = _json(
        {
            "created": _EPOCH,
            "architecture": architecture,
            "os": "linux",
            "config": {
                "Entrypoint": list(image.entrypoint),
                "Cmd": list(image.command),
                "Env": list(image.environment),
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
            "history": [{"created": _EPOCH, "created_by": "devcluster"}],
        }
    )
    oci = "application/vnd.oci.image"
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{oci}.manifest.v1+json",
            "config": _descriptor(f"{oci}.config.v1+json", config),
            "layers": [
                {
                    "mediaType": f"{oci}.layer.v1.tar",
                    "digest": f"sha256:{layer_digest}",
                    "size": layer.stat().st_size,
                }
            ],
        }
    )
    names = {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": image.name}
    index = {
        "schemaVersion": 2,
        "manifests": [{**_descriptor(f"{oci}.manifest.v1+json", manifest), "annotations": names}],
    }
    unfinished = archive.with_name(f".{archive.name}.unfinished")
    with tarfile.open(unfinished, mode="w") as tar:
        _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", _json(index))
        for blob in (config, manifest):
            _add(tar, f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob)
        tar.add(layer, arcname=f"blobs/sha256/{layer_digest}")
    unfinished.replace(archive)


def program_archive(archive: Path, name: str, program: Path, *, architecture: str) -> None:
    """Write an image that holds nothing but one static program, which it runs."""
    with tempfile.TemporaryDirectory() as scratch:
        layer = Path(scratch, "layer.tar")
        layer.write_bytes(layer_of({program.name: program}))
        write_archive(archive, Image(name, entrypoint=[f"/{program.name}"]), layer, architecture=architecture)


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}", "size": len(blob)}


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
