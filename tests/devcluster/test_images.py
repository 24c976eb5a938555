from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from devcluster.embedded.runtime import full_name, untagged
from devcluster.images.oci import layer_of, program_archive


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "probe"
    path.write_bytes(b"\x7fELF")
    return path


@pytest.fixture
def archive(tmp_path: Path, program: Path) -> dict[str, bytes]:
    path = tmp_path / "image.tar"
    program_archive(path, "localhost/probe:dev", program, architecture="amd64")
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def blob(archive: dict[str, bytes], descriptor: dict[str, str]) -> bytes:
    return archive["blobs/" + descriptor["digest"].replace(":", "/")]


def test_every_blob_is_named_by_its_hash(archive: dict[str, bytes]) -> None:
    blobs = {name: content for name, content in archive.items() if name.startswith("blobs/")}
    assert {name: f"blobs/sha256/{hashlib.sha256(content).hexdigest()}" for name, content in blobs.items()} == {
        name: name for name in blobs
    }


def test_the_index_leads_to_a_config_that_runs_the_program(archive: dict[str, bytes]) -> None:
    (descriptor,) = json.loads(archive["index.json"])["manifests"]
    config = json.loads(blob(archive, json.loads(blob(archive, descriptor))["config"]))
    assert config["config"]["Entrypoint"] == ["/probe"]
    assert config["architecture"] == "amd64"


def test_the_index_names_the_image_for_containerd(archive: dict[str, bytes]) -> None:
    (descriptor,) = json.loads(archive["index.json"])["manifests"]
    assert descriptor["annotations"]["io.containerd.image.name"] == "localhost/probe:dev"


def test_the_same_program_makes_the_same_layer(program: Path) -> None:
    first = layer_of({"probe": program})
    program.touch()
    assert layer_of({"probe": program}) == first


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("autopack:dev", "docker.io/library/autopack:dev"),
        ("me/autopack:dev", "docker.io/me/autopack:dev"),
        ("localhost/autopack:dev", "localhost/autopack:dev"),
        ("registry.invalid/autopack:dev", "registry.invalid/autopack:dev"),
        ("registry:5000/autopack:dev", "registry:5000/autopack:dev"),
    ],
)
def test_a_tag_means_what_the_kubelet_makes_of_it(tag: str, name: str) -> None:
    assert full_name(tag) == name


def test_only_images_that_lost_their_name_are_dropped() -> None:
    listing = """\
REF TYPE DIGEST SIZE
localhost/a:dev application/x sha256:1111 1
sha256:aaaa application/x sha256:1111 1
sha256:bbbb application/x sha256:2222 1
"""
    assert untagged(listing) == ["sha256:bbbb"]
