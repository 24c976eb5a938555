"""Private repositories over https and ssh: fetched with credentials that are nowhere but in the volume service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import ANCHOR, Installation, JsonDict, condition, install, make_run, secret
from tests.e2e.test_plugin import Plugin
from tests.local.git_hosts.servers import HttpsServer, SshServer

CA = {"caBundle.configMapName": "ca"}


@pytest.fixture(scope="module")
def private(installation: Installation, place: Path, https: HttpsServer, ssh: SshServer) -> Iterator[Installation]:
    """An installation with a credential for each server."""
    with Installation.fresh("e2e-private") as installed:
        installed.apply(
            secret("basic", username=https.user, password=https.password),
            secret("ssh", identity=ssh.identity.read_text(), known_hosts=ssh.known_hosts),
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "ca"},
                "data": {"ca.crt": (place / "ca.crt").read_text()},
            },
        )
        declared = [
            {"name": "web", "urlPrefix": https.url, "kind": "Basic", "secretName": "basic", **CA},
            {"name": "shell", "urlPrefix": ssh.url(Path("/")), "kind": "SSH", "secretName": "ssh"},
            {"name": "unused", "urlPrefix": f"{https.url}/other", "kind": "Basic", "secretName": "not-there"},
        ]
        values = {
            f"git.credentials[{number}].{field}": value
            for number, one in enumerate(declared)
            for field, value in one.items()
        }
        install(installed.namespace, values)
        yield installed


def run_on(url: str, name: str, script: str = "test -e src/app.py") -> JsonDict:
    return make_run(name, script, anchor=ANCHOR, source={"url": url, "ref": "main"})


def test_a_run_works_on_a_private_repository_over_https(private: Installation, https: HttpsServer) -> None:
    private.apply(run_on(f"{https.url}/basic/acme/app.git", "over-https"))
    assert private.finished("over-https")["status"]["phase"] == "Succeeded"


def test_a_run_works_on_a_private_repository_over_ssh(
    private: Installation, ssh: SshServer, repositories: Path
) -> None:
    private.apply(run_on(ssh.url(repositories / "acme" / "app.git"), "over-ssh"))
    assert private.finished("over-ssh")["status"]["phase"] == "Succeeded"


def test_doctor_tells_which_credential_a_repository_gets(private: Installation, https: HttpsServer) -> None:
    def doctor(path: str, code: int) -> JsonDict:
        words = ["doctor", "-o", "json", "--repository", f"{https.url}/{path}"]
        told = Plugin(private.namespace)(*words, code=code).stdout
        found: JsonDict = next(check for check in json.loads(told) if check["name"] == "Repository")
        return found

    assert doctor("basic/acme/app.git", 0)["found"] == "can be fetched with git credential web"
    refused = doctor("basic/acme/none.git", 1)
    assert (refused["level"], "not found" in refused["fix"]) == ("fail", True)


def test_a_secret_that_expired_holds_the_run_up_until_it_is_renewed(private: Installation, https: HttpsServer) -> None:
    https.set_password("renewed")
    private.apply(run_on(f"{https.url}/basic/acme/app.git", "expired"))
    said = private.wait_for("autopackrun", "expired", lambda body: "CredentialRefused" in json.dumps(body))
    assert "git credential 'web'" in said["status"]["message"]
    private.apply(secret("basic", username=https.user, password="renewed"))
    # The kubelet brings a changed Secret into the volume service's pod within its sync period.
    assert private.finished("expired", timeout=150)["status"]["phase"] == "Succeeded"


def test_no_credential_and_no_fix_by_waiting(private: Installation, https: HttpsServer) -> None:
    private.apply(run_on(f"{https.url}/bearer/acme/app.git", "wrong-kind"))
    waiting = private.wait_for("autopackrun", "wrong-kind", lambda body: "CredentialRefused" in json.dumps(body))
    assert waiting["status"]["phase"] == "Pending"
    private.apply(run_on(f"{https.url}/other/acme/app.git", "no-secret"))
    told = private.wait_for("autopackrun", "no-secret", lambda body: "CredentialUnusable" in json.dumps(body))
    assert "the Secret 'not-there' of git credential 'unused' has no key 'username'" in told["status"]["message"]


def test_a_run_finds_the_credential_nowhere(private: Installation, https: HttpsServer) -> None:
    looks = (
        "env > $AUTOPACK_ARTIFACTS/env; git config --list --show-origin > $AUTOPACK_ARTIFACTS/config; "
        f"grep -rl -e '{https.user}:' -e autopack-git /autopack /autopack-bin /proc/self/environ 2>/dev/null"
        " | grep -v -e /logs/ -e /artifacts > $AUTOPACK_ARTIFACTS/found || true"
    )
    private.apply(run_on(f"{https.url}/open/acme/app.git", "looks", looks))
    assert condition(private.finished("looks"), "Succeeded")[0] == "True"
    everything = private.in_volume("sh", "-c", "grep -rlF -e canary- /autopack || true")
    assert everything.strip() == ""
