"""The API server takes every example of the guide about batches as it is, and knows every field in it."""

from __future__ import annotations

import re

import pytest
from scripts.deploy import ROOT, kubectl

EXAMPLES = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/guide/batches.md").read_text(), re.DOTALL)


def name_of(example: str) -> str:
    """metadata.name."""
    found = re.search(r"^  name: (.+)$", example, re.MULTILINE)
    return found[1] if found is not None else "nameless"


@pytest.mark.parametrize("example", EXAMPLES, ids=map(name_of, EXAMPLES))
def test_the_api_server_takes_the_example(cluster: None, example: str) -> None:
    kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=example.encode())
