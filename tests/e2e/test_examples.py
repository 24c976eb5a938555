"""The API server takes every example of the guide and of examples/ as it is, and knows every field in it."""

from __future__ import annotations

import re

import pytest
from scripts.deploy import ROOT, kubectl

PAGES = ("docs/guide/agents.md", "docs/guide/batches.md")
IN_PAGES = [
    (f"{page.rsplit('/', 1)[1]}: {number}", example)
    for page in PAGES
    for number, example in enumerate(re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL), 1)
]
FILES = [(path.name, path.read_text()) for path in sorted((ROOT / "examples").glob("*.yaml"))]


@pytest.mark.parametrize(("name", "example"), IN_PAGES + FILES, ids=[name for name, _ in IN_PAGES + FILES])
def test_the_api_server_takes_the_example(cluster: None, name: str, example: str) -> None:
    kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=example.encode())
