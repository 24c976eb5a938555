from __future__ import annotations

from pathlib import Path

import pytest
from devcluster.binaries import link_clients, linker_flags, program_path, source_key
from devcluster.failure import Failure
from tests.devcluster.builders import layout_in

GO_MOD = """\
require (
\tk8s.io/kubernetes v1.36.3
\thelm.sh/helm/v3 v3.21.3 // indirect
)
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "cmd").mkdir()
    (tmp_path / "cmd" / "main.go").write_text("package main\n")
    (tmp_path / "go.sum").write_text("sum\n")
    return tmp_path


def key(sources: Path) -> str:
    return source_key(sources, ("./cmd",), "go1.26")


def test_a_changed_source_is_another_build(sources: Path) -> None:
    before = key(sources)
    (sources / "cmd" / "main.go").write_text("package main // changed\n")
    assert key(sources) != before


def test_a_changed_module_version_is_another_build(sources: Path) -> None:
    before = key(sources)
    (sources / "go.sum").write_text("other\n")
    assert key(sources) != before


def test_a_test_does_not_ask_for_another_build(sources: Path) -> None:
    before = key(sources)
    (sources / "cmd" / "main_test.go").write_text("package main\n")
    assert key(sources) == before


def test_another_compiler_or_program_is_another_build(sources: Path) -> None:
    builds = {(("./cmd",), "go1.26"), (("./cmd",), "go1.27"), (("./other",), "go1.26")}
    assert len({source_key(sources, packages, version) for packages, version in builds}) == 3


def test_programs_carry_the_versions_of_the_modules() -> None:
    flags = linker_flags(GO_MOD)
    assert "gitVersion=v1.36.3" in flags
    assert "internal/version.version=v3.21.3" in flags
    assert "chartutil.k8sVersionMinor=36" in flags


def test_a_module_that_is_not_required_is_named() -> None:
    with pytest.raises(Failure, match="helm"):
        linker_flags("\tk8s.io/kubernetes v1.36.3\n")


def test_a_users_own_kubebuilder_assets_are_used_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "etcd").touch()
    environment = {"KUBEBUILDER_ASSETS": str(tmp_path)}
    assert program_path(Path("/built"), "etcd", environment) == tmp_path / "etcd"
    assert program_path(Path("/built"), "kubectl", environment) == Path("/built/kubectl")
    assert program_path(Path("/built"), "kubelet", environment) == Path("/built/kubelet")


def test_links_follow_a_new_build(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    for build in ("one", "two"):
        link_clients(layout, {"kubectl": Path("/built", build, "kubectl")})
    assert (layout.bin / "kubectl").readlink() == Path("/built/two/kubectl")
