"""`autopack-runtime import-repository`: puts a repository on the volume without any network."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from autopack.errors import AutopackError
from autopack.file_layout import repo_key
from autopack.files import TEMPORARY_PREFIX
from autopack.git.runner import GitError, run_git
from autopack_volume.service.settings import Settings

from .mirrors import Mirrors

_INCOMPLETE = b"did not send all necessary objects"
_SIGNATURES = (b"# v2 git bundle", b"# v3 git bundle")


def run(environ: Mapping[str, str], name: str, stream: BinaryIO) -> int:
    """Create or update the repository `name` from a bundle; print its refs. Raises AutopackError."""
    os.umask(0o002)
    settings = Settings.from_environment(environ)
    key = repo_key(name=name)
    folder = settings.root / ".repos" / key
    folder.mkdir(parents=True, exist_ok=True)
    spool = folder / f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}.bundle"
    mirrors = Mirrors(settings)
    try:
        with spool.open("xb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        check_signature(spool)
        mirrors.import_bundle(key, spool)
    except GitError as error:
        if _INCOMPLETE in error.stderr:
            message = "standard input lacks commits that its own commits come from, as a shallow clone does"
            fix = "Run `git fetch --unshallow` in the clone, then send `git bundle create - --all` of it"
            raise AutopackError("BundleIncomplete", message, fix) from error
        fix = "Send `git bundle create - --all` of the repository"
        raise AutopackError("BundleCorrupt", f"standard input was refused: {error.message}", fix) from error
    finally:
        spool.unlink(missing_ok=True)
    listed = run_git(["for-each-ref", "--format=%(objectname) %(refname)"], git_dir=mirrors.path(key)).text
    for line in listed.splitlines():
        if " refs/pins/" not in line:
            sys.stdout.write(line + "\n")
    return 0


def check_signature(path: Path) -> None:
    """Raise AutopackError when a file does not begin as a bundle does."""
    with path.open("rb") as file:
        if not file.readline(64).startswith(_SIGNATURES):
            fix = "Send `git bundle create - --all` of the repository"
            raise AutopackError("BundleCorrupt", "standard input is not a git bundle", fix)
