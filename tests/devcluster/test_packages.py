from __future__ import annotations

from pathlib import Path

import pytest
from devcluster.failure import Failure
from devcluster.progress import Progress

from devcluster import packages


def test_a_program_that_is_there_asks_for_no_package() -> None:
    assert packages.missing({"nft": "nftables", "ip": "iproute2"}, lambda program: program == "nft") == ["iproute2"]


def test_two_programs_of_one_package_ask_for_it_once() -> None:
    assert packages.missing({"a": "both", "b": "both"}, lambda _: False) == ["both"]


def test_without_apt_the_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failure, match=r"no apt-get.*never-packaged"):
        packages.ensure({"never-a-program": "never-packaged"}, log=tmp_path / "log", progress=Progress())


def test_nothing_missing_needs_neither_apt_nor_root(tmp_path: Path) -> None:
    packages.ensure({"sh": "dash"}, log=tmp_path / "log", progress=Progress())
    assert not (tmp_path / "log").exists()
