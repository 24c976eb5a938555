"""The runs of a batch, in the order of their indexes: the list as it is, or every combination of a matrix."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from autopack_operator.domain.api.batch import Axis, BatchItem, RunBatchSpec
from autopack_operator.domain.api.common import EnvVar

MAX_ID = 63
_DIGEST = 10


def items_of(spec: RunBatchSpec) -> tuple[BatchItem, ...]:
    """One item a run. The same spec always gives the same ids at the same indexes."""
    return tuple(_combinations(spec.matrix)) if spec.matrix else tuple(spec.runs)


def _combinations(axes: Sequence[Axis]) -> Iterator[BatchItem]:
    """The last axis changes fastest."""
    chosen = list(itertools.product(*(axis.values for axis in axes)))
    for identity, values in zip(_ids(chosen), chosen, strict=True):
        env = [EnvVar(name=axis.name, value=value) for axis, value in zip(axes, values, strict=True)]
        yield BatchItem(id=identity, env=env)


def _ids(chosen: Sequence[tuple[str, ...]]) -> list[str]:
    """Ids made of the values. A digest of the exact values is added only where that alone would not tell two runs apart
    (`a/b` beside `a-b`), or would be too long for a label.
    """
    plain = ["-".join(filter(None, map(_slug, values))) for values in chosen]
    count = Counter(plain)
    unique = {slug for slug in plain if count[slug] == 1 and 0 < len(slug) <= MAX_ID}
    taken = set(unique)
    ids = []
    for slug, values in zip(plain, chosen, strict=True):
        identity = slug if slug in unique else _digested(slug, values, taken)
        taken.add(identity)
        ids.append(identity)
    return ids


def _slug(value: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")


def _digested(slug: str, values: tuple[str, ...], taken: set[str]) -> str:
    """Never an id that is taken: another value may spell out this very digest."""
    for salt in itertools.count():
        digest = hashlib.sha256(json.dumps([salt, *values]).encode()).hexdigest()[:_DIGEST]
        head = slug[: MAX_ID - _DIGEST - 1].rstrip("-") or "run"
        if (identity := f"{head}-{digest}") not in taken:
            return identity
    raise AssertionError("unreachable")
