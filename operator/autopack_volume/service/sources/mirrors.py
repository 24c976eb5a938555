"""Mirrors of repositories on the volume. Blocking; the caller sees to it that one fetch per mirror runs at a time."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from autopack.errors import AutopackError
from autopack.failpoints import hit
from autopack.file_layout import mirror, results
from autopack.files import TEMPORARY_PREFIX, sync_directory
from autopack.git.bare import make_bare
from autopack.git.checks import CHECKS
from autopack.git.locks import file_lock
from autopack.git.runner import GitError, run_git
from autopack.log import log
from autopack_volume.contract.messages import Reachable
from autopack_volume.service.answers import TransientError
from autopack_volume.service.settings import Settings

from .default_branch import point_head
from .fetch_errors import classify, is_missing_ref, may_be_damage
from .lookup import REMOTE_HEAD
from .repair import graft
from .tidy import tidy

# Never +refs/*:refs/*: that would prune the pins, and with them the commits that runs began with.
_EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_REMOTE = (
    # The address was checked; the one that it redirects to would not be.
    *("-c", "credential.helper=", "-c", "core.askPass=", "-c", "http.followRedirects=false"),
    *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60"),
)
_FETCH = (
    *CHECKS,
    *_REMOTE,
    *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance"),
)
_LOCK_SECONDS = 60
_PROBE_SECONDS = 60
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
_SCAFFOLD = "new-"
# Several of these run at once, in one container's memory.
_SETTINGS = """\
[core]
	bigFileThreshold = 32m
	packedRefsTimeout = 10000
	filesRefLockTimeout = 10000
[pack]
	windowMemory = 64m
	threads = 1
[gc]
	auto = 0
