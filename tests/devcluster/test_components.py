from __future__ import annotations

from pathlib import Path

import pytest
from devcluster.embedded import addresses as at
from devcluster.embedded.components import Component, components
from devcluster.embedded.supervision import environment_for, fingerprint
from tests.devcluster.builders import layout_in

LAYOUT = layout_in(Path("/home/me/project"))
ALL = components(LAYOUT, lambda name: Path("/built") / name)
BY_NAME = {component.name: component for component in ALL}


def flags(name: str) -> dict[str, str]:
    arguments = (argument.removeprefix("--").partition("=") for argument in BY_NAME[name].argv[1:])
    return {flag: value for flag, _, value in arguments}


def test_names_are_unique_for_they_name_pid_files() -> None:
    assert len(BY_NAME) == len(ALL)


def test_the_store_and_the_api_server_come_before_those_that_need_them() -> None:
    order = [component.name for component in ALL]
    assert order.index("etcd") < order.index("kube-apiserver") < order.index("kubelet")


def test_no_two_listen_at_the_same_place() -> None:
    ports = [component.port for component in ALL if component.port is not None]
    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize("component", ALL, ids=lambda component: component.name)
def test_nothing_listens_where_another_machine_could_connect(component: Component) -> None:
    assert component.port is None or component.port[0] in {at.LOOPBACK, at.HOST}


def test_the_api_server_keeps_its_audit_log_where_tests_look() -> None:
    assert flags("kube-apiserver")["audit-log-path"] == str(LAYOUT.audit_log)


def test_the_api_server_admits_by_pod_security_and_authorizes_by_role() -> None:
    assert "PodSecurity" in flags("kube-apiserver")["enable-admission-plugins"]
    assert flags("kube-apiserver")["authorization-mode"] == "Node,RBAC"


def test_the_api_server_calls_the_kubelet_by_the_nodes_name() -> None:
    assert flags("kube-apiserver")["kubelet-preferred-address-types"] == "Hostname"
    assert flags("kubelet")["hostname-override"] == "localhost"


def test_only_the_one_that_may_pull_images_sees_a_proxy() -> None:
    proxied = {"HTTPS_PROXY": "http://proxy:3128", "https_proxy": "http://proxy:3128"}
    seeing = {one.name for one in ALL if environment_for(one, proxied).keys() & proxied.keys()}
    assert seeing == {"containerd"}


def test_programs_in_sbin_are_found_without_a_login_shell() -> None:
    assert "/usr/sbin" in environment_for(ALL[0], {"PATH": "/usr/bin"})["PATH"].split(":")


def test_a_changed_command_is_another_component() -> None:
    assert fingerprint(Component("x", ("a", "--v=0"))) != fingerprint(Component("x", ("a", "--v=1")))


def test_a_changed_configuration_is_another_component(tmp_path: Path) -> None:
    config = tmp_path / "config"
    component = Component("x", ("a",), files=(config,))
    prints = {fingerprint(component)}
    for text in ("one", "two"):
        config.write_text(text)
        prints.add(fingerprint(component))
    assert len(prints) == 3
