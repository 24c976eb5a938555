"""A private repository, a run, and its work as a branch: pushed by the publisher alone, and where that is demanded only
after somebody who may has approved it.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripts.deploy import CommandError, environment, kubectl

from tests.e2e.installation import ANCHOR, SMALL, Installation, JsonDict, condition, install, make_run, secret
from tests.e2e.test_plugin import Plugin
from tests.local.git_hosts.servers import HttpsServer

COMMIT = "echo '# done' >> src/app.py; git commit -qam 'Do it'"
CA = {"caBundle.configMapName": "ca"}


@pytest.fixture(scope="module")
def delivering(installation: Installation, place: Path, https: HttpsServer) -> Iterator[Installation]:
    """An installation with a publisher, a profile that lets runs deliver, and one that wants approval."""
    with Installation.fresh("e2e-delivery") as installed:
        installed.apply(
            secret("read", username=https.user, password=https.password),
            secret("write", username=https.user, password=https.password),
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "ca"},
                "data": {"ca.crt": (place / "ca.crt").read_text()},
            },
        )
        declared = {"name": "web", "urlPrefix": https.url, "kind": "Basic", **CA}
        values: dict[str, object] = {f"git.credentials[0].{name}": value for name, value in declared.items()}
        values |= {f"publisher.credentials[0].{name}": value for name, value in declared.items()}
        values |= {"git.credentials[0].secretName": "read", "publisher.credentials[0].secretName": "write"}
        values |= {"publisher.enabled": True, "publisher.credentials[0].host.kind": "Plain"}
        install(installed.namespace, SMALL | {"publisher.resources.requests.cpu": "50m"} | values)
        base = installed.get("runprofile", "default")["spec"]
        for name, policy in (("open", {}), ("strict", {"approval": "Required"})):
            profile = {"apiVersion": "autopack.dev/v1alpha1", "kind": "RunProfile", "metadata": {"name": name}}
            installed.apply(profile | {"spec": base | {"deliver": policy}})
        yield installed


def run_on(https: HttpsServer, name: str, profile: str, **deliver: object) -> JsonDict:
    source = {"url": f"{https.url}/basic/acme/app.git", "ref": "main"}
    wish = {"profileRef": {"name": profile}, "deliver": deliver}
    return make_run(name, COMMIT, anchor=ANCHOR, source=source, **wish)


def state(body: JsonDict) -> str:
    return str(body.get("status", {}).get("delivery", {}).get("state", ""))


def delivered(installed: Installation, name: str) -> JsonDict:
    return installed.wait_for("autopackrun", name, lambda body: state(body) == "Delivered", 180)


def pushed(repositories: Path, branch: str) -> str:
    bare = repositories / "acme" / "app.git"
    words = ["git", "--git-dir", str(bare), "rev-parse", "--verify", "-q", f"refs/heads/{branch}"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def wait_for(fulfilled: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_a_runs_work_is_pushed_to_the_private_repository_it_came_from(
    delivering: Installation, https: HttpsServer, repositories: Path
) -> None:
    delivering.apply(run_on(https, "simple", "open"))
    run = delivered(delivering, "simple")
    assert run["status"]["phase"] == "Succeeded"
    assert condition(run, "Delivered") == ("True", "Delivered")
    assert pushed(repositories, "agents/simple") == run["status"]["commit"]
    everything = delivering.in_volume("sh", "-c", "grep -rlF -e canary- /autopack || true")
    assert everything.strip() == ""


def test_what_may_not_be_delivered_is_refused_before_a_pod_starts(delivering: Installation, https: HttpsServer) -> None:
    delivering.apply(run_on(https, "to-main", "open", branch="main"))
    run = delivering.finished("to-main")
    assert (run["status"]["phase"], run["status"]["reason"]) == ("Refused", "DeliveryNotAllowed")
    assert "spec.deliver.branch 'main'" in run["status"]["message"]
    assert delivering.pods_of("to-main") == []


def test_a_commit_leaves_when_somebody_who_may_approves_it(
    delivering: Installation, https: HttpsServer, repositories: Path
) -> None:
    delivering.apply(run_on(https, "asks", "strict"))
    waiting = delivering.wait_for("autopackrun", "asks", lambda body: state(body) == "AwaitingApproval", 180)
    commit, branch = waiting["status"]["delivery"]["source"], waiting["status"]["delivery"]["branch"]
    approval = {"decision": "Approved", "commit": commit, "branch": branch, "by": "author"}
    kubectl("create", "rolebinding", "author", "-n", delivering.namespace, "--clusterrole=edit", "--user=author")
    may = ("auth", "can-i", "patch", "autopackruns.autopack.dev", "-n", delivering.namespace, "--as", "author")
    wait_for(lambda: subprocess.run(["kubectl", *may], env=environment(), check=False).returncode == 0)
    patch = ("patch", "autopackrun", "asks", "-n", delivering.namespace, "--type=merge", "--as", "author", "-p")
    with pytest.raises(CommandError, match="author needs the verb approve"):
        kubectl(*patch, json.dumps({"spec": {"approval": approval}}))
    assert pushed(repositories, branch) == ""
    Plugin(delivering.namespace)("approve", "asks", "--commit", commit[:10])
    run = delivered(delivering, "asks")
    assert pushed(repositories, branch) == commit
    assert run["status"]["delivery"]["approvedBy"] == run["spec"]["approval"]["by"] != ""


def test_a_delivery_survives_the_end_of_operator_and_publisher(
    delivering: Installation, https: HttpsServer, repositories: Path
) -> None:
    delivering.apply(run_on(https, "survives", "strict"))
    waiting = delivering.wait_for("autopackrun", "survives", lambda body: state(body) == "AwaitingApproval", 180)
    Plugin(delivering.namespace)("approve", "survives")
    for component in ("operator", "publisher"):
        selector = f"app.kubernetes.io/component={component}"
        kubectl("delete", "pod", "-n", delivering.namespace, "-l", selector, "--force", "--grace-period=0")
    run = delivered(delivering, "survives")
    assert pushed(repositories, "agents/survives") == waiting["status"]["commit"] == run["status"]["delivery"]["commit"]


def test_a_branch_that_somebody_else_pushed_stays_and_is_tried_again_on_request(
    delivering: Installation, https: HttpsServer, repositories: Path
) -> None:
    bare = repositories / "acme" / "app.git"
    words = ["git", "--git-dir", str(bare)]
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    made = subprocess.run(
        [*words, *identity, "commit-tree", "-m", "theirs", "-p", "main", "main^{tree}"],
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = made.stdout.strip()
    subprocess.run([*words, "branch", "agents/taken", theirs], check=True)
    delivering.apply(run_on(https, "taken", "open"))
    delivering.wait_for("autopackrun", "taken", lambda body: state(body) == "Conflict", 180)
    assert pushed(repositories, "agents/taken") == theirs
    Plugin(delivering.namespace)("deliver", "taken", "--branch", "agents/free")
    run = delivered(delivering, "taken")
    assert pushed(repositories, "agents/free") == run["status"]["commit"]
