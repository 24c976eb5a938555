"""Addresses of repositories given by people: checked before git sees them, so none is an option or another protocol."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from urllib.parse import SplitResult, unquote, urlsplit

from autopack import errors
from autopack.redaction import redact_url

_MAX_URL = 2048
_SCP_LIKE = re.compile(r"(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^/:-].*)")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_EXAMPLES = {"https": "https://host/owner/repository.git", "ssh": "git@host:owner/repository.git"}
_METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data", "metadata.azure.internal"})
_METADATA_ADDRESSES = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")))


def check_repo_url(
    text: str, allowed: Sequence[str] = ("https", "ssh"), *, field: str = "url", allow_loopback: bool = False
) -> str:
    """Return `text` if it is a repository address git may fetch from; raise InvalidInput otherwise.

    Accepted are `<scheme>://…` for the schemes in `allowed`, and `user@host:path` where `ssh` is one of them. Refused
    are credentials in the address, link-local, loopback and cloud metadata hosts, and anything git could take for an
    option or a helper (`ext::…`). `allow_loopback` is for servers of a test. No credential is ever in the message.
    """
    wrong = _what_is_wrong_with_url(text, tuple(allowed), allow_loopback=allow_loopback)
    if wrong:
        shown = errors.printable(redact_url(text), 120)
        fix = f"Give an address such as {' or '.join(_EXAMPLES.get(scheme, f'{scheme}://…') for scheme in allowed)}"
        raise errors.InvalidInput(field, f"'{shown}' {wrong}", fix)
    return text


def _what_is_wrong_with_url(text: str, allowed: tuple[str, ...], *, allow_loopback: bool) -> str | None:
    if not text or len(text) > _MAX_URL:
        return f"is empty or has more than {_MAX_URL} characters"
    if text.startswith("-") or " " in text or "\\" in text or not text.isprintable():
        return "begins with '-' or has a space, backslash, control or invisible character"
    if "::" in text.split("[")[0]:
        return "asks for a remote helper"
    if {".", ".."} & set(re.split("[/:]", unquote(text))):
        return "leads through '.' or '..' to another place than it seems to name"
    scp = _SCP_LIKE.fullmatch(text)
    if scp and "://" not in text:
        return _wrong_host(scp["host"], allow_loopback=allow_loopback) if "ssh" in allowed else "is not allowed: ssh"
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return "is not an address"
    if url.scheme not in allowed:
        return f"has a scheme other than {', '.join(allowed)}"
    return _wrong_parts(url, port, allow_loopback=allow_loopback)


def _wrong_parts(url: SplitResult, port: int | None, *, allow_loopback: bool) -> str | None:
    if url.password is not None or (url.username is not None and url.scheme != "ssh"):
        return "carries a credential, which would be stored and shown"
    if url.username is not None and not _USER.fullmatch(url.username):
        return "has a bad user name"
    if url.query or url.fragment:
        return "has a query or a fragment"
    if port == 0:
        return "has port 0"
    if url.scheme == "file":
        return "names a host" if url.netloc else None
    if len(url.path) <= 1 or not unquote(url.path).isprintable() or url.path.startswith("/-"):
        return "has no path to a repository, or one that git could misread"
    return _wrong_host(url.hostname or "", allow_loopback=allow_loopback)


def _wrong_host(host: str, *, allow_loopback: bool) -> str | None:
    name = host.rstrip(".").lower()
    address = _address(name)
    if address is None:
        if not _HOST.fullmatch(host):
            return "has no host, or a bad one"
        if name in _METADATA_HOSTS:
            return "names a cloud metadata service"
        local = name == "localhost" or name.endswith(".localhost")
    else:
        if address.is_link_local or address in _METADATA_ADDRESSES:
            return "names a link-local address, where cloud metadata services answer"
        if address.is_unspecified or address.is_multicast:
            return "names an address that is no host"
        local = address.is_loopback
    return "names this machine itself" if local and not allow_loopback else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read a numeric host in every form the resolver takes: 127.1, 0x7f000001, 2130706433, ::ffff:127.0.0.1."""
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeError):
            return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
