"""The configuration files of the embedded cluster, as pure functions from paths to text."""

from __future__ import annotations

import json
from pathlib import Path

from devcluster.embedded import addresses as at
from devcluster.layout import Layout

KUBECONFIG_USERS = ("controller-manager", "scheduler", "proxy", "kubelet", "dns", "provisioner")


def config_files(layout: Layout, cni_directory: Path) -> dict[Path, str]:
    """Return every file to write and its content, private keys aside."""
    config = layout.config
    files = {
        config / "audit-policy.json": _json(_audit_policy()),
        config / "scheduler.json": _json(_scheduler(config / "scheduler.kubeconfig")),
        config / "kubelet.json": _json(_kubelet(layout)),
        config / "containerd.toml": _containerd(layout, cni_directory),
        config / "cni" / "10-autopack.conflist": _json(_cni(layout)),
        config / "Corefile": _corefile(config / "dns.kubeconfig"),
        # Pods that do not use the cluster's DNS get no name server: nothing outside is reachable from a pod.
        config / "resolv.conf": "",
    }
    for user in KUBECONFIG_USERS:
        files[config / f"{user}.kubeconfig"] = _json(_kubeconfig(layout.pki, user))
    return files


def _json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


def _kubeconfig(pki: Path, user: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "devcluster", "cluster": {"server": at.API_URL, "certificate-authority": str(pki / "ca.crt")}}
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate": str(pki / f"{user}.crt"),
                    "client-key": str(pki / f"{user}.key"),
                },
            }
        ],
        "contexts": [{"name": "devcluster", "context": {"cluster": "devcluster", "user": user}}],
        "current-context": "devcluster",
    }


def _audit_policy() -> dict[str, object]:
    """Every request once, when it is answered, with its URI and without bodies."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": True,
        "rules": [{"level": "Metadata"}],
    }


def _scheduler(kubeconfig: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": 200, "burst": 400},
        "leaderElection": {"leaderElect": False},
        "enableProfiling": False,
    }


def _kubelet(layout: Layout) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": at.LOOPBACK,
        "port": at.KUBELET_PORT,
        "healthzBindAddress": at.LOOPBACK,
        "healthzPort": at.KUBELET_HEALTH_PORT,
        "tlsCertFile": str(layout.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet.key"),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [at.DNS_SERVICE],
        "clusterDomain": at.CLUSTER_DOMAIN,
        "resolvConf": str(layout.config / "resolv.conf"),
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "podLogsDir": str(layout.run / "pod-logs"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{at.CGROUP}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "makeIPTablesUtilChains": False,
        "oomScoreAdj": 0,
        "maxPods": 250,
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        # A developer's nearly full disk must not evict pods or delete the images that no registry could give back.
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        # Walking every volume each minute for its usage costs more than anything else on an idle node.
        "volumeStatsAggPeriod": "-1s",
    }


def _containerd(layout: Layout, cni_directory: Path) -> str:
    text = json.dumps  # TOML's basic strings and JSON's strings are written alike
    return f"""\
version = 2
root = {text(str(layout.containerd))}
state = {text(str(layout.run / "containerd" / "state"))}
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
address = {text(str(layout.containerd_socket))}

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = {text(at.PAUSE_IMAGE)}
stream_server_address = {text(at.LOOPBACK)}
# A process without CAP_SYS_RESOURCE cannot lower a container's OOM score below its own.
restrict_oom_score_adj = true
# Network namespaces then lie where `down` finds them and can tell them from others on the machine.
netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
Root = {text(str(layout.run / "runc"))}
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = {text(str(cni_directory))}
conf_dir = {text(str(layout.config / "cni"))}
"""


def _cni(layout: Layout) -> dict[str, object]:
    """Every pod gets a link of its own to the host, and all its packets are routed.

    Pods that share a bridge would answer each other past the host's address translation, and so break Services, unless
    the kernel has the module br_netfilter.
    """
    return {
        "cniVersion": "0.4.0",
        "name": "autopack",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(layout.run / "cni"),
                    "ranges": [[{"subnet": at.POD_NETWORK, "gateway": at.HOST}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }


def _corefile(kubeconfig: Path) -> str:
    """Names of the cluster are answered, all others do not exist: a definite answer, for no resolver could help."""
    return f"""\
{at.CLUSTER_DOMAIN}:{at.DNS_PORT} in-addr.arpa:{at.DNS_PORT} ip6.arpa:{at.DNS_PORT} {{
    bind {at.HOST}
    errors
    cache 5
    kubernetes {at.CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
}}
.:{at.DNS_PORT} {{
    bind {at.HOST}
    errors
    template ANY ANY . {{
        rcode NXDOMAIN
    }}
}}
"""
