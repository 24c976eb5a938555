"""Why a keeper had a command stopped, in `result.json` and in the answer to a commit."""

DISK_QUOTA_EXCEEDED = "DiskQuotaExceeded"
FENCED = "Fenced"
