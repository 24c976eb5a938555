"""`autopack-runtime tidy`: the same by hand, or as a look at what would go."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from autopack.errors import InvalidInput
from autopack_volume.service.settings import Settings
from autopack_volume.service.sources.mirrors import Mirrors

from .inventory import bytes_by_kind
from .policy import Removal
from .tidying import Tidying


def run(environ: Mapping[str, str], *, dry_run: bool) -> int:
    """Remove what the service's policy says, or only tell; print a line each, then the bytes by kind."""
    settings = Settings.from_environment(environ)
    if not settings.retention.removes_something:
        fix = "Set volume.retention in the chart's values"
        raise InvalidInput("AUTOPACK_KEEP_MIRRORS_DAYS", "no policy names anything that may be removed", fix)
    tidying = Tidying(settings.root, Mirrors(settings), settings.retention)
    removals = tidying.planned() if dry_run else list(tidying.tidy())
    sys.stdout.writelines(line_of(removal, dry_run=dry_run) for removal in removals)
    sys.stdout.writelines(f"{kind} {size}\n" for kind, size in bytes_by_kind(settings.root).items())
    return 0


def line_of(removal: Removal, *, dry_run: bool) -> str:
    """Return what is printed of one removal: what was done, the kind, what it belongs to, its bytes, the reason."""
    whose = f"{removal.run_id} attempt {removal.attempt} ({removal.uid})" if removal.uid else removal.key
    verb = "would remove" if dry_run else "removed"
    return f"{verb} {removal.kind} of {whose}, {removal.size} bytes: {removal.why}\n"
