"""The account of a run's command: a name and a home for the numbers that it runs as, in whatever image.

Programs ask for it (whoami, ssh, getpass, git for the author of a commit), and no image knows the user of a cluster's
choice. The files are mounted over the image's own, which this container cannot read: what the image calls its other
users is hidden by that.
"""

from __future__ import annotations

import os
from pathlib import Path

from autopack.files import write_atomic

NAME = "autopack"
_FULL_NAME = "Autopack run"
_NOBODY = 65534


def write_account(folder: Path, home: str) -> None:
    """Write `passwd` and `group` for the user and group that we run as, as every container of the pod does."""
    uid, gid = os.getuid(), os.getgid()
    users = [
        "root:x:0:0:root:/root:/bin/sh",
        f"nobody:x:{_NOBODY}:{_NOBODY}:nobody:/nonexistent:/usr/sbin/nologin",
        f"{NAME}:x:{uid}:{gid}:{_FULL_NAME}:{home}:/bin/sh",
    ]
    groups = ["root:x:0:", "tty:x:5:", f"nogroup:x:{_NOBODY}:", f"{NAME}:x:{gid}:"]
    for name, lines in (("passwd", users), ("group", groups)):
        write_atomic(folder / name, "".join(f"{line}\n" for line in lines).encode())
