"""Names, addresses and ports of the embedded cluster.

198.18.0.0/15 is set aside for benchmarks of networks, so it is on no real network. The private ranges and the three
documentation ranges are not safe: they do get used, and a service range that overlaps a real network cuts the machine
off from it, because kube-proxy drops what it did not allocate.
"""

from __future__ import annotations

NODE = "localhost"
"""The API server dials nodes by host name, and the kubelet listens on the loopback interface only."""

CLUSTER_DOMAIN = "cluster.local"
INTERFACE = "autopack0"

NETWORKS = "198.18.0.0/23"
"""Pods and services together."""
POD_NETWORK = "198.18.1.0/24"
HOST = "198.18.1.1"
"""The address of `INTERFACE`: pods reach this machine under it, and it is their gateway."""
SERVICE_NETWORK = "198.18.0.0/24"
API_SERVICE = "198.18.0.1"
DNS_SERVICE = "198.18.0.10"

LOOPBACK = "127.0.0.1"
API_PORT = 6443
ETCD_PORT = 2379
ETCD_PEER_PORT = 2380
KUBELET_PORT = 10250
KUBELET_HEALTH_PORT = 10248
PROXY_METRICS_PORT = 10249
PROXY_HEALTH_PORT = 10256
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259
DNS_PORT = 53

API_URL = f"https://{LOOPBACK}:{API_PORT}"
CGROUP = "autopack-devcluster"
"""All pods live below this control group, so that they can be told from everything else on the machine."""

PAUSE_IMAGE = "localhost/pause:dev"
PROVISIONER = "autopack.dev/host-directory"
