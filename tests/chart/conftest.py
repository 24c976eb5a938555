"""The helm binary, and a rendered chart that many tests read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.chart.rendering import ROOT, Helm, Objects


@pytest.fixture(scope="session")
def helm() -> Helm:
    """helm of the development cluster, else the one on PATH."""
    search = f"{ROOT / '.dev' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    binary = shutil.which("helm", path=search)
    if binary is None:
        pytest.fail("helm is neither in .dev/bin nor on PATH: run `make cluster`, which builds it, or install helm 3")
    return Helm(Path(binary))


@pytest.fixture(scope="session")
def default(helm: Helm) -> Objects:
    """The chart as it is without any value set."""
    return helm.template()
