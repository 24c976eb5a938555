"""Names that are derived, never stored: the same input always gives the same name (as kubespawner's slugs)."""

from __future__ import annotations

import hashlib

MAX_POD_NAME = 255 - len("__") - 63 - 36
"""The kubelet logs into a folder called <namespace>_<pod>_<UID>: with a longer name the pod never starts."""

MAX_LABEL = 63
_DIGEST = 10


def shortened(text: str, limit: int) -> str:
    """`text` itself when it fits, else its head and a digest of the whole, so that two long names stay two names."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return f"{text[: limit - _DIGEST - 1].rstrip('-.')}-{digest}"


def pod_name(run: str, attempt: int) -> str:
    """`<run>-a<N>`: deterministic, so that the name itself is a mutex for the attempt."""
    suffix = f"-a{attempt}"
    return shortened(run, MAX_POD_NAME - len(suffix)) + suffix


def label_value(text: str) -> str:
    """A value that fits into a label (63 characters)."""
    return shortened(text, MAX_LABEL)


def child_name(batch: str, item_id: str) -> str:
    """Name of the AutopackRun for one item of a batch."""
    return f"{batch}-{item_id}"


def run_lease(run_uid: str) -> str:
    """The run lock, and that of the attempt's workspace: one executor per run, in a folder of its own."""
    return f"run-{run_uid}"


def lease_holder(run_uid: str, attempt: int) -> str:
    """Who holds a run's Lease: the attempt. Known before the pod exists, so that no pod ever runs without it."""
    return f"{run_uid}.a{attempt}"
