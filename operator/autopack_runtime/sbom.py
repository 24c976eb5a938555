"""`python -m autopack_runtime.sbom`: what is installed in this image, as a CycloneDX document on stdout.

Written when the image is built, from what is really there: no network, no clock, the same bytes for the same contents.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from urllib.parse import quote

Json = dict[str, object]


def component(kind: str, name: str, version: str) -> Json:
    """One entry; `kind` is the type of its package URL."""
    return {"type": "library", "name": name, "version": version, "purl": f"pkg:{kind}/{quote(name)}@{quote(version)}"}


def document(components: Iterable[Json]) -> Json:
    """The document, its components in order and each once."""
    unique = {str(item["purl"]): item for item in components}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "autopack"}},
        "components": [unique[purl] for purl in sorted(unique)],
    }


def python_packages() -> list[Json]:
    """Distributions of this Python."""
    found = metadata.distributions()
    return [component("pypi", item.metadata["Name"].lower().replace("_", "-"), item.version) for item in found]


def debian_packages() -> list[Json]:
    """Packages of the base image; none where it has no dpkg."""
    try:
        listed = subprocess.run(
            ["dpkg-query", "--show", "--showformat", "${Package} ${Version}\n"],
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError:
        return []
    pairs = [line.partition(" ") for line in listed.stdout.splitlines()]
    return [component("deb/debian", name, version) for name, _, version in pairs if version]


def main() -> int:
    """Write it."""
    print(json.dumps(document([*python_packages(), *debian_packages()]), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
