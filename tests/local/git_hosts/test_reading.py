"""Private repositories are read with the declared credential, and it goes nowhere else."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.conftest import Declarations
from tests.local.git_hosts.servers import HttpsServer, SshServer

from autopack.errors import AutopackError
from autopack_volume.service.answers import TransientError
from autopack_volume.service.sources.mirrors import Mirrors

Make = Callable[[], Mirrors]


def fetched(mirrors: Mirrors, url: str) -> str:
    """Fetch, and return the branches of the mirror."""
    mirrors.fetch("key", url)
    listed = ["git", "-C", str(mirrors.path("key")), "for-each-ref", "--format=%(refname)", "refs/heads"]
    return subprocess.run(listed, capture_output=True, text=True, check=True).stdout.strip()


def refused(mirrors: Mirrors, url: str) -> AutopackError:
    with pytest.raises(AutopackError) as caught:
        mirrors.fetch("key", url)
    return caught.value


def trust(declarations: Declarations, ssh: SshServer) -> None:
    """Declare the key that the server takes, and the host key that it has now."""
    prefix, identity = f"ssh://127.0.0.1:{ssh.port}/", ssh.identity.read_text()
    declarations.add("SSH", prefix, identity=identity, known_hosts=ssh.known_hosts)


def test_user_and_password(mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority) -> None:
    declarations.add(
        "Basic", f"{https.url}/basic/acme", ca=authority.file, username=https.user, password=f"{https.password}\n"
    )
    assert fetched(mirrors(), f"{https.url}/basic/acme/app.git") == "refs/heads/main"


def test_a_bearer_token(mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority) -> None:
    declarations.add("Bearer", f"{https.url}/bearer/", ca=authority.file, bearerToken=https.token)
    assert fetched(mirrors(), f"{https.url}/bearer/acme/app.git") == "refs/heads/main"


def test_a_private_ca_without_a_credential(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    url = f"{https.url}/open/acme/app.git"
    error = refused(mirrors(), url)
    assert (error.reason, "caBundle" in error.fix) == ("HostNotTrusted", True)
    declarations.add("None", https.url, ca=authority.file)
    assert fetched(mirrors(), url) == "refs/heads/main"


def test_a_rotated_secret_counts_at_once(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    declarations.add("Basic", https.url, ca=authority.file, username=https.user, password=https.password)
    service, url = mirrors(), f"{https.url}/basic/acme/app.git"
    https.set_password("another")
    expired = refused(service, url)
    assert isinstance(expired, TransientError)
    assert (expired.reason, "'one'" in expired.fix) == ("CredentialRefused", True)
    declarations.write(password="another")
    assert fetched(service, url) == "refs/heads/main"


def test_without_a_credential_the_fix_is_named(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    declarations.add("None", https.url, ca=authority.file)
    declarations.add("Basic", f"{https.url}/basic/other", name="other", username="x", password="secret")
    error = refused(mirrors(), f"{https.url}/basic/acme/app.git")
    assert (error.reason, "git.credentials" in error.fix) == ("CredentialMissing", True)


def test_a_missing_key_of_a_secret_is_named_and_may_come_later(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    declarations.add("Basic", https.url, ca=authority.file, username=https.user)
    service, url = mirrors(), f"{https.url}/basic/acme/app.git"
    error = refused(service, url)
    assert isinstance(error, TransientError)
    assert "'one-secret' of git credential 'one' has no key 'password'" in error.message
    declarations.write(password=https.password)
    assert fetched(service, url) == "refs/heads/main"


def test_a_repository_that_is_not_there(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    declarations.add("Basic", https.url, ca=authority.file, username=https.user, password=https.password)
    error = refused(mirrors(), f"{https.url}/basic/acme/none.git")
    assert (error.reason, "'one'" in error.fix) == ("RepositoryNotFound", True)


def test_a_probe_tells_the_credential_and_keeps_nothing(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    declarations.add("None", https.url, name="ca", ca=authority.file)
    declarations.add("Basic", f"{https.url}/basic", ca=authority.file, username=https.user, password=https.password)
    service = mirrors()
    assert service.probe(f"{https.url}/basic/acme/app.git") == {"state": "reachable", "credential": "one"}
    assert service.probe(f"{https.url}/open/acme/app.git") == {"state": "reachable", "credential": ""}
    with pytest.raises(AutopackError, match="not found") as caught:
        service.probe(f"{https.url}/basic/acme/none.git")
    assert caught.value.reason == "RepositoryNotFound"
    assert not service.path("key").exists()


def test_too_many_requests_are_asked_again(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    declarations.add("None", https.url, ca=authority.file)
    assert isinstance(refused(mirrors(), f"{https.url}/busy/acme/app.git"), TransientError)


def test_a_redirect_gets_no_credential(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    declarations.add("Basic", f"{https.url}/moved", ca=authority.file, username=https.user, password=https.password)
    assert refused(mirrors(), f"{https.url}/moved/acme/app.git").reason == "RepositoryMoved"
    assert [path for path, *_ in https.seen if path.startswith("/basic")] == []


def test_another_address_of_the_server_gets_no_credential(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    declarations.add("None", https.url, name="ca", ca=authority.file)
    declarations.add("Basic", f"{https.url}/basic/acme", username=https.user, password=https.password)
    for path in ("basic/acmecorp/app.git", "basic/acme/../acme/app.git", "basic/acme/%2e%2e/acme/app.git"):
        refused(mirrors(), f"{https.url}/{path}")
    assert {authorization for _, authorization, _ in https.seen} <= {"-"}


def test_what_the_mirror_itself_says_gets_no_credential(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority
) -> None:
    declarations.add("Basic", https.url, ca=authority.file, username=https.user, password=https.password)
    service, url = mirrors(), f"{https.url}/basic/acme/app.git"
    fetched(service, url)
    assert https.password not in "".join(path.read_text() for path in service.path("key").glob("config*"))


def test_the_credential_is_in_no_argument_and_no_environment(
    mirrors: Make, declarations: Declarations, https: HttpsServer, authority: Authority, tmp_path: Path
) -> None:
    declarations.add("Basic", https.url, ca=authority.file, username=https.user, password=https.password)
    spy = tmp_path / "spy"
    spy.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    (spy / "git").write_text(f'#!/bin/sh\ncat /proc/$$/environ /proc/$$/cmdline >>{spy}/seen\nexec {real} "$@"\n')
    (spy / "git").chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{spy}:{before}"
    try:
        assert fetched(mirrors(), f"{https.url}/basic/acme/app.git") == "refs/heads/main"
    finally:
        os.environ["PATH"] = before
    seen = (spy / "seen").read_bytes()
    assert b"include.path=/proc/self/fd/" in seen
    assert https.password.encode() not in seen


def test_ssh(mirrors: Make, declarations: Declarations, ssh: SshServer, repositories: Path) -> None:
    url = ssh.url(repositories / "acme" / "app.git")
    trust(declarations, ssh)
    with ssh.running():
        assert fetched(mirrors(), url) == "refs/heads/main"


def test_a_host_key_that_changed_is_not_trusted(
    mirrors: Make, declarations: Declarations, ssh: SshServer, repositories: Path
) -> None:
    url = ssh.url(repositories / "acme" / "app.git")
    trust(declarations, ssh)
    ssh.new_host_key()
    with ssh.running():
        error = refused(mirrors(), url)
        assert (error.reason, "known_hosts of git credential 'one'" in error.fix) == ("HostNotTrusted", True)
        declarations.write(known_hosts=ssh.known_hosts)
        assert fetched(mirrors(), url) == "refs/heads/main"


def test_ssh_without_a_credential_knows_no_host(mirrors: Make, ssh: SshServer, repositories: Path) -> None:
    with ssh.running():
        error = refused(mirrors(), ssh.url(repositories / "acme" / "app.git"))
    assert (error.reason, "git.credentials" in error.fix) == ("HostNotTrusted", True)


def test_a_key_that_is_refused(mirrors: Make, declarations: Declarations, ssh: SshServer, repositories: Path) -> None:
    other = ssh.identity.with_name("other")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    declarations.add("SSH", f"ssh://127.0.0.1:{ssh.port}/", identity=other.read_text(), known_hosts=ssh.known_hosts)
    with ssh.running():
        error = refused(mirrors(), ssh.url(repositories / "acme" / "app.git"))
    assert (error.reason, isinstance(error, TransientError)) == ("CredentialRefused", True)


def test_a_server_that_is_away_is_asked_again(mirrors: Make, ssh: SshServer, repositories: Path) -> None:
    started = time.monotonic()
    assert isinstance(refused(mirrors(), ssh.url(repositories / "acme" / "app.git")), TransientError)
    assert time.monotonic() - started < 30
