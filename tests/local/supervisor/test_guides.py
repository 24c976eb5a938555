"""What the guides tell people to type."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.local.supervisor.scene import Scene, clean_environment

GUIDES = Path(__file__).resolve().parents[3] / "docs/guide"


def test_the_first_batch_of_the_local_guide_works(scene: Scene) -> None:
    text = (GUIDES / "local.md").read_text()
    block = re.search(r"## A first batch\n\n((?:    .*\n)+)", text)
    assert block is not None
    programs = scene.root / "bin"
    programs.mkdir()
    (programs / "my-agent").write_text('#!/bin/sh\necho "agent $2" > done && git add done && git commit -qm "$2"\n')
    (programs / "autopack").write_text(f'#!/bin/sh\nexec {sys.executable} -m autopack.cli "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-c", re.sub(r"^    ", "", block[1], flags=re.MULTILINE)],
        cwd=scene.repo,
        env=clean_environment({"PATH": f"{programs}:{os.environ['PATH']}"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Total: 3/3 successful" in done.stdout, done.stderr
    assert scene.git("show", "refs/heads/autopack/lint:done") == "agent lint"


@pytest.mark.parametrize("guide", ["local.md", "migration.md", "troubleshooting.md"])
def test_every_option_a_guide_names_exists(guide: str) -> None:
    said = ""
    for command in (["autopilot", "supervise"], ["worktrees", "cleanup"], ["registry", "replay"]):
        argv = [sys.executable, "-m", "autopack.cli", *command, "--help"]
        said += subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", (GUIDES / guide).read_text()))
    assert named - {"--run-id", "--task"} - set(re.findall(r"--[a-z][a-z-]+", said)) == set()
