"""Refs in files, as git reads and writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autopack.git.packed_refs import beside, packed_refs, read_ref_files

A, B, C = ("a" * 40, "b" * 40, "c" * 40)


def test_loose_refs_come_before_packed_ones_and_symbolic_ones_are_left_out(tmp_path: Path) -> None:
    refs = {"refs/heads/a": A, "refs/heads/b": A, "refs/pins/x": C}
    (tmp_path / "packed-refs").write_bytes(packed_refs(refs) + b"^" + C.encode() + b"\n")
    (tmp_path / "refs/heads/deep").mkdir(parents=True)
    for name, text in {"b": f"{B}\n", "deep/c": C, "s": "ref: refs/heads/a\n", "d.lock": A, "e": "short\n"}.items():
        (tmp_path / "refs/heads" / name).write_text(text)
    found = read_ref_files(tmp_path, "refs/heads/", "refs/tags/")
    assert found == {"refs/heads/a": A, "refs/heads/b": B, "refs/heads/deep/c": C}


def test_packed_refs_are_in_the_order_of_their_bytes() -> None:
    lines = packed_refs({"refs/heads/b": A, "refs/heads/a/x": B, "refs/heads/a-x": C}).decode().splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["refs/heads/a-x", "refs/heads/a/x", "refs/heads/b"]


@pytest.mark.parametrize(
    ("own", "left"),
    [
        ([], ["a", "a-b", "x/y/z"]),
        (["a"], ["a-b", "x/y/z"]),
        (["a/b"], ["a-b", "x/y/z"]),
        (["x/y"], ["a", "a-b"]),
        (["x/y/z/w"], ["a", "a-b"]),
    ],
)
def test_what_git_cannot_keep_beside_other_refs_gives_way(own: list[str], left: list[str]) -> None:
    assert list(beside({"a": A, "a-b": B, "x/y/z": C}, own)) == left
