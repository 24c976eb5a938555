"""How strictly git looks at objects that come from elsewhere: the same on every way in and on every way out."""

from __future__ import annotations

_OLD_SINS = (
    # Old histories have these, and the usual hosts serve them; none can harm who checks them out.
    "zeroPaddedFilemode",
    "missingSpaceBeforeEmail",
    "missingSpaceBeforeDate",
    "badTimezone",
    "missingTaggerEntry",
    "zeroPaddedDate",
)
CHECKS = (
    *("-c", "transfer.fsckObjects=true", "-c", "fetch.fsckObjects=true"),
    *(part for sin in _OLD_SINS for part in ("-c", f"fetch.fsck.{sin}=ignore")),
)
"""Git options that check every object that a fetch brings."""
