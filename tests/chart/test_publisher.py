"""The publisher: not there unless it is wanted, and the only one with credentials to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autopack_publisher.service.settings import Settings
from tests.chart.pod_security import violations
from tests.chart.rendering import ChartRefusedError, Helm, JsonDict, Objects, containers, environment

NAME = "autopack-publisher"
DECLARED: list[dict[str, Any]] = [
    {
        "name": "github",
        "urlPrefix": "https://github.com/acme/",
        "kind": "GitHubApp",
        "secretName": "write-app",
        "host": {"kind": "GitHub"},
    },
    {
        "name": "inner",
        "urlPrefix": "ssh://git@git.acme.example/",
        "kind": "SSH",
        "secretName": "write-key",
        "host": {"kind": "Gitea", "api": "https://git.acme.example/api/v1"},
        "caBundle": {"configMapName": "ca"},
    },
]
ENV = {
    "AUTONOMOUS_RUNS_DIR": "/autopack",
    "AUTOPACK_LISTEN": "0.0.0.0:8080",
    "AUTOPACK_ALLOWED_CALLERS": "system:serviceaccount:agents:autopack-operator",
    "AUTOPACK_TOKEN_AUDIENCE": "autopack-publisher",
    "AUTOPACK_ALLOWED_PROTOCOLS": "https:ssh",
    "AUTOPACK_PUSH_TIMEOUT_SECONDS": "300",
    "AUTOPACK_PUBLISHER_CREDENTIALS": "/autopack-git/credentials.json",
    "AUTOPACK_SCRATCH_DIR": "/scratch",
}


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> Objects:
    return helm.template({"publisher": {"enabled": True, "credentials": DECLARED}})


def pod(objects: Objects, name: str = NAME) -> JsonDict:
    spec: JsonDict = objects.one("Deployment", name)["spec"]["template"]["spec"]
    return spec


def test_nothing_of_it_is_there_unless_it_is_wanted(helm: Helm, default: Objects) -> None:
    assert "publisher" not in json.dumps(default)
    assert helm.template({"publisher": {"credentials": DECLARED}}) == default


def test_it_is_told_what_it_reads(rendered: Objects) -> None:
    [container] = pod(rendered)["containers"]
    env = environment(container)
    assert env | ENV == env
    assert container["command"] == ["autopack-runtime", "publisher"]


def test_the_volume_is_only_read(rendered: Objects) -> None:
    [container] = pod(rendered)["containers"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert {name for name, mount in mounts.items() if not mount.get("readOnly")} == {"scratch", "tmp"}
    empty = {volume["name"] for volume in pod(rendered)["volumes"] if "emptyDir" in volume}
    assert empty == {"scratch", "tmp"}
    assert mounts["runs"] == {"name": "runs", "mountPath": "/autopack", "readOnly": True}


def test_it_alone_mounts_the_secrets_to_write_with(rendered: Objects) -> None:
    mounting = [name for name, spec in rendered.pod_specs() if '"write-' in json.dumps(spec)]
    assert mounting == [NAME]


def test_what_reads_repositories_is_not_mounted_in_it(helm: Helm) -> None:
    reading = {"name": "r", "urlPrefix": "https://github.com/", "kind": "Bearer", "secretName": "to-read"}
    objects = helm.template(
        {"publisher": {"enabled": True, "credentials": DECLARED}, "git": {"credentials": [reading]}}
    )
    assert [name for name, spec in objects.pod_specs() if '"to-read"' in json.dumps(spec)] == ["autopack-volume"]


def test_the_secrets_lie_where_it_looks(rendered: Objects) -> None:
    [git] = [volume["projected"] for volume in pod(rendered)["volumes"] if volume["name"] == "git"]
    declared, app, key, ca = git["sources"]
    assert declared == {"configMap": {"name": NAME}}
    assert app["secret"]["optional"] is True
    assert "secrets/github/githubAppPrivateKey" in {item["path"] for item in app["secret"]["items"]}
    # The key is for git, the token for the host's API.
    assert {item["key"] for item in key["secret"]["items"]} >= {"identity", "known_hosts", "bearerToken"}
    assert ca["configMap"]["items"] == [{"key": "ca.crt", "path": "ca/inner/ca.crt"}]


def test_the_declarations_hold_everything_but_the_bundle(rendered: Objects) -> None:
    written = json.loads(rendered.one("ConfigMap", NAME)["data"]["credentials.json"])
    assert written == [{key: value for key, value in one.items() if key != "caBundle"} for one in DECLARED]


def test_another_declaration_restarts_it(helm: Helm, rendered: Objects) -> None:
    def mark(objects: Objects) -> str:
        template = objects.one("Deployment", NAME)["spec"]["template"]
        return str(template["metadata"]["annotations"]["autopack.dev/git-credentials"])

    other = helm.template({"publisher": {"enabled": True, "credentials": DECLARED[:1]}})
    assert mark(rendered) != mark(other)
    assert rendered.one("Deployment", NAME)["spec"]["strategy"] == {"type": "Recreate"}


def test_its_account_has_no_rights(rendered: Objects) -> None:
    assert rendered.one("ServiceAccount", NAME)["automountServiceAccountToken"] is False
    subjects = [
        subject["name"]
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for binding in rendered.all(kind)
        for subject in binding["subjects"]
    ]
    assert NAME not in subjects


def test_only_the_operator_reaches_it(helm: Helm, rendered: Objects) -> None:
    policy = rendered.one("NetworkPolicy", NAME)["spec"]
    labels = rendered.one("Deployment", NAME)["spec"]["template"]["metadata"]["labels"]
    assert (policy["podSelector"]["matchLabels"], policy["policyTypes"]) == (labels, ["Ingress"])
    [rule] = policy["ingress"]
    operators = rendered.one("Deployment", "autopack-operator")["spec"]["template"]["metadata"]["labels"]
    assert rule["from"] == [{"podSelector": {"matchLabels": operators}}]
    assert rule["ports"] == [{"port": 8080, "protocol": "TCP"}]
    prometheus = {"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}
    values = {"publisher": {"enabled": True}, "networkPolicy": {"metricsFrom": [prometheus]}}
    [wider] = helm.template(values).one("NetworkPolicy", NAME)["spec"]["ingress"]
    assert wider["from"] == [*rule["from"], prometheus]


def test_the_operator_finds_it_and_proves_itself(rendered: Objects) -> None:
    operator = pod(rendered, "autopack-operator")
    env = environment(operator["containers"][0])
    service = rendered.one("Service", NAME)
    assert env["AUTOPACK_PUBLISHER_URL"] == f"http://{NAME}.agents.svc:{service['spec']['ports'][0]['port']}"
    assert service["spec"]["selector"] == rendered.one("Deployment", NAME)["spec"]["template"]["metadata"]["labels"]
    [mount] = [one for one in operator["containers"][0]["volumeMounts"] if one["name"] == "publisher-token"]
    assert env["AUTOPACK_PUBLISHER_TOKEN_FILE"] == f"{mount['mountPath']}/token"
    [token] = [volume["projected"] for volume in operator["volumes"] if volume["name"] == "publisher-token"]
    proof = {"path": "token", "audience": "autopack-publisher", "expirationSeconds": 3600}
    assert token["sources"] == [{"serviceAccountToken": proof}]


def test_it_is_restricted_and_of_the_one_user(rendered: Objects) -> None:
    spec = pod(rendered)
    assert violations(spec) == []
    assert spec["securityContext"]["runAsUser"] == 65532
    assert all(each["securityContext"]["readOnlyRootFilesystem"] for each in containers(spec))


def test_it_goes_where_the_volume_can_be_mounted(helm: Helm, rendered: Objects) -> None:
    def affinity(**publisher: object) -> JsonDict:
        values = {"publisher": {"enabled": True} | publisher, "storage": {"accessMode": "ReadWriteOnce"}}
        found: JsonDict = pod(helm.template(values))["affinity"]
        return found

    assert "affinity" not in pod(rendered)
    assert "podAffinity" in affinity()
    assert affinity(affinity={"nodeAffinity": {}}) == {"nodeAffinity": {}}


def test_its_metrics_are_read_where_those_of_the_others_are(helm: Helm) -> None:
    values = {"publisher": {"enabled": True}, "metrics": {"podMonitor": {"enabled": True}}}
    [monitor] = helm.template(values).all("PodMonitor")
    [components] = monitor["spec"]["selector"]["matchExpressions"]
    assert components["values"] == ["operator", "volume", "publisher"]


def test_the_default_profile_lets_out_what_the_values_say(helm: Helm) -> None:
    deliver = {"credential": "github", "targets": ["https://github.com/acme/*"], "approval": "Required"}
    profile = helm.template({"defaultProfile": {"deliver": deliver}}).one("RunProfile", "default")
    assert profile["spec"]["deliver"] == deliver
    assert "deliver" not in helm.template().one("RunProfile", "default")["spec"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "None"}, "kind"),
        ({"secretName": ""}, "secretName"),
        ({"host": {"kind": "Bitbucket"}}, "host"),
        ({"host": {"kind": "GitHub", "api": "http://github.acme.example"}}, "api"),
        ({"token": "x"}, "token"),
    ],
)
def test_what_is_wrong_is_refused(helm: Helm, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ChartRefusedError, match=said):
        helm.template({"publisher": {"enabled": True, "credentials": [DECLARED[0] | wrong]}})


def test_the_service_understands_what_it_is_told(rendered: Objects, tmp_path: Path) -> None:
    (file := tmp_path / "credentials.json").write_text(rendered.one("ConfigMap", NAME)["data"]["credentials.json"])
    paths = dict.fromkeys(("AUTONOMOUS_RUNS_DIR", "AUTOPACK_SCRATCH_DIR"), str(tmp_path))
    told = environment(pod(rendered)["containers"][0]) | paths | {"AUTOPACK_PUBLISHER_CREDENTIALS": str(file)}
    settings = Settings.from_environment(told)
    assert settings.allowed_callers == {"system:serviceaccount:agents:autopack-operator"}
    assert (settings.port, settings.audience, settings.push_timeout) == (8080, "autopack-publisher", 300)
    assert settings.credentials.choose("ssh://git@git.acme.example/a/b.git", "").credential.name == "inner"
