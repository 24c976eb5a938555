"""What worktrees take on the disk, and what a mirror that is there already has to fetch."""

from __future__ import annotations

import subprocess
from pathlib import Path

from autopack.workspace_manager import WorkspaceManager
from autopack_volume.service.settings import Settings
from autopack_volume.service.sources.mirrors import Mirrors
from bench.figures import Figure, most
from bench.settings import BYTES_A_FILE

from .repository import commit, git, tree_of
from .ways import Source, quietly

MIB = 1024 * 1024
CHANGED_FILES = 200


def disk(source: Source, scratch: Path, count: int) -> list[Figure]:
    """N worktrees with the one repository they share, against N full clones."""
    base, clones = scratch / "disk", scratch / "clones"
    objects = used(source.repo / ".git/objects")
    before = used(source.repo / ".git")
    managers = [WorkspaceManager(f"disk-{n}", source.repo, base, lease_dir=scratch / "leases") for n in range(count)]
    for manager in managers:
        manager.create_worktree()
    trees = sum(used(manager.worktree_path) for manager in managers)
    shared = used(source.repo / ".git")
    for number in range(count):
        # Not the way that makes hard links: a clone from elsewhere has its own objects.
        quietly(["git", "clone", "--quiet", "--no-local", source.repo, clones / str(number)])
    full = used(clones)
    quietly(["rm", "-rf", clones])
    growth = used(source.repo / ".git/objects") - objects
    for manager in managers:
        manager.release()
    source.clean(base)
    about = f"{count} worktrees"
    return [
        Figure("disk_vs_clones", f"{about} and their repository / {count} full clones, MiB", [(trees + shared) / full]),
        Figure("disk_worktrees_mib", f"{about} and their repository, MiB", [trees + shared]),
        Figure("disk_clones_mib", f"{count} full clones, MiB", [full]),
        Figure("disk_objects_growth_mib", f"{about}: growth of the object database, MiB", [growth], most(0)),
        Figure("disk_git_dir_mib", f"{about}: git dir of each, MiB", [(shared - before) / count]),
    ]


def warm_mirror(source: Source, scratch: Path) -> list[Figure]:
    """The mirror of a repository, fetched by the volume service's own code: at first, after a commit, and once more."""
    mirrors = Mirrors(Settings(root=scratch / "volume", protocols=("file",)))
    url = f"file://{source.repo}"
    mirrors.fetch("bench", url)
    mirror = mirrors.path("bench")
    old, first, had = git(source.repo, "rev-parse", "main"), stored(mirror), count_objects(mirror)
    commit(source.repo, tree_of(CHANGED_FILES, BYTES_A_FILE, seed=8))
    new = git(source.repo, "rev-parse", "main")
    mirrors.fetch("bench", url)
    second, has = stored(mirror), count_objects(mirror)
    mirrors.fetch("bench", url)
    again = stored(mirror) - second
    # The mirror's fetch is over; what it had to bring is what git itself would pack.
    lists = subprocess.run(
        ["git", "rev-list", "--objects", new, f"^{old}"], cwd=source.repo, check=True, capture_output=True
    ).stdout
    names = b"".join(line.split()[0] + b"\n" for line in lists.splitlines())
    least = subprocess.run(
        ["git", "pack-objects", "--stdout", "--quiet"], cwd=source.repo, input=names, check=True, capture_output=True
    ).stdout
    git(source.repo, "reset", "--hard", "--quiet", old)
    fetched = (second - first) / len(least)
    objects = (has - had) / len(names.splitlines())
    text = f"warm mirror, {CHANGED_FILES} files changed"
    return [
        Figure("fetch_vs_new_objects", f"{text}: objects that came / that are new", [objects], most(1)),
        Figure("fetch_vs_new_bytes", f"{text}: bytes that came / of a pack of what is new", [fetched], most(1.2)),
        Figure("fetch_vs_whole", f"{text}: bytes that came / of the first fetch", [(second - first) / first]),
        Figure("fetch_unchanged_bytes", "warm mirror, nothing changed: bytes that came", [again], most(0)),
    ]


def count_objects(repo: Path) -> int:
    """Return how many objects a bare repository has, each once: a pack that came may repeat what its deltas need."""
    return len(git(repo, "cat-file", "--batch-all-objects", "--batch-check=.").splitlines())


def stored(repo: Path) -> int:
    """Return the bytes of a bare repository's objects; the indexes that are made of them here are left out."""
    files = (path for path in (repo / "objects").rglob("*") if path.is_file() and path.suffix not in (".idx", ".rev"))
    return sum(path.stat().st_size for path in files)


def used(folder: Path) -> float:
    """Return the MiB that a folder's files take on the disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_dir()) / MIB
