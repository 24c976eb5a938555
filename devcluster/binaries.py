"""The Go programs: built once per version of their sources, cached for all checkouts of the user."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from devcluster.commands import output_of, run_logged
from devcluster.failure import Failure
from devcluster.layout import Layout
from devcluster.locking import exclusive
from devcluster.progress import Progress

KUBE_PROGRAMS = (
    "etcd",
    "forward",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "pki",
    "provisioner",
)
"""Names the multi-call binary `kube` goes by."""

CLUSTER_PACKAGES = ("./cmd/kube", "./cmd/dns", "./cmd/pause", "./cmd/probe", "helm.sh/helm/v3/cmd/helm")
CLIENT_PACKAGES = ("k8s.io/kubernetes/cmd/kubectl", "./cmd/probe", "helm.sh/helm/v3/cmd/helm")
"""What a cluster that is not ours needs of us: two clients and the test image's program."""

KWOK_PACKAGES = ("sigs.k8s.io/kwok/cmd/kwok",)
"""Nodes without machines, for measurements. A module of its own, so that it asks for no new build of the cluster."""

GITEA_MODULE = "code.gitea.io/gitea"
GITEA_TAGS = "sqlite,sqlite_unlock_notify"
GITEA_FILES = ("options", "public", "templates")
"""A git host with pull requests, for tests. Its database is in C; it reads these folders of its module at run time."""

KUBEBUILDER_PROGRAMS = ("etcd", "kube-apiserver", "kubectl")
KEPT_BUILDS = 3


def source_key(go_directory: Path, packages: tuple[str, ...], go_version: str) -> str:
    """Return the hash over all that goes into a build: sources, module versions, packages and compiler."""
    digest = hashlib.sha256(repr((packages, go_version)).encode())
    for path in sorted(go_directory.rglob("*")):
        if path.is_file() and not path.name.endswith("_test.go"):
            digest.update(f"\0{path.relative_to(go_directory)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def linker_flags(go_mod: str) -> str:
    """Return the flags that put the versions in go.mod into the programs, as their own release builds do."""
    kubernetes, helm = (_required(go_mod, module) for module in ("k8s.io/kubernetes", "helm.sh/helm/v3"))
    minor = kubernetes.split(".")[1]
    values = {
        "k8s.io/component-base/version.gitVersion": kubernetes,
        "k8s.io/component-base/version.gitMajor": "1",
        "k8s.io/component-base/version.gitMinor": minor,
        "k8s.io/client-go/pkg/version.gitVersion": kubernetes,
        "helm.sh/helm/v3/internal/version.version": helm,
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": "1",
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": minor,
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": "1",
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": minor,
    }
    return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in values.items())])


def _required(go_mod: str, module: str) -> str:
    found = re.search(rf"^\s*{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise Failure(f"devcluster/go/go.mod does not require {module}")
    return found.group(1)


def program_path(built: Path, name: str, environment: Mapping[str, str]) -> Path:
    """Return where a program lies: in KUBEBUILDER_ASSETS where the user has it there, else among those built."""
    assets = environment.get("KUBEBUILDER_ASSETS", "")
    if assets and name in KUBEBUILDER_PROGRAMS and (Path(assets) / name).exists():
        return Path(assets) / name
    return built / name


def ensure(layout: Layout, packages: tuple[str, ...], progress: Progress) -> Path:
    """Return the directory with the built programs, building them when this version of them was not built yet."""
    folder = layout.sources / "go"
    flags = linker_flags((folder / "go.mod").read_text())
    return _ensure(
        _Recipe(folder, packages, "all of Kubernetes takes about 9 minutes", flags), layout.cache / "bin", progress
    )


def ensure_kwok(layout: Layout, progress: Progress) -> Path:
    """Return the directory with kwok, building it when this version of it was not built yet."""
    return _ensure(
        _Recipe(layout.sources / "kwok", KWOK_PACKAGES, "kwok takes 2 minutes"), layout.cache / "kwok", progress
    )


def ensure_gitea(layout: Layout, progress: Progress) -> Path:
    """Return the directory with gitea and the folders that it reads, built when this version of it was not yet."""
    recipe = _Recipe(
        layout.sources / "gitea", (GITEA_MODULE,), "Gitea takes about 7 minutes", tags=GITEA_TAGS, files=GITEA_FILES
    )
    if shutil.which("gcc") is None:
        raise Failure("Gitea's database needs a C compiler; install the Debian packages 'gcc' and 'libc6-dev'")
    return _ensure(recipe, layout.cache / "gitea", progress)


class _Recipe(NamedTuple):
    """How programs are built. `files` are folders of the first package's module to lay beside them."""

    folder: Path
    packages: tuple[str, ...]
    takes: str
    flags: str = "-s -w"
    tags: str = ""
    files: tuple[str, ...] = ()


def _ensure(recipe: _Recipe, builds: Path, progress: Progress) -> Path:
    if shutil.which("go") is None:
        wanted = recipe.folder / "go.mod"
        raise Failure(f"Go is not installed; install the version that {wanted} names, or a newer one")
    asked = recipe.packages + ((recipe.tags,) if recipe.tags else ())
    built = builds / source_key(recipe.folder, asked, output_of(["go", "env", "GOVERSION"]).strip())
    if built.exists():
        os.utime(built)
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(built.parent / ".lock", progress):
        if not built.exists():
            _build(recipe, built, progress)
            _prune(built.parent)
    return built


def _build(recipe: _Recipe, built: Path, progress: Progress) -> None:
    progress.say(f"building from Go modules, once: {recipe.takes} on two cores")
    unfinished = built.with_name(f".{built.name}.{os.getpid()}")
    unfinished.mkdir()
    try:
        run_logged(
            [
                *("go", "build", "-v", "-trimpath", "-buildvcs=false", "-tags", recipe.tags),
                *("-ldflags", recipe.flags),
                *("-o", f"{unfinished}/", *recipe.packages),
            ],
            log=built.with_name(f"{built.name}.log"),
            progress=progress,
            doing="go build",
            cwd=recipe.folder,
            env={**os.environ, "CGO_ENABLED": "1" if recipe.tags else "0"},
        )
        if recipe.files:
            where = ["go", "-C", str(recipe.folder), "list", "-m", "-f", "{{.Dir}}", recipe.packages[0]]
            folders = [f"{output_of(where).strip()}/{name}" for name in recipe.files]
            output_of(["cp", "-r", "--no-preserve=mode", *folders, f"{unfinished}/"])
        if (unfinished / "kube").exists():
            for name in KUBE_PROGRAMS:
                (unfinished / name).symlink_to("kube")
        unfinished.rename(built)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _prune(builds: Path) -> None:
    complete = [path for path in builds.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for stale in sorted(complete, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT_BUILDS:]:
        shutil.rmtree(stale, ignore_errors=True)
        stale.with_name(f"{stale.name}.log").unlink(missing_ok=True)


def link_clients(layout: Layout, programs: Mapping[str, Path]) -> None:
    """Point `.dev/bin/<name>` at each of `programs` (name -> path)."""
    layout.bin.mkdir(parents=True, exist_ok=True)
    for name, target in programs.items():
        link = layout.bin / name
        if link.is_symlink() and link.readlink() == target:
            continue
        unfinished = layout.bin / f".{name}.{os.getpid()}"
        unfinished.symlink_to(target)
        unfinished.replace(link)
