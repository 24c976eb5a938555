"""How this machine reaches package registries, handed to a build for its duration and left out of the image.

Some machines sit behind a proxy, trust a certificate authority of their own, or use a mirror. Ordinary clients on the
machine know it from files and variables; a build in a chroot must be told.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devcluster.commands import output_of

BUNDLE_IN_IMAGE = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian's programs look, pip and Git among them."""

_HOST_BUNDLES = (BUNDLE_IN_IMAGE, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_BUNDLE_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")
_PIP_OPTIONS = ("index-url", "extra-index-url", "trusted-host", "timeout", "default-timeout", "retries", "proxy")
_NPM_OPTIONS = ("registry", "proxy", "https-proxy")


@dataclass(frozen=True)
class HostSettings:
    """What a build needs to know; all of it empty on a machine with direct access."""

    bundle: Path | None
    """Certificate authorities the machine trusts."""
    proxies: Mapping[str, str]
    """Proxy variables, as they are set."""
    pip_conf: str
    """Text of a pip.conf; empty when pip has its defaults."""
    apt_conf: str
    """Text for a file in /etc/apt/apt.conf.d; empty when apt has its defaults."""
    npmrc: str
    """Text of an .npmrc; empty when npm has its defaults."""


def look() -> HostSettings:
    """Read the settings of the ordinary clients of this machine."""
    environment = dict(os.environ)
    pip_list = output_of([sys.executable, "-m", "pip", "config", "list"], check=False)
    apt_dump = output_of(["apt-config", "dump"]) if shutil.which("apt-config") else ""
    npm_list = output_of(["npm", "config", "list", "--json"], check=False) if shutil.which("npm") else ""
    bundle = _bundle(environment)
    return HostSettings(
        bundle=bundle,
        proxies={name: value for name, value in environment.items() if name.lower() in _PROXY_VARIABLES},
        pip_conf=pip_conf(pip_list),
        apt_conf=apt_conf(apt_dump),
        npmrc=npmrc(npm_list, has_bundle=bundle is not None),
    )


def pip_conf(config_list: str) -> str:
    """Return a pip.conf with those options of `pip config list` that say how to reach an index.

    That listing holds the variables too, as `:env:.index-url='…'`; they come last and win, as they do in pip.
    """
    options: dict[str, str] = {}
    for line in config_list.splitlines():
        found = re.fullmatch(r"(?:global|:env:)\.([a-z-]+)='(.*)'", line)
        if found and found.group(1) in _PIP_OPTIONS:
            options[found.group(1)] = found.group(2).replace("\\n", "\n    ")
    if not options:
        return ""
    return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in sorted(options.items()))


def apt_conf(dump: str) -> str:
    """Return those lines of `apt-config dump` that say how to reach a mirror."""
    lines = [
        line
        for line in dump.splitlines()
        if re.match(r"Acquire::(https?|ftp)::", line) and not line.endswith('"";') and "User-Agent" not in line
    ]
    return "".join(f"{line}\n" for line in lines)


def npmrc(config_list: str, *, has_bundle: bool) -> str:
    """Return an .npmrc with those options of `npm config list --json` that say how to reach a registry.

    Node.js has authorities of its own and looks at no bundle that it is not told of.
    """
    known = json.loads(config_list or "{}")
    options = {name: known[name] for name in _NPM_OPTIONS if known.get(name)}
    if has_bundle:
        options["cafile"] = BUNDLE_IN_IMAGE
    return "".join(f"{name}={value}\n" for name, value in options.items())


def _bundle(environment: Mapping[str, str]) -> Path | None:
    named = [environment[name] for name in _BUNDLE_VARIABLES if environment.get(name)]
    return next((Path(path) for path in (*named, *_HOST_BUNDLES) if Path(path).is_file()), None)
