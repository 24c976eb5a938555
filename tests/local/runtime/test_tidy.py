"""Repositories that only grow stay quick, and lose nothing."""

from __future__ import annotations

from pathlib import Path

from autopack_volume.service.sources.tidy import tidy

from .conftest import git


def test_many_loose_refs_are_packed(source: Path) -> None:
    for number in range(70):
        git("update-ref", f"refs/runs/{number}/a1/head", "HEAD", cwd=source)
    tidy(source / ".git", "refs/runs")
    assert not list((source / ".git/refs/runs").glob("*/a1/head"))
    assert git("rev-parse", "refs/runs/69/a1/head", cwd=source) == git("rev-parse", "HEAD", cwd=source)


def test_a_few_are_left_alone(source: Path) -> None:
    git("update-ref", "refs/runs/1/a1/head", "HEAD", cwd=source)
    tidy(source / ".git", "refs/runs")
    assert (source / ".git/refs/runs/1/a1/head").exists()


def test_many_loose_objects_are_packed_and_unreachable_ones_stay(source: Path) -> None:
    unreachable = git("commit-tree", "HEAD^{tree}", "-m", "nobody's", cwd=source)
    for number in range(25):
        folder = source / ".git/objects/17"
        folder.mkdir(exist_ok=True)
        (folder / f"{number:038x}").write_bytes(b"")
    tidy(source / ".git", "refs/runs")
    assert list((source / ".git/objects/pack").glob("*.pack"))
    assert git("cat-file", "-t", unreachable, cwd=source) == "commit"
    assert git("count-objects", cwd=source) != ""
