"""What runs: every process of the cluster as pure data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devcluster.embedded import addresses as at
from devcluster.layout import Layout


@dataclass(frozen=True)
class Component:
    """One process. It counts as ready when its port or socket answers, or at once when it has neither."""

    name: str
    argv: tuple[str, ...]
    port: tuple[str, int] | None = None
    socket: Path | None = None
    files: tuple[Path, ...] = ()
    """Configuration it reads at its start only: when one changes, the process is started again."""
    grace: float = 10.0
    """Seconds it gets to end before it is killed."""
    reaches_out: bool = False
    """Keeps the proxy variables of the environment; the others must reach pods and each other directly."""


def components(layout: Layout, program: Callable[[str], Path]) -> tuple[Component, ...]:
    """Return all processes in the order they start; `program` maps a name to the file to execute."""
    return (
        _etcd(layout, program),
        _containerd(layout),
        _apiserver(layout, program),
        _controller_manager(layout, program),
        _scheduler(layout, program),
        _proxy(layout, program),
        Component(
            "forward",
            (str(program("forward")), f"{at.HOST}:{at.API_PORT}", f"{at.LOOPBACK}:{at.API_PORT}"),
            port=(at.HOST, at.API_PORT),
        ),
        _kubelet(layout, program),
        _dns(layout, program),
        _provisioner(layout, program),
    )


def _etcd(layout: Layout, program: Callable[[str], Path]) -> Component:
    client, peer = (f"http://{at.LOOPBACK}:{port}" for port in (at.ETCD_PORT, at.ETCD_PEER_PORT))
    flags = {
        "name": "devcluster",
        "data-dir": layout.etcd,
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"devcluster={peer}",
        # Survives the death of any process; only a machine that loses power may lose the cluster's objects.
        "unsafe-no-fsync": "true",
        "quota-backend-bytes": 4 << 30,
        "log-level": "warn",
    }
    return Component("etcd", _argv(program("etcd"), flags), port=(at.LOOPBACK, at.ETCD_PORT))


def _containerd(layout: Layout) -> Component:
    config = layout.config / "containerd.toml"
    network = layout.config / "cni" / "10-autopack.conflist"
    return Component(
        "containerd",
        ("containerd", "--config", str(config)),
        socket=layout.containerd_socket,
        files=(config, network),
        reaches_out=True,
    )


def _apiserver(layout: Layout, program: Callable[[str], Path]) -> Component:
    policy = layout.config / "audit-policy.json"
    flags = {
        "etcd-servers": f"http://{at.LOOPBACK}:{at.ETCD_PORT}",
        "bind-address": at.LOOPBACK,
        "secure-port": at.API_PORT,
        "advertise-address": at.HOST,
        "service-cluster-ip-range": at.SERVICE_NETWORK,
        "tls-cert-file": layout.pki / "apiserver.crt",
        "tls-private-key-file": layout.pki / "apiserver.key",
        "client-ca-file": layout.pki / "ca.crt",
        # No aggregated API exists here. The controllers complain every few seconds until this is set all the same;
        # no certificate with this name is ever made.
        "requestheader-client-ca-file": layout.pki / "ca.crt",
        "requestheader-allowed-names": "front-proxy",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction,PodSecurity",
        "allow-privileged": "true",
        "service-account-issuer": f"https://kubernetes.default.svc.{at.CLUSTER_DOMAIN}",
        "service-account-key-file": layout.pki / "service-account.pub",
        "service-account-signing-key-file": layout.pki / "service-account.key",
        "kubelet-preferred-address-types": "Hostname",
        "kubelet-certificate-authority": layout.pki / "ca.crt",
        "kubelet-client-certificate": layout.pki / "apiserver-kubelet-client.crt",
        "kubelet-client-key": layout.pki / "apiserver-kubelet-client.key",
        "audit-policy-file": policy,
        "audit-log-path": layout.audit_log,
        "audit-log-maxsize": 200,
        "audit-log-maxbackup": 2,
        "profiling": "false",
        "v": 0,
    }
    return Component(
        "kube-apiserver",
        _argv(program("kube-apiserver"), flags),
        port=(at.LOOPBACK, at.API_PORT),
        files=(policy,),
        # It would wait a minute for its watchers, who all come back by themselves. Nothing is lost: etcd has it all.
        grace=1.0,
    )


def _controller_manager(layout: Layout, program: Callable[[str], Path]) -> Component:
    kubeconfig = layout.config / "controller-manager.kubeconfig"
    flags = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": at.LOOPBACK,
        "leader-elect": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": layout.pki / "service-account.key",
        "root-ca-file": layout.pki / "ca.crt",
        "cluster-signing-cert-file": layout.pki / "ca.crt",
        "cluster-signing-key-file": layout.pki / "ca.key",
        # The defaults (20 and 30 a second) are meant for clusters that share an API server with thousands of nodes.
        "kube-api-qps": 200,
        "kube-api-burst": 400,
        "profiling": "false",
        "v": 0,
    }
    return Component(
        "kube-controller-manager",
        _argv(program("kube-controller-manager"), flags),
        port=(at.LOOPBACK, at.CONTROLLER_MANAGER_PORT),
        files=(kubeconfig,),
    )


def _scheduler(layout: Layout, program: Callable[[str], Path]) -> Component:
    config = layout.config / "scheduler.json"
    kubeconfig = layout.config / "scheduler.kubeconfig"
    flags = {
        "config": config,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": at.LOOPBACK,
        "v": 0,
    }
    return Component(
        "kube-scheduler",
        _argv(program("kube-scheduler"), flags),
        port=(at.LOOPBACK, at.SCHEDULER_PORT),
        files=(config, kubeconfig),
    )


def _proxy(layout: Layout, program: Callable[[str], Path]) -> Component:
    kubeconfig = layout.config / "proxy.kubeconfig"
    flags = {
        "kubeconfig": kubeconfig,
        "hostname-override": at.NODE,
        "proxy-mode": "nftables",
        "cluster-cidr": at.POD_NETWORK,
        "nodeport-addresses": "primary",
        "healthz-bind-address": f"{at.LOOPBACK}:{at.PROXY_HEALTH_PORT}",
        "metrics-bind-address": f"{at.LOOPBACK}:{at.PROXY_METRICS_PORT}",
        # The machine's own connection tracking limits stay as they are.
        "conntrack-max-per-core": 0,
        "oom-score-adj": 0,
        "v": 0,
    }
    return Component(
        "kube-proxy",
        _argv(program("kube-proxy"), flags),
        port=(at.LOOPBACK, at.PROXY_HEALTH_PORT),
        files=(kubeconfig,),
    )


def _kubelet(layout: Layout, program: Callable[[str], Path]) -> Component:
    config = layout.config / "kubelet.json"
    kubeconfig = layout.config / "kubelet.kubeconfig"
    flags = {
        "config": config,
        "kubeconfig": kubeconfig,
        "hostname-override": at.NODE,
        "node-ip": at.HOST,
        "root-dir": layout.kubelet,
        "cert-dir": layout.pki,
        "v": 0,
    }
    return Component(
        "kubelet",
        _argv(program("kubelet"), flags),
        port=(at.LOOPBACK, at.KUBELET_HEALTH_PORT),
        files=(config, kubeconfig),
    )


def _dns(layout: Layout, program: Callable[[str], Path]) -> Component:
    corefile = layout.config / "Corefile"
    return Component(
        "dns",
        (str(program("dns")), "-conf", str(corefile)),
        port=(at.HOST, at.DNS_PORT),
        files=(corefile, layout.config / "dns.kubeconfig"),
    )


def _provisioner(layout: Layout, program: Callable[[str], Path]) -> Component:
    kubeconfig = layout.config / "provisioner.kubeconfig"
    flags = {"kubeconfig": kubeconfig, "root": layout.volumes, "name": at.PROVISIONER}
    return Component("provisioner", _argv(program("provisioner"), flags), files=(kubeconfig,))


def _argv(program: Path, flags: dict[str, object]) -> tuple[str, ...]:
    return (str(program), *(f"--{name}={value}" for name, value in flags.items()))
