"""The real worktree that the machine drives, and what has been seen in it: read with plain git and hashes alone."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.local.nothing_lost.kept import OWN, aside, blob, link_text, reached
from tests.local.workspaces.repos import commit, git, make_repo

from autopack.workspace_manager import WorkspaceManager

RUN = "run"
_SECONDS = 60
_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Agent",
    "GIT_AUTHOR_EMAIL": "agent@invalid",
    "GIT_COMMITTER_NAME": "Agent",
    "GIT_COMMITTER_EMAIL": "agent@invalid",
    "GIT_EDITOR": "true",
    "GIT_MERGE_AUTOEDIT": "no",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "protocol.file.allow",
    "GIT_CONFIG_VALUE_0": "always",
}


def make_source(path: Path) -> Path:
    """Make the repository whose worktree is driven: a few commits and two branches that conflict."""
    repo = make_repo(path, {"a.txt": "a\n", "src/a.py": "a = 1\n", "d/x": "x\n", ".gitignore": "*.log\nbuild/\n"})
    git(repo, "checkout", "-q", "-b", "x")
    commit(repo, {"a.txt": "a of x\n", "d/x": "x of x\n"})
    git(repo, "checkout", "-q", "main")
    commit(repo, {"a.txt": "a of main\n", "b.txt": "b\n"})
    return repo


class World:
    """One worktree, from its beginning to its end. `log` is what was done in it, as shell lines."""

    def __init__(self, source: Path, folder: Path) -> None:
        """Copy the source into `folder`, which is new, and make the worktree there."""
        shutil.copytree(source, folder / "repo", symlinks=True)
        self.repo = folder / "repo"
        self.runs = folder / "runs"
        self.log: list[str] = []
        self.noted: set[str] = set()
        self.destroyed: set[str] = set()
        self.plain = True
        """Whether git takes files as they are: no attribute, no setting and no flag says otherwise."""
        self._environment = self._clean_environment(folder)
        self._judge = folder / "judge.git"
        subprocess.run(["git", "init", "-q", "--bare", str(self._judge)], check=True)
        self.manager = self._manager()
        self.tree = self.manager.create_worktree(f"autopack/{RUN}", start_point="main")
        self._git_dir = Path(self.ask(self.tree, "rev-parse", "--path-format=absolute", "--git-common-dir").strip())
        self.given = frozenset(self.stored([self.repo / ".git"]))
        self._before = self._users()

    @staticmethod
    def _clean_environment(home: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return {**kept, **_ENVIRONMENT, "HOME": str(home)}

    def _manager(self) -> WorkspaceManager:
        return WorkspaceManager(RUN, self.repo, self.runs / "workspaces", lease_dir=self.runs / "leases")

    # Doing

    def run(self, command: str, where: str = "") -> bool:
        """Run a shell command in the tree or in a folder of it, and note what is staged then; tell if it succeeded."""
        folder = self._folder(where)
        place = "" if folder == self.tree else f"cd {shlex.quote(where)}; "
        self.log.append(f"({place}{command})")
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        self.noted.update(self._staged(folder))
        return done.returncode == 0

    def write(self, name: str, content: bytes, where: str = "") -> None:
        """Write a file, whatever stood in its way."""
        root = self._folder(where)
        path = root / name
        for above in reversed([path, *path.parents]):
            if above.is_relative_to(root) and above != root and (above.is_symlink() or above.is_file()):
                above.unlink()
        if path.is_dir():
            if self.repositories(path):
                return
            shutil.rmtree(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.log.append(f"printf {content!r} >./{shlex.quote(str(path.relative_to(self.tree)))}")

    def stage(self, name: str, content: bytes, where: str) -> None:
        """Write a file and stage it; what git has of it then is known without asking git."""
        self.write(name, content, where)
        if self.run(f"git add -f -- {shlex.quote(name)}", where) and self.plain:
            self.noted.add(blob(content))

    def _folder(self, where: str) -> Path:
        """Return a folder of the tree, the tree itself where there is no such folder."""
        return self.tree / where if (self.tree / where).is_dir() else self.tree

    def destroy(self, command: str, where: str = "") -> None:
        """Run a command that may take objects away; what it took that nothing reached is no longer asked for."""
        before, held = self.stored(), self._reached(*([] if "reflog expire" in command else ["--reflog"]))
        self.run(command, where)
        gone = before - self.stored()
        if command.startswith("git") and "worktree" not in command:
            assert not gone & held, self.story(gone & held, "collected although something reached it")
        self.destroyed |= gone

    # Looking

    def ask(self, folder: Path, *args: str, given: bytes | None = None) -> str:
        """Ask git as the agent would; "" if it fails, or if the folder is gone."""
        if not folder.is_dir():
            return ""
        done = subprocess.run(
            ["git", *args], cwd=folder, env=self._environment, input=given, capture_output=True, check=False
        )
        return os.fsdecode(done.stdout) if done.returncode == 0 else ""

    def repositories(self, below: Path | None = None) -> list[Path]:
        """Return the folders in the tree that are work trees of repositories, the tree itself not included."""
        top = below or self.tree
        found = (Path(folder) for folder, folders, names in os.walk(top) if ".git" in folders or ".git" in names)
        return sorted(path for path in found if path != self.tree and ".git" not in path.parts)

    def stored(self, places: Sequence[Path] | None = None) -> set[str]:
        """Return the ids of all blobs and commits in the object stores that the run has."""
        found: set[str] = set()
        for git_dir in self._git_dirs(places or [self.tree, self._git_dir]):
            asked = ["git", f"--git-dir={git_dir}", "cat-file", "--batch-all-objects", "--unordered"]
            form = "--batch-check=%(objecttype) %(objectname)"
            rows = subprocess.run([*asked, form], capture_output=True, text=True, check=False).stdout.splitlines()
            found |= {row.split()[1] for row in rows if row.startswith(("blob ", "commit "))}
        return found

    @staticmethod
    def _git_dirs(places: Sequence[Path]) -> Iterator[Path]:
        for place in places:
            for folder, folders, names in os.walk(place):
                if "objects" in folders and "HEAD" in names:
                    yield Path(folder)

    def _staged(self, folder: Path) -> set[str]:
        entries = self.ask(folder, "ls-files", "-z", "--stage", ":/").split("\0")
        return {entry.split()[1] for entry in entries if entry and not entry.startswith("160000")} - _UNSET

    def _reached(self, *more: str) -> set[str]:
        """Return what the refs and indexes in the tree, and what `more` names, lead to."""
        found: set[str] = set()
        for folder in [self.tree, *self.repositories()]:
            roots = ["--all", "--indexed-objects", *more]
            listed = self.ask(folder, "rev-list", "--objects", "--no-object-names", *roots)
            found.update(listed.split())
        return found

    def present(self) -> dict[str, set[str]]:
        """Return the files that must be found again, with the ids under which each may be: its bytes, or as staged."""
        found: dict[str, set[str]] = {}
        stores = [path for path in self._git_dirs([self.tree]) if path.name != ".git"]
        for root in [self.tree, *self.repositories()]:
            for name in self._listed(root):
                path = Path(os.fsdecode(os.path.join(os.fsencode(root), name)))  # noqa: PTH118 - names need not be text
                inside = any(path.is_relative_to(store) for store in stores)
                if not inside and (path.is_symlink() or path.is_file()):
                    found[str(path.relative_to(self.tree))] = self._ids(root, path)
        return found

    def _listed(self, root: Path) -> set[bytes]:
        """Name the files of a work tree: those that no .gitignore names, and what its index has besides."""
        judge = ["--git-dir", str(self._judge), "--work-tree", str(root)]
        others = self.ask(root, *judge, "ls-files", "-z", "--others", "--exclude-standard")
        tracked = self.ask(root, "ls-files", "-z", "--cached") if (root / ".git").exists() else ""
        names = {os.fsencode(name) for name in f"{others}\0{tracked}".split("\0")}
        return {name for name in names if name and not name.endswith(b"/")}

    def _ids(self, root: Path, path: Path) -> set[str]:
        if path.is_symlink():
            return {blob(link_text(path))}
        ids = {blob(path.read_bytes())}
        # As git stores it by its attributes: asked as the agent would, and where its settings broke git, without them.
        asked = ("hash-object", "--", os.path.relpath(path, root))
        judge = ("--git-dir", str(self._judge), "--work-tree", str(root))
        return ids | {self.ask(root, *asked).strip(), self.ask(root, *judge, *asked).strip()} - {""}

    def _users(self) -> list[str]:
        """Return what is the user's and not to be changed by any run."""
        refs = git(self.repo, "for-each-ref", "refs/heads/main", "refs/heads/x", "refs/stash", "refs/remotes")
        config = (self.repo / ".git/config").read_text()
        return [refs, config, git(self.repo, "symbolic-ref", "HEAD"), git(self.repo, "status", "--porcelain")]

    # Ending

    def end(self, how: str) -> None:
        """End the worktree, and fail unless everything can be found again."""
        stored, files = self.stored(), self.present()
        vanished = self.noted - self.destroyed - stored - self.given
        assert not vanished, self.story(vanished, "vanished while the run was at work")
        wanted = {sha: {sha} for sha in stored | (self.noted - self.destroyed)} | files
        if how == "keep" and not self.manager.remove_worktree(force=False):
            assert self.present() == files, self.story([], "a worktree that was to stay was changed")
            if self.manager.saved is not None:
                # Else it says that it could not be saved (its HEAD is gone, say), and all of it is where it was.
                self._judge_it(wanted)
            else:
                assert self.manager.problem, self.story([], "stays without a word")
        if how == "crash":
            self.manager.release()
            self.manager = self._manager()
            self.manager.create_worktree()
        elif how == "cleanup":
            self.manager.release()
            assert WorkspaceManager.cleanup_all_worktrees(self.repo, self.runs / "workspaces") == 1, self.story([], how)
        if how != "cleanup":
            removed = self.manager.remove_worktree(force=True)
            assert removed, self.story([], f"not removed: {self.manager.problem}")
        self._judge_it(wanted)
        listed = WorkspaceManager.list_worktrees(self.repo)
        assert len(listed) == 1, self.story([str(one["path"]) for one in listed], "still listed")
        assert self._users() == self._before, self.story(self._users(), "changed for the user")

    def _judge_it(self, wanted: dict[str, set[str]]) -> None:
        found = reached(self.repo, OWN) | self.given | set(aside(self.runs))
        missing = [name for name, ids in wanted.items() if not ids & found]
        assert not missing, self.story(missing, "lost")

    def story(self, which: Sequence[str] | set[str], what: str) -> str:
        """Tell what went wrong, and how to get there."""
        return f"{what}: {sorted(which)}\n" + "\n".join(self.log)


_UNSET = {"0" * 40, blob(b"")}