"""


class Mirrors:
    """The repositories under `.repos/` of one volume."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def path(self, key: str) -> Path:
        """Return where the mirror lies; it need not exist."""
        return self._settings.root / mirror(key)

    def exists(self, key: str) -> bool:
        """Tell whether there is a mirror."""
        return (self.path(key) / "HEAD").exists()

    def fetch(self, key: str, url: str) -> None:
        """Bring the mirror up to date, making or repairing it if need be. Raises TransientError or AutopackError."""
        try:
            self._update(key, lambda repo: self._fetch_all(repo, url))
        except GitError as error:
            raise self._classified(error, url) from error

    def probe(self, url: str) -> Reachable:
        """Ask the other side for its HEAD, and keep nothing. Raises TransientError or AutopackError."""
        try:
            with self._settings.credentials.access(url) as access:
                run_git(
                    [*access.options, *_REMOTE, "ls-remote", "--quiet", "--", url, "HEAD"],
                    env=access.env,
                    pass_fds=access.descriptors,
                    timeout=min(_PROBE_SECONDS, self._settings.fetch_timeout),
                    protocols=self._settings.protocols,
                )
        except GitError as error:
            raise self._classified(error, url) from error
        return {"state": "reachable", "credential": self._settings.credentials.name_for(url)}

    def repair(self, key: str, url: str) -> None:
        """Give a mirror with missing or damaged objects what the other side has. Raises as `fetch` does."""
        try:
            with self.locked(key):
                self._repair(key, lambda repo: self._fetch_all(repo, url))
        except GitError as error:
            raise self._classified(error, url) from error

    def fetch_one(self, key: str, url: str, ref: str) -> bool:
        """Fetch one ref or commit that is neither branch nor tag; return whether the other side has it."""
        # Kept for good, like a pin: the run that asked may not be the only one that starts there.
        target = f"refs/fetched/{ref.removeprefix('refs/')}"
        with self.locked(key):
            try:
                self._fetch(self.path(key), url, [f"+{ref}:{target}"])
            except GitError as error:
                if is_missing_ref(error):
                    return False
                raise self._classified(error, url) from error
        return True

    def import_bundle(self, key: str, bundle: Path) -> None:
        """Take in the branches and tags of a bundle, making or repairing the mirror if need be. Raises GitError."""
        self._update(key, lambda repo: self._fetch_bundle(repo, bundle))

    def _update(self, key: str, fill: Callable[[Path], None]) -> None:
        with self.locked(key):
            if not self.path(key).exists():
                with self._scaffold(key) as fresh:
                    init(fresh)
                    fill(fresh)
                    hit("volume.before_mirror_rename")
                    fresh.rename(self.path(key))
                sync_directory(self.path(key).parent)
                return
            try:
                fill(self.path(key))
            except GitError as error:
                if not may_be_damage(error):
                    raise
                log("warning", "a mirror may be damaged and is repaired", repository=key, error=error.message)
                self._repair(key, fill)

    def _repair(self, key: str, fill: Callable[[Path], None]) -> None:
        with self._scaffold(key) as fresh:
            init(fresh)
            fill(fresh)
            graft(fresh, self.path(key))
        fill(self.path(key))

    def pin(self, key: str, uid: str, sha: str) -> None:
        """Keep a commit for good, whatever becomes of its branch."""
        run_git(["update-ref", f"refs/pins/{uid}", sha], git_dir=self.path(key))
        tidy(self.path(key), "refs/pins")

    def ensure_results(self, key: str) -> Path:
        """Return the repository for the runs' results, made if need be; it borrows the mirror's objects."""
        path = self._settings.root / results(key)
        if not path.exists():
            with self.locked(key):
                if not path.exists():
                    self._make_results(key, path)
        return path

    def _make_results(self, key: str, path: Path) -> None:
        with self._scaffold(key) as fresh:
            init(fresh)
            # Relative: the volume may be mounted elsewhere tomorrow.
            borrowed = os.path.relpath(self.path(key) / "objects", path / "objects")
            (fresh / "objects" / "info" / "alternates").write_text(borrowed + "\n")
            fresh.rename(path)
        sync_directory(path.parent)

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the repository's lock: also against other processes, such as an import by hand."""
        folder = self._settings.root / ".repos" / key
        folder.mkdir(parents=True, exist_ok=True)
        with self._locks[key], ExitStack() as stack:
            try:
                stack.enter_context(file_lock(folder / "lock", _LOCK_SECONDS, f"repository {key}"))
            except AutopackError as error:
                raise TransientError("RepositoryBusy", error.message) from error
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                log("warning", "this volume has no locks: import repositories only while nothing fetches them")
            yield

    @contextmanager
    def _scaffold(self, key: str) -> Iterator[Path]:
        """Yield a place to build in; what dead processes left of such places goes first. The caller has the lock."""
        folder = self._settings.root / ".repos" / key
        for left in folder.glob(f"{TEMPORARY_PREFIX}{_SCAFFOLD}*"):
            shutil.rmtree(left)
        place = folder / f"{TEMPORARY_PREFIX}{_SCAFFOLD}{secrets.token_hex(6)}.git"
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _fetch_all(self, repo: Path, url: str) -> None:
        try:
            self._fetch(repo, url, [*_EVERYTHING, f"+HEAD:{REMOTE_HEAD}"])
        except GitError as error:
            if not is_missing_ref(error):
                raise
            # No HEAD to be had: the repository is empty, or its HEAD names a branch that is not there.
            run_git(["update-ref", "-d", REMOTE_HEAD], git_dir=repo)
            self._fetch(repo, url, _EVERYTHING)
        tidy(repo, "refs/heads")
        point_head(repo)

    def _fetch(self, repo: Path, url: str, refspecs: Sequence[str]) -> None:
        with self._settings.credentials.access(url) as access:
            run_git(
                [*access.options, *_FETCH, "--prune", "--", url, *refspecs],
                git_dir=repo,
                env=access.env,
                pass_fds=access.descriptors,
                timeout=self._settings.fetch_timeout,
                protocols=self._settings.protocols,
            )

    def _classified(self, error: GitError, url: str) -> AutopackError:
        return classify(error, self._settings.credentials.name_for(url))

    def _fetch_bundle(self, repo: Path, bundle: Path) -> None:
        heads = run_git(["bundle", "list-heads", str(bundle)], cwd=bundle.parent).text.splitlines()
        has_head = any(line.endswith(" HEAD") for line in heads)
        refspecs = [*_EVERYTHING, f"+HEAD:{REMOTE_HEAD}"] if has_head else list(_EVERYTHING)
        run_git([*_FETCH, "--", str(bundle), *refspecs], git_dir=repo, protocols=("file",))
        point_head(repo)


def init(path: Path) -> None:
    """Make an empty bare repository without hooks."""
    make_bare(path, _SETTINGS)
