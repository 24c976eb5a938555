"""Certificates, and the kubeconfig that people and tools use."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

from devcluster.commands import output_of
from devcluster.embedded import addresses as at
from devcluster.layout import Layout


def ensure_pki(layout: Layout, pki_program: Path) -> None:
    """Make all certificates and keys unless they were made before; a set that was cut short is made again."""
    if layout.pki.exists():
        return
    unfinished = layout.pki.with_name("pki.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    names = [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{at.CLUSTER_DOMAIN}",
    ]
    addresses = [at.LOOPBACK, at.API_SERVICE, at.HOST]
    output_of(
        [
            *(str(pki_program), f"--dir={unfinished}", f"--node={at.NODE}"),
            *(f"--names={','.join(names)}", f"--addresses={','.join(addresses)}"),
        ]
    )
    unfinished.rename(layout.pki)


def administrator_kubeconfig(pki: Path) -> str:
    """Return a kubeconfig with everything in it, so that the file can be copied elsewhere on this machine."""

    def inline(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "devcluster", "cluster": {"server": at.API_URL, "certificate-authority-data": inline("ca.crt")}}
        ],
        "users": [
            {
                "name": "admin",
                "user": {
                    "client-certificate-data": inline("admin.crt"),
                    "client-key-data": inline("admin.key"),
                },
            }
        ],
        "contexts": [{"name": "devcluster", "context": {"cluster": "devcluster", "user": "admin"}}],
        "current-context": "devcluster",
    }
    return json.dumps(document, indent=2) + "\n"


def write_secret(path: Path, text: str) -> None:
    """Write a file only its owner can read, in one step."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)
