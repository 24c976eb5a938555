"""From a private repository at a real Gitea to a branch and a pull request there; the run holds no credential."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scripts import deploy

from tests.e2e.installation import ANCHOR, Installation, JsonDict, condition, install, make_run
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.gitea import OWNER, Gitea

CA = {"caBundle.configMapName": "ca"}
REPOSITORY = f"/repos/{OWNER}/app"
WORK = "echo {0} > {0}; git add {0}; git commit -qm {0}"


@pytest.fixture(scope="module")
def gitea(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    """A Gitea that pods reach at this machine's address, with the private repository `acme/app`."""
    host = str(deploy.kubectl_json("get", "endpoints", "kubernetes")["subsets"][0]["addresses"][0]["ip"])
    folder = tmp_path_factory.mktemp("gitea")
    with Gitea(folder, Authority(folder), host).running() as server:
        server.new_repository("app")
        yield server


@pytest.fixture(scope="module")
def delivering(installation: Installation, gitea: Gitea) -> Iterator[Installation]:
    """An installation that may read there with one credential and write with another, and a profile that allows it."""
    with Installation.fresh("e2e-gitea") as installed:
        for name, token in (("read", gitea.new_token("bot")), ("write", gitea.token)):
            installed.apply(secret(name, username="bot", password=token))
        data = {"ca.crt": gitea.ca.read_text()}
        installed.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca"}, "data": data})
        common = {"urlPrefix": f"{gitea.url}/{OWNER}", "kind": "Basic", **CA}
        read = {"name": "reading", "secretName": "read"} | common
        write = {"name": "writing", "secretName": "write", "host.kind": "Gitea"} | common
        values: dict[str, object] = {"publisher.enabled": True, "publisher.resources.requests.cpu": "50m"}
        values |= {f"git.credentials[0].{field}": value for field, value in read.items()}
        values |= {f"publisher.credentials[0].{field}": value for field, value in write.items()}
        install(installed.namespace, values)
        deliver = {"credential": "writing", "protectedPaths": [".github/**"]}
        profile = {"apiVersion": "autopack.dev/v1alpha1", "kind": "RunProfile", "metadata": {"name": "delivering"}}
        installed.apply(profile | {"spec": installed.get("runprofile", "default")["spec"] | {"deliver": deliver}})
        yield installed


def secret(name: str, **data: str) -> JsonDict:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def run_on(gitea: Gitea, name: str, script: str, **pull_request: object) -> JsonDict:
    source = {"url": f"{gitea.url}/{OWNER}/app.git", "ref": "main"}
    deliver = {"pullRequest": pull_request}
    return make_run(name, script, anchor=ANCHOR, source=source, profileRef={"name": "delivering"}, deliver=deliver)


def delivered(installed: Installation, name: str) -> JsonDict:
    def ended(body: JsonDict) -> bool:
        state = body.get("status", {}).get("delivery", {}).get("state", "Pending")
        return state not in ("Pending", "AwaitingApproval")

    body = installed.wait_for("autopackrun", name, ended, timeout=180)
    status: JsonDict = body["status"]["delivery"]
    return status | {"condition": condition(body, "Delivered")[0]}


def test_a_runs_work_becomes_a_branch_and_a_pull_request(delivering: Installation, gitea: Gitea) -> None:
    asked = {"title": "Do the work", "body": "As asked.", "labels": ["agents"], "reviewers": ["grace", "nobody"]}
    delivering.apply(run_on(gitea, "delivers", WORK.format("work"), **asked))
    assert delivering.finished("delivers")["status"]["phase"] == "Succeeded"
    status = delivered(delivering, "delivers")
    assert (status["state"], status["condition"], status["branch"]) == ("Delivered", "True", "agents/delivers"), status
    [pull] = gitea.ask("GET", f"{REPOSITORY}/pulls?state=all")
    assert status["pullRequest"] == {"number": pull["number"], "url": pull["html_url"]}
    assert (pull["title"], pull["base"]["ref"], pull["head"]["sha"]) == ("Do the work", "main", status["commit"])
    assert [label["name"] for label in pull["labels"]] == ["agents"]
    assert [user["login"] for user in pull["requested_reviewers"]] == ["grace"]
    # Whom Gitea does not know is named, and costs nothing.
    assert "nobody" in status["message"]
    assert gitea.ask("GET", f"{REPOSITORY}/commits/{status['commit']}/status")["state"] == "success"


def test_what_a_profile_protects_is_refused_and_nothing_is_pushed(delivering: Installation, gitea: Gitea) -> None:
    script = f"mkdir .github; {WORK.format('.github/ci')}"
    delivering.apply(run_on(gitea, "meddles", script, title="Meddle"))
    assert delivering.finished("meddles")["status"]["phase"] == "Succeeded"
    status = delivered(delivering, "meddles")
    assert (status["state"], status["condition"]) == ("Refused", "False")
    assert ".github/ci" in status["message"]
    assert "agents/meddles" not in [branch["name"] for branch in gitea.ask("GET", f"{REPOSITORY}/branches")]
