"""Git credentials: mounted in the volume service alone, and never in what the chart writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.chart.rendering import ChartRefusedError, Helm, Objects, environment

DECLARED: list[dict[str, Any]] = [
    {"name": "github", "urlPrefix": "https://github.com/acme/", "kind": "GitHubApp", "secretName": "app"},
    {"name": "inner", "urlPrefix": "https://git.acme.example/", "kind": "None", "caBundle": {"configMapName": "ca"}},
]


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> Objects:
    return helm.template({"git": {"credentials": DECLARED}})


def test_nothing_is_mounted_without_credentials(default: Objects) -> None:
    pod = default.one("Deployment", "autopack-volume")["spec"]["template"]["spec"]
    assert [volume["name"] for volume in pod["volumes"]] == ["runs", "tmp"]
    assert "AUTOPACK_GIT_CREDENTIALS" not in environment(pod["containers"][0])
    assert "autopack-volume-git" not in default.names("ConfigMap")


def test_the_volume_service_alone_mounts_the_secrets(rendered: Objects) -> None:
    mounting = [name for name, spec in rendered.pod_specs() if '"app"' in json.dumps(spec["volumes"])]
    assert mounting == ["autopack-volume"]


def test_the_secret_lies_where_the_service_looks(rendered: Objects) -> None:
    pod = rendered.one("Deployment", "autopack-volume")["spec"]["template"]["spec"]
    [git] = [volume["projected"] for volume in pod["volumes"] if volume["name"] == "git"]
    declared, secret, ca = git["sources"]
    assert declared == {"configMap": {"name": "autopack-volume-git"}}
    assert secret["secret"]["optional"] is True
    assert {item["path"] for item in secret["secret"]["items"]} == {
        f"secrets/github/{key}"
        for key in ("githubAppID", "githubAppInstallationID", "githubAppPrivateKey", "ca.crt", "caFile")
    }
    assert ca["configMap"]["items"] == [{"key": "ca.crt", "path": "ca/inner/ca.crt"}]
    assert environment(pod["containers"][0])["AUTOPACK_GIT_CREDENTIALS"] == "/autopack-git/credentials.json"


def test_the_declarations_are_those_that_the_service_reads(rendered: Objects) -> None:
    written = json.loads(rendered.one("ConfigMap", "autopack-volume-git")["data"]["credentials.json"])
    assert written == [{key: value for key, value in one.items() if key != "caBundle"} for one in DECLARED]


def test_another_declaration_restarts_the_service(helm: Helm, rendered: Objects) -> None:
    def mark(objects: Objects) -> str:
        template = objects.one("Deployment", "autopack-volume")["spec"]["template"]
        return str(template["metadata"]["annotations"]["autopack.dev/git-credentials"])

    assert mark(rendered) != mark(helm.template({"git": {"credentials": DECLARED[:1]}}))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "Magic"}, "kind"),
        ({"secretName": "Not A Name"}, "secretName"),
        ({"token": "x"}, "token"),
        ({"api": "http://github.acme.example"}, "api"),
    ],
)
def test_what_is_wrong_is_refused(helm: Helm, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ChartRefusedError, match=said):
        helm.template({"git": {"credentials": [DECLARED[0] | wrong]}})
