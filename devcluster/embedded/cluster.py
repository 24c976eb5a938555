"""The embedded cluster as a whole: up, down, status. Each can be repeated, and picks up after a killed one."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

from devcluster import binaries, packages
from devcluster.embedded import addresses as at
from devcluster.embedded import leftovers, network, ownership, processes, runtime, supervision
from devcluster.embedded.api import Api, node_is_ready
from devcluster.embedded.components import Component, components
from devcluster.embedded.credentials import administrator_kubeconfig, ensure_pki, write_secret
from devcluster.embedded.manifests import manifests
from devcluster.embedded.rendering import config_files
from devcluster.failure import Failure
from devcluster.layout import Layout
from devcluster.progress import Progress

_NODE_PATH = f"/api/v1/nodes/{at.NODE}"


def up(layout: Layout, progress: Progress) -> None:
    """Bring the cluster up, or repair it; leaves alone what already runs as it should."""
    packages.ensure(packages.CLUSTER_PROGRAMS, log=layout.logs / "apt.log", progress=progress)
    built = binaries.ensure(layout, binaries.CLUSTER_PACKAGES, progress)

    def program(name: str) -> Path:
        return binaries.program_path(built, name, os.environ)

    _forget_former_boot(layout)
    for directory in (layout.state, layout.config, layout.run, layout.volumes, layout.logs):
        directory.mkdir(parents=True, exist_ok=True)
    ensure_pki(layout, program("pki"))
    _write_config(layout)
    binaries.link_clients(layout, {"kubectl": program("kubectl"), "helm": built / "helm"})

    wanted = components(layout, program)
    absent = [component for component in wanted if not supervision.is_current(layout, component)]
    if absent:
        progress.say(f"to start: {', '.join(component.name for component in absent)}")
        supervision.stop(layout, absent, progress)
        _take_the_machine(layout, absent, progress)
    ownership.claim(layout)
    network.ensure(layout)
    _start_in_order(layout, wanted, absent, built / "pause", progress)

    api = Api(layout.pki)
    write_secret(layout.kubeconfig, administrator_kubeconfig(layout.pki))
    supervision.wait(layout, "the node", lambda: node_is_ready(api.get(_NODE_PATH)), progress, needs=wanted)
    progress.say("the cluster is ready" if absent else "the cluster was running already")


def down(layout: Layout, progress: Progress) -> None:
    """Stop and remove everything but images and logs. Works from whatever state a killed command left."""
    known = components(layout, Path)
    containerd = [component for component in known if component.name == "containerd"]
    others = [component for component in known if component.name != "containerd"]
    progress.say("stopping the cluster's processes")
    supervision.stop(layout, others, progress)
    owner = ownership.foreign_owner(layout)
    if owner is None:
        leftovers.kill_pods()
    if supervision.answers(containerd[0]):
        progress.say("deleting containers")
        runtime.delete_containers(layout)
    supervision.stop(layout, containerd, progress)
    leftovers.kill_shims(layout)
    if owner is None:
        _clear_the_machine(layout)
    else:
        progress.say(f"the cluster that runs on this machine is that of {owner.parent}; it is left alone")
    leftovers.unmount_all(layout)
    leftovers.forget_containers(layout)
    _remove_state(layout)
    layout.kubeconfig.unlink(missing_ok=True)


def health(layout: Layout) -> dict[str, bool]:
    """Look at the cluster without changing anything; returns what is to be up -> whether it is."""
    states = {
        component.name: processes.running(supervision.pid_file(layout, component)) is not None
        and supervision.answers(component)
        for component in components(layout, Path)
    }
    api = Api(layout.pki) if layout.pki.exists() else None
    states["API server ready"] = api is not None and api.is_ready()
    states["node ready"] = api is not None and node_is_ready(api.get(_NODE_PATH))
    return states


def _start_in_order(
    layout: Layout, wanted: tuple[Component, ...], absent: list[Component], pause: Path, progress: Progress
) -> None:
    """Start what is absent: the store and the runtime, then the API server, then all that need these."""
    by_name = {component.name: component for component in wanted}
    missing = {component.name for component in absent}

    def start(names: list[str]) -> list[Component]:
        started = [by_name[name] for name in names]
        for component in started:
            if component.name in missing:
                supervision.start(layout, component)
        for component in started:
            answers = partial(supervision.answers, component)
            supervision.wait(layout, component.name, answers, progress, needs=started)
        return started

    start(["etcd", "containerd"])
    (server,) = start(["kube-apiserver"])
    api = Api(layout.pki)
    supervision.wait(layout, "the API server", api.is_ready, progress, needs=[by_name["etcd"], server])
    if missing:
        for path, manifest in manifests():
            api.apply(path, manifest)
    supervision.wait(layout, "containerd", lambda: runtime.answers(layout), progress, needs=[by_name["containerd"]])
    if "containerd" in missing or not runtime.has_image(layout, at.PAUSE_IMAGE):
        runtime.import_program(layout, at.PAUSE_IMAGE, pause)
    if "kubelet" in missing:
        leftovers.make_cgroups()
    early = {"etcd", "containerd", "kube-apiserver"}
    start([component.name for component in wanted if component.name not in early])


def _take_the_machine(layout: Layout, absent: list[Component], progress: Progress) -> None:
    """Make sure that no other cluster runs here, and clear what one that was killed has left."""
    owner = ownership.foreign_owner(layout)
    try:
        supervision.refuse_taken_ports(absent, progress)
    except Failure as error:
        if owner is None:
            raise
        raise Failure(
            f"the cluster of {owner.parent} runs on this machine, which has room for one: use it (CLUSTER=current "
            f"KUBECONFIG={owner}/kubeconfig), or stop it there with `python3 -m devcluster down`"
        ) from error
    if owner is not None:
        progress.say(f"clearing what the cluster of {owner.parent} has left")
        _clear_the_machine(layout)


def _clear_the_machine(layout: Layout) -> None:
    """Remove what exists once on a machine."""
    leftovers.kill_pods()
    leftovers.remove_shim_sockets()
    leftovers.remove_foreign_files(layout)
    network.remove(layout)
    ownership.release()


def _write_config(layout: Layout) -> None:
    cni = packages.cni_directory()
    if cni is None:
        raise Failure("the CNI plugins are missing; install containernetworking-plugins")
    for path, text in config_files(layout, cni).items():
        if path.exists() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_secret(path, text)


def _forget_former_boot(layout: Layout) -> None:
    """Remove sockets, leases and runtime state from before a reboot: they name things that are gone."""
    mark = layout.run / "boot-id"
    if mark.exists() and mark.read_text() == processes.boot_id():
        return
    if layout.run.exists() and mark.exists():
        leftovers.remove_foreign_files(layout)
        leftovers.forget_containers(layout)
        shutil.rmtree(layout.run)
    layout.run.mkdir(parents=True, exist_ok=True)
    mark.write_text(processes.boot_id())


def _remove_state(layout: Layout) -> None:
    for path in (layout.etcd, layout.kubelet, layout.volumes, layout.pki, layout.config, layout.pids, layout.run):
        if path.exists():
            shutil.rmtree(path)
    for log in layout.state.glob("audit*.log"):
        log.unlink()
