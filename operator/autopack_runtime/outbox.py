"""The repository that takes what a run pushes to `origin`: nothing leaves the pod by itself.

It borrows the objects of the run's own repository. What is pushed is saved with the run's work, and others may deliver
it when the run has ended.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from autopack.errors import AutopackError
from autopack.git.bare import make_bare
from autopack.git.bundles import EXTRA, HEADS, OUTBOX
from autopack.git.packed_refs import packed_refs, read_ref_files
from autopack.log import log

from .pod import Pod

_OTHERS = f"{EXTRA}outbox/"
"""Where tags and the like travel that were pushed."""
_SETTINGS = """\
[gc]
	auto = 0
[maintenance]
	auto = false
[receive]
	autogc = false
"""


def make_outbox(pod: Pod, bundled: Mapping[str, str]) -> None:
    """Make it, with what an earlier attempt had pushed: `bundled` are the refs that attempt left."""
    make_bare(pod.files.outbox, _SETTINGS)
    (pod.files.outbox / "objects" / "info" / "alternates").write_bytes(os.fsencode(pod.repo / "objects") + b"\n")
    pushed = {f"{HEADS}{name.removeprefix(OUTBOX)}": sha for name, sha in bundled.items() if name.startswith(OUTBOX)}
    pushed |= {f"refs/{name.removeprefix(_OTHERS)}": sha for name, sha in bundled.items() if name.startswith(_OTHERS)}
    if pushed:
        (pod.files.outbox / "packed-refs").write_bytes(packed_refs(pushed))


def pushed_refs(pod: Pod) -> dict[str, str]:
    """Return what was pushed, by the names under which it travels. No name is checked: the run may have made it up."""
    try:
        found = read_ref_files(pod.files.outbox, "refs/")
    except AutopackError as error:
        log("warning", "the outbox cannot be read", error=str(error))
        return {}
    return {_travelling(name): sha for name, sha in found.items()}


def _travelling(name: str) -> str:
    branch = name.removeprefix(HEADS)
    return f"{OUTBOX}{branch}" if branch != name else f"{_OTHERS}{name.removeprefix('refs/')}"
