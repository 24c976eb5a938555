"""Which kind of file system a path is on."""

from __future__ import annotations

import re
from pathlib import Path

from autopack.errors import InvalidInput, printable

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "lustre", "afs", "gfs2", "ocfs2", "glusterfs"}
)
_NETWORK_FUSE = frozenset({"fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.davfs"})
_MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(r"\\([0-7]{3})")


def filesystem_type(path: Path, mountinfo: str) -> str | None:
    """Return the type of the file system of an absolute path, from the text of /proc/self/mountinfo; None if unknown.

    Pure. Of mounts over each other the last one counts.
    """
    best: tuple[int, str] | None = None
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        fields, kind = mount.split(" "), source.split(" ")[0]
        if len(fields) < 5 or not kind:
            continue
        point = Path(_ESCAPE.sub(lambda found: chr(int(found[1], 8)), fields[4]))
        if path.is_relative_to(point) and (best is None or len(point.parts) >= best[0]):
            best = (len(point.parts), kind)
    return None if best is None else best[1]


def refuse_network(path: Path, mountinfo: str | None = None) -> None:
    """Raise InvalidInput if SQLite files would lie on a network file system, where its locks do not hold."""
    if mountinfo is None:
        try:
            mountinfo = _MOUNTINFO.read_text("utf-8", "replace")
        except OSError:
            return
    kind = filesystem_type(path.resolve(), mountinfo)
    if kind in _NETWORK or kind in _NETWORK_FUSE:
        raise InvalidInput(
            "autonomous_runs_dir",
            f"{printable(str(path), 200)} is on a network file system ({kind}), where SQLite files get corrupted",
            "Use Postgres, or a folder on a local disk",
        )
