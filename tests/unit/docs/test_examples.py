"""Every manifest of the guide and of examples/ can be read by the operator; tests/e2e asks the API server as well."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from autopack_operator.domain.crds import RESOURCES

ROOT = Path(__file__).resolve().parents[3]
SPECS = {resource.kind: resource.spec for resource in RESOURCES}


def manifests() -> list[Any]:
    """Of our kinds, with the place they are from."""
    pages = [*(ROOT / "docs/guide").glob("*.md"), *(ROOT / "examples").glob("*.yaml")]
    texts = [(page, page.read_text()) for page in sorted(pages)]
    blocks = [
        (page, block)
        for page, text in texts
        for block in ([text] if page.suffix == ".yaml" else re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    ]
    found = [(page, document) for page, block in blocks for document in yaml.safe_load_all(block) if document]
    return [
        pytest.param(document, id=f"{page.name}: {document['metadata']['name']}")
        for page, document in found
        if document.get("kind") in SPECS
    ]


@pytest.mark.parametrize("document", manifests())
def test_an_example_can_be_read(document: dict[str, Any]) -> None:
    SPECS[document["kind"]].model_validate(document["spec"])
