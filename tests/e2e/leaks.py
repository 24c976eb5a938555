"""Where in an installation a text turns up: a key of its users must turn up nowhere."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from html import unescape

import aiohttp
from scripts.deploy import kubectl, kubectl_json

from tests.e2e.installation import Installation, port_forward

KINDS = "autopackruns,runbatches,runprofiles,leases,pods,configmaps,deployments,replicasets,events"
PAGES = 300
IN_REPOSITORIES = r"""
set -eu
read -r wanted
find /autopack -type d -name objects -prune | while read -r objects; do
  repository=${objects%/objects}
  if git --git-dir "$repository" cat-file --batch --batch-all-objects --buffer | grep -qaF -- "$wanted"; then
    echo "repository $repository"
  fi
done
(grep -rlaF -- "$wanted" /autopack || test $? = 1) | sed 's/^/file /'
"""
ROWS = (
    "import sqlite3;"
    "db=sqlite3.connect('file:/var/lib/autopack/registry.db?mode=ro',uri=True);"
    "print(*db.iterdump(),sep='\\n')"
)


async def places_with(text: str, installation: Installation) -> set[str]:
    """Return the places that hold the text: `object KIND/NAME`, `log POD`, `file PATH`, `repository PATH`,
    `page PATH` of the dashboard, `registry`.
    """
    found = {*_objects(text, installation), *_logs(text, installation), *_volume(text, installation)}
    if text in kubectl(*_in("operator", installation), "/opt/autopack/bin/python", "-c", ROWS):
        found.add("registry")
    return found | {place async for place in _pages(text, installation)}


def kinds_of(places: set[str]) -> set[str]:
    """Return the first words of the places."""
    return {place.split()[0] for place in places}


def _objects(text: str, installation: Installation) -> Iterator[str]:
    listed = kubectl_json("get", KINDS, "-n", installation.namespace)["items"]
    yield from (f"object {one['kind']}/{one['metadata']['name']}" for one in listed if text in str(one))


def _logs(text: str, installation: Installation) -> Iterator[str]:
    for pod in installation.all("pods"):
        name = pod["metadata"]["name"]
        words = ("-n", installation.namespace, "--all-containers", "--ignore-errors", "--tail=-1")
        if text in kubectl("logs", name, *words):
            yield f"log {name}"


def _volume(text: str, installation: Installation) -> list[str]:
    """Files, and what git keeps compressed."""
    words = ("-i", *_in("volume", installation)[1:], "sh", "-c", IN_REPOSITORIES)
    return kubectl("exec", *words, stdin=f"{text}\n".encode(), timeout=300).splitlines()


def _in(component: str, installation: Installation) -> tuple[str, ...]:
    return ("exec", "-n", installation.namespace, f"deploy/autopack-{component}", "--")


async def _pages(text: str, installation: Installation) -> AsyncIterator[str]:
    """Every page that a link leads to."""
    reader = kubectl("create", "token", "viewer", "-n", installation.namespace, "--duration=1h").strip()
    with port_forward(installation.namespace, "service/autopack-dashboard", 80) as address:
        async with aiohttp.ClientSession(address, headers={"Authorization": f"Bearer {reader}"}) as session:
            known, waiting = {"/"}, ["/"]
            while waiting and len(known) < PAGES:
                path = waiting.pop()
                async with session.get(path) as response:
                    page = (await response.read()).decode(errors="replace")
                if text in page or text in path:
                    yield f"page {path}"
                links = {unescape(link) for link in re.findall(r'(?:href|src)="(/[^"]*)"', page)}
                new = {link.partition("#")[0] for link in links if not link.startswith(("/events", "/logout"))} - known
                known |= new
                waiting += sorted(new)
