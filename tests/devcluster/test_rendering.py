from __future__ import annotations

import ipaddress
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from devcluster.embedded import addresses as at
from devcluster.embedded.rendering import KUBECONFIG_USERS, config_files
from tests.devcluster.builders import layout_in

HOME = layout_in(Path("/home/me/project"))
FILES = {str(path.relative_to(HOME.config)): text for path, text in config_files(HOME, Path("/usr/lib/cni")).items()}


def document(name: str) -> dict[str, Any]:
    return dict(json.loads(FILES[name]))


def test_containerd_keeps_to_its_own_directories() -> None:
    config = tomllib.loads(FILES["containerd.toml"])
    paths = [config["root"], config["state"], config["grpc"]["address"]]
    assert all(Path(path).is_relative_to(HOME.state) for path in paths)


def test_containerd_starts_pods_without_a_registry() -> None:
    cri = tomllib.loads(FILES["containerd.toml"])["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == at.PAUSE_IMAGE


def test_containerd_does_not_lower_scores_it_may_not_lower() -> None:
    cri = tomllib.loads(FILES["containerd.toml"])["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["restrict_oom_score_adj"] is True


def test_a_path_with_quotes_and_spaces_stays_one_string() -> None:
    odd = layout_in(Path('/home/me/a "b" c'))
    text = config_files(odd, Path("/usr/lib/cni"))[odd.config / "containerd.toml"]
    assert tomllib.loads(text)["root"] == str(odd.containerd)


def test_the_kubelet_talks_to_the_socket_that_containerd_serves() -> None:
    served = tomllib.loads(FILES["containerd.toml"])["grpc"]["address"]
    assert document("kubelet.json")["containerRuntimeEndpoint"] == f"unix://{served}"


def test_the_kubelet_is_reached_through_loopback_only() -> None:
    config = document("kubelet.json")
    assert {config["address"], config["healthzBindAddress"]} == {at.LOOPBACK}


def test_the_kubelet_lets_nobody_in_unknown() -> None:
    assert document("kubelet.json")["authentication"]["anonymous"] == {"enabled": False}


def test_a_nearly_full_disk_evicts_nothing() -> None:
    thresholds = document("kubelet.json")["evictionHard"]
    assert {value for name, value in thresholds.items() if "fs." in name} == {"0%"}


def test_every_request_is_audited_once() -> None:
    policy = document("audit-policy.json")
    assert policy["rules"] == [{"level": "Metadata"}]
    assert policy["omitStages"] == ["RequestReceived"]


@pytest.mark.parametrize("user", KUBECONFIG_USERS)
def test_each_process_has_credentials_of_its_own(user: str) -> None:
    config = document(f"{user}.kubeconfig")
    assert config["users"][0]["user"]["client-certificate"] == str(HOME.pki / f"{user}.crt")
    assert config["clusters"][0]["cluster"]["server"] == at.API_URL


def test_dns_answers_on_the_bridge_only() -> None:
    binds = [line.split()[1] for line in FILES["Corefile"].splitlines() if line.strip().startswith("bind")]
    assert set(binds) == {at.HOST}


def test_pods_get_addresses_from_the_pod_network() -> None:
    (plugin,) = document("cni/10-autopack.conflist")["plugins"]
    assert plugin["ipam"]["ranges"] == [[{"subnet": at.POD_NETWORK, "gateway": at.HOST}]]


@pytest.mark.parametrize(
    ("address", "network"),
    [(at.HOST, at.POD_NETWORK), (at.API_SERVICE, at.SERVICE_NETWORK), (at.DNS_SERVICE, at.SERVICE_NETWORK)],
)
def test_fixed_addresses_lie_in_their_networks(address: str, network: str) -> None:
    assert ipaddress.ip_address(address) in ipaddress.ip_network(network)


def test_pods_and_services_do_not_overlap_and_fill_the_checked_range() -> None:
    both = [ipaddress.IPv4Network(at.POD_NETWORK), ipaddress.IPv4Network(at.SERVICE_NETWORK)]
    assert not both[0].overlaps(both[1])
    assert list(ipaddress.collapse_addresses(both)) == [ipaddress.IPv4Network(at.NETWORKS)]
