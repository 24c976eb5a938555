"""The image has every command that the package has, and that the chart starts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
PLUGIN = "kubectl-autopack"
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]


def test_every_command_of_the_package_is_in_the_image() -> None:
    made = {name: f"{module}:main" for name, module in re.findall(r"([\w-]+):([a-z_.]+)", DOCKERFILE.split("FROM")[3])}
    assert made.items() | {(PLUGIN, made["autopack"])} >= SCRIPTS.items()
    linked = set(re.findall(r"/(?:opt/autopack|usr/local)/bin/([\w-]+)", DOCKERFILE.split("ln -s", 1)[1]))
    assert linked >= SCRIPTS.keys()


def test_the_chart_starts_only_commands_of_the_package() -> None:
    templates = [path.read_text("utf-8") for path in (ROOT / "charts/autopack/templates").rglob("*.yaml")]
    started = {name for text in templates for name in re.findall(r"command: \[(autopack[\w-]*)", text)}
    assert {"autopack-gateway", "autopack-operator", "autopack-runtime"} <= started <= SCRIPTS.keys()
