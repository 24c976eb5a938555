"""Why a command was stopped, in `result.json` and in the answer to a commit."""

DISK_QUOTA_EXCEEDED = "DiskQuotaExceeded"
FENCED = "Fenced"
IDLE = "Idle"
"""By the entrypoint, which says so in the file of the command's exit; the others are the keeper's."""
