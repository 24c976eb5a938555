"""A container's CPU time and memory, from both versions of cgroups."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.cgroups import MIB, of_process


def file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_version_1(tmp_path: Path) -> None:
    file(tmp_path / "proc/7/cgroup", "4:memory:/pods/m\n2:cpu:/pods/no\n3:cpuacct,other:/pods/c\n0::/elsewhere\n")
    file(tmp_path / "fs/cpuacct/pods/c/cpuacct.usage", "1500000000\n")
    file(tmp_path / "fs/memory/pods/m/memory.usage_in_bytes", f"{10 * MIB}\n")
    file(tmp_path / "fs/memory/pods/m/memory.stat", f"inactive_file 1\ntotal_inactive_file {4 * MIB}\n")
    group = of_process(7, tmp_path / "proc", tmp_path / "fs")
    assert (group.cpu_seconds(), group.memory_mib()) == (1.5, 6.0)


def test_version_2(tmp_path: Path) -> None:
    file(tmp_path / "proc/7/cgroup", "0::/pods/x\n")
    file(tmp_path / "fs/pods/x/cpu.stat", "usage_usec 2500000\nuser_usec 1\n")
    file(tmp_path / "fs/pods/x/memory.current", f"{10 * MIB}\n")
    file(tmp_path / "fs/pods/x/memory.stat", f"anon 1\ninactive_file {3 * MIB}\n")
    group = of_process(7, tmp_path / "proc", tmp_path / "fs")
    assert (group.cpu_seconds(), group.memory_mib()) == (2.5, 7.0)


def test_a_group_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    file(tmp_path / "proc/7/cgroup", "0::/pods/x\n")
    with pytest.raises(LookupError, match="pods/x"):
        of_process(7, tmp_path / "proc", tmp_path / "fs")
