"""Building a Dockerfile without a container engine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devcluster.commands import output_of, run_logged, succeeds
from devcluster.embedded.runtime import full_name
from devcluster.images.debian import base_key
from devcluster.images.host_settings import BUNDLE_IN_IMAGE, HostSettings
from devcluster.layout import Layout
from devcluster.progress import Progress


@dataclass(frozen=True)
class Recipe:
    """What is built, its base aside."""

    name: str
    context: Path
    """The folder that has the Dockerfile and whatever that copies."""
    bases: tuple[str, ...]
    """Arguments of the Dockerfile that name an image to start from."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Its other arguments."""


def build(
    layout: Layout, recipe: Recipe, base: Path, tag: str, settings: HostSettings, archive: Path, progress: Progress
) -> None:
    """Build the recipe on the image in `base`, and write the result to `archive`."""
    with tempfile.TemporaryDirectory() as scratch:
        base_name = _load_base(layout, base, progress)
        run_logged(
            [
                *_buildah(layout),
                *("bud", "--isolation", "chroot", "--layers", "--pull-never", "--format", "oci"),
                *(f"--build-arg={name}={base_name}" for name in recipe.bases),
                *(f"--build-arg={name}={value}" for name, value in {**recipe.arguments, **settings.proxies}.items()),
                *(f"--volume={source}:{target}:ro" for source, target in volumes(settings, Path(scratch)).items()),
                *("--tag", tag, "--file", str(recipe.context / "Dockerfile"), str(recipe.context)),
            ],
            log=layout.logs / f"{recipe.name}-image.log",
            progress=progress,
            doing=f"building {tag}",
        )
    archive.unlink(missing_ok=True)
    run_logged(
        # Docker's archive because Buildah compresses the other one, which takes longer than all the rest.
        [*_buildah(layout), "push", "--quiet", tag, f"docker-archive:{archive}:{full_name(tag)}"],
        log=layout.logs / f"{recipe.name}-image-push.log",
        progress=progress,
        doing=f"writing {tag}",
    )


def volumes(settings: HostSettings, scratch: Path) -> dict[Path, str]:
    """Return what to mount during the build (file here -> path there), writing the files that need it to `scratch`."""
    mounted: dict[Path, str] = {}
    if settings.bundle is not None:
        mounted[settings.bundle.resolve()] = BUNDLE_IN_IMAGE
    for name, text, target in (
        ("pip.conf", settings.pip_conf, "/etc/pip.conf"),
        ("apt.conf", settings.apt_conf, "/etc/apt/apt.conf.d/99host"),
        ("npmrc", settings.npmrc, "/root/.npmrc"),
    ):
        if text:
            (scratch / name).write_text(text)
            mounted[scratch / name] = target
    return mounted


def _load_base(layout: Layout, base: Path, progress: Progress) -> str:
    """Return the name of the base image in Buildah's storage; it holds the recipe's hash, so it is never stale."""
    name = f"localhost/autopack-base:{base_key()}"
    if not succeeds([*_buildah(layout), "inspect", "--type", "image", name]):
        # Layers on top of a former base are of no use any more, and add up to gigabytes.
        output_of([*_buildah(layout), "rmi", "--all", "--force"], check=False, timeout=300)
        progress.say("loading the base image")
        loaded = output_of([*_buildah(layout), "pull", "--quiet", f"oci-archive:{base}"], timeout=300).strip()
        output_of([*_buildah(layout), "tag", loaded, name])
    return name


def _buildah(layout: Layout) -> list[str]:
    storage = layout.cache / "buildah"
    paths = ("--root", str(storage / "root"), "--runroot", str(storage / "run"))
    return ["buildah", *paths, "--storage-driver", "overlay"]
