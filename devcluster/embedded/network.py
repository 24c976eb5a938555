"""The address under which pods reach this machine, and the packet rules that must not outlive the cluster."""

from __future__ import annotations

import json
from pathlib import Path

from devcluster.commands import output_of, succeeds
from devcluster.embedded import addresses as at
from devcluster.failure import Failure
from devcluster.layout import Layout

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_TABLES = (("ip", "kube-proxy"), ("ip6", "kube-proxy"))
_FORWARD_RULES = tuple(("FORWARD", side, at.POD_NETWORK, "-j", "ACCEPT") for side in ("--source", "--destination"))


def ensure(layout: Layout) -> None:
    """Bring the interface up with its address, and forwarding on; changes nothing that is already so."""
    _refuse_overlap()
    if not Path("/sys/class/net", at.INTERFACE).exists():
        # A bridge that nothing is attached to: not every kernel has the type `dummy`.
        output_of(["ip", "link", "add", at.INTERFACE, "type", "bridge"])
    output_of(["ip", "address", "replace", f"{at.HOST}/32", "dev", at.INTERFACE])
    output_of(["ip", "link", "set", at.INTERFACE, "up"])
    _forward_packets(layout)


def remove(layout: Layout) -> None:
    """Take away interface and rules, and put forwarding back; safe when some of it is gone already."""
    for family, table in _TABLES:
        if succeeds(["nft", "list", "table", family, table]):
            output_of(["nft", "delete", "table", family, table])
    if _drops_forwarded():
        for rule in _FORWARD_RULES:
            while succeeds(["iptables", "-D", *rule]):
                pass
    if Path("/sys/class/net", at.INTERFACE).exists():
        output_of(["ip", "link", "delete", at.INTERFACE])
    former = _former_forwarding(layout)
    if former.exists():
        _FORWARDING.write_text(former.read_text())
        former.unlink()


def overlapping(routes: str) -> list[str]:
    """Return the devices that `ip -json route` output shows for the cluster's networks, pods' own links aside."""
    devices = {route["dev"] for route in json.loads(routes or "[]") if "dev" in route}
    return sorted(device for device in devices if device != at.INTERFACE and not device.startswith("veth"))


def _refuse_overlap() -> None:
    routes = output_of(["ip", "-json", "route", "show", "table", "all", "root", at.NETWORKS])
    if devices := overlapping(routes):
        raise Failure(
            f"this machine already uses addresses in {at.NETWORKS} (on {', '.join(devices)}); "
            "the embedded cluster cannot run here, use CLUSTER=kind or CLUSTER=current"
        )


def _former_forwarding(layout: Layout) -> Path:
    return layout.run / "ip_forward.before"


def _forward_packets(layout: Layout) -> None:
    before = _FORWARDING.read_text()
    if before.strip() != "1":
        former = _former_forwarding(layout)
        former.parent.mkdir(parents=True, exist_ok=True)
        former.write_text(before)
        _FORWARDING.write_text("1")
    if _drops_forwarded():
        for rule in _FORWARD_RULES:
            if not succeeds(["iptables", "-C", *rule]):
                output_of(["iptables", "-I", *rule])


def _drops_forwarded() -> bool:
    """Whether the kernel drops what it is to forward unless a rule says otherwise; Docker, for one, has it so."""
    return _has_filter_table() and "-P FORWARD DROP" in output_of(["iptables", "-S", "FORWARD"], check=False)


def _has_filter_table() -> bool:
    """Whether somebody filters already. Asking `iptables` alone would create the table."""
    return succeeds(["nft", "list", "table", "ip", "filter"]) or Path("/proc/net/ip_tables_names").exists()
