"""What a RunProfile gives to the pods of its runs, and what it cannot take from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.autopack_operator.builders import PROFILE, SETTINGS
from tests.unit.autopack_operator.domain.test_pod import containers, make

from autopack_operator.domain.api.common import RUN_UID_LABEL
from autopack_operator.domain.api.profile import RunProfileSpec

FROM_SECRET = {"secretKeyRef": {"name": "agent", "key": "api-key"}}
FROM_MAP = {"configMapKeyRef": {"name": "tools", "key": "mcp.json"}}


def profile(**fields: object) -> RunProfileSpec:
    return RunProfileSpec.model_validate(PROFILE.model_dump(by_alias=True, exclude_defaults=True) | fields)


def container(pod: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in containers(pod) if each["name"] == name)


def variables(pod: dict[str, Any], name: str = "run") -> dict[str, Any]:
    """By name, what a variable has: its value, or where that comes from. No name is there twice."""
    entries = container(pod, name)["env"]
    found = {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in entries}
    assert len(found) == len(entries)
    return found


def mounts(pod: dict[str, Any], name: str, volume: str) -> list[dict[str, Any]]:
    return [mount for mount in container(pod, name)["volumeMounts"] if mount["name"] == volume]


def volume(pod: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in pod["spec"]["volumes"] if each["name"] == name)
    return found


def test_variables_come_from_values_and_keys_which_the_kubelet_reads() -> None:
    env = [
        {"name": "MODE", "value": "$(HOME) fast"},
        {"name": "KEY", "valueFrom": FROM_SECRET},
        {"name": "TOOLS", "valueFrom": FROM_MAP},
    ]
    pod = make(profile=profile(env=env))
    given = variables(pod)
    assert {name: given[name] for name in ("MODE", "KEY", "TOOLS")} == {
        "MODE": "$$(HOME) fast",
        "KEY": FROM_SECRET,
        "TOOLS": FROM_MAP,
    }
    assert not {"MODE", "KEY", "TOOLS"} & (variables(pod, "workspace").keys() | variables(pod, "keeper").keys())


def test_a_runs_variables_win_over_its_profiles_and_ours_over_both() -> None:
    env = [{"name": name, "value": "profile"} for name in ("A", "B", "HOME", "DATABASE_URL", "PIP_CERT")]
    bound = profile(env=[*env, {"name": "C", "valueFrom": FROM_SECRET}], caBundle=FROM_MAP)
    own = [{"name": name, "value": "run"} for name in ("B", "C", "HOME", "DATABASE_URL")]
    given = variables(make(profile=bound, env=own, databaseMode="PerRunSQLite"))
    assert {name: given[name] for name in "ABC"} == {"A": "profile", "B": "run", "C": "run"}
    assert "HOME" not in given
    assert given["DATABASE_URL"] == "sqlite:////autopack/one/one.db"
    assert given["PIP_CERT"] == "profile"


def test_files_are_keys_in_one_volume_that_each_has_its_place() -> None:
    files = [
        {"path": "/etc/agent/mcp.json", **FROM_MAP},
        {"path": "/home/agent/key", **FROM_SECRET},
        {"path": "/etc/second", **FROM_SECRET},
    ]
    pod = make(profile=profile(files=files))
    assert volume(pod, "files")["projected"] == {
        "defaultMode": 0o440,
        "sources": [
            {
                "configMap": {
                    "name": "tools",
                    "optional": True,
                    "items": [{"key": "mcp.json", "path": "configmap/tools/mcp.json"}],
                }
            },
            {
                "secret": {
                    "name": "agent",
                    "optional": True,
                    "items": [{"key": "api-key", "path": "secret/agent/api-key"}],
                }
            },
        ],
    }
    assert [(mount["mountPath"], mount["subPath"], mount["readOnly"]) for mount in mounts(pod, "run", "files")] == [
        ("/etc/agent/mcp.json", "configmap/tools/mcp.json", True),
        ("/home/agent/key", "secret/agent/api-key", True),
        ("/etc/second", "secret/agent/api-key", True),
    ]


def test_the_workspace_container_looks_whether_all_keys_are_there_and_the_keeper_sees_none() -> None:
    pod = make(profile=profile(files=[{"path": "/etc/mcp.json", **FROM_MAP}], caBundle=FROM_SECRET))
    assert variables(pod, "workspace")["AUTOPACK_BOUND_FILES"] == "secret/agent/api-key:configmap/tools/mcp.json"
    assert mounts(pod, "workspace", "files") == [{"name": "files", "mountPath": "/autopack-files", "readOnly": True}]
    assert mounts(pod, "keeper", "files") == []
    plain = make()
    assert "AUTOPACK_BOUND_FILES" not in variables(plain, "workspace")
    assert "files" not in {each["name"] for each in plain["spec"]["volumes"]}


def test_programs_are_led_to_the_bundle_of_certificates() -> None:
    pod = make(profile=profile(caBundle=FROM_MAP))
    [mount] = mounts(pod, "run", "files")
    assert (mount["mountPath"], mount["subPath"]) == ("/autopack-ca.crt", "configmap/tools/mcp.json")
    led = {name for name, value in variables(pod).items() if value == "/autopack-ca.crt"}
    assert led == {
        "SSL_CERT_FILE",
        "GIT_SSL_CAINFO",
        "NODE_EXTRA_CA_CERTS",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "PIP_CERT",
    }
    assert not led & variables(make()).keys()


def test_scratch_is_an_empty_folder_of_the_command_alone() -> None:
    scratch = [{"path": "/cache", "sizeLimit": "1Gi"}, {"path": "/dev/shm", "medium": "Memory"}]
    pod = make(profile=profile(scratch=scratch))
    assert volume(pod, "scratch-0")["emptyDir"] == {"sizeLimit": "1Gi"}
    assert volume(pod, "scratch-1")["emptyDir"] == {"medium": "Memory"}
    assert mounts(pod, "run", "scratch-0") == [{"name": "scratch-0", "mountPath": "/cache"}]
    assert mounts(pod, "run", "scratch-1") == [{"name": "scratch-1", "mountPath": "/dev/shm"}]
    assert "scratch" not in str(pod["spec"]["initContainers"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nodeSelector", {"gpu": "a100"}),
        ("tolerations", [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]),
        ("priorityClassName", "batch"),
        ("runtimeClassName", "gvisor"),
        (
            "affinity",
            {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]
                    }
                },
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {"weight": 1, "podAffinityTerm": {"labelSelector": {}, "topologyKey": "zone"}}
                    ]
                },
            },
        ),
        (
            "topologySpreadConstraints",
            [
                {
                    "maxSkew": 2,
                    "topologyKey": "zone",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {"matchLabels": {"team": "a"}},
                }
            ],
        ),
    ],
)
def test_placement_is_passed_on_as_kubernetes_names_it(field: str, value: object) -> None:
    assert make(profile=profile(**{field: value}))["spec"][field] == value
    assert field not in make()["spec"]


def test_runs_are_spread_among_runs_unless_other_pods_are_named() -> None:
    pod = make(profile=profile(topologySpreadConstraints=[{"topologyKey": "zone"}]))
    [constraint] = pod["spec"]["topologySpreadConstraints"]
    selected = constraint["labelSelector"]["matchLabels"]
    assert selected.items() <= pod["metadata"]["labels"].items()
    assert selected["app.kubernetes.io/component"] == "run"
    assert (constraint["maxSkew"], constraint["whenUnsatisfiable"]) == (1, "ScheduleAnyway")


def test_the_node_of_the_volume_is_wanted_beside_what_the_profile_wants() -> None:
    beside = {"labelSelector": {"matchLabels": {"app": "cache"}}, "topologyKey": "zone"}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    wanted = profile(affinity={"podAffinity": {required: [beside]}})
    pod = make(replace(SETTINGS, read_write_once=True, volume_labels={"a": "b"}), wanted)
    terms = pod["spec"]["affinity"]["podAffinity"][required]
    assert terms == [beside, {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "kubernetes.io/hostname"}]


def test_labels_and_annotations_are_added_and_ours_stay() -> None:
    plain = make()["metadata"]
    theirs = dict.fromkeys([*plain["labels"], "team"], "theirs")
    notes = dict.fromkeys([*plain["annotations"], "karpenter.sh/do-not-disrupt"], "true")
    metadata = make(profile=profile(podLabels=theirs, podAnnotations=notes))["metadata"]
    assert "theirs" not in metadata["labels"][RUN_UID_LABEL]
    assert metadata["labels"] == plain["labels"] | {"team": "theirs", RUN_UID_LABEL: metadata["labels"][RUN_UID_LABEL]}
    assert metadata["annotations"] == plain["annotations"] | {"karpenter.sh/do-not-disrupt": "true"}


def test_helpers_keep_what_the_profile_does_not_name() -> None:
    limits = {"limits": {"cpu": "500m", "ephemeral-storage": "1Gi"}, "requests": {"memory": "64Mi"}}
    pod = make(profile=profile(helperResources=limits, resources={"limits": {"nvidia.com/gpu": "1"}}))
    expected = {
        "requests": {"cpu": "10m", "memory": "64Mi"},
        "limits": {"memory": "512Mi", "cpu": "500m", "ephemeral-storage": "1Gi"},
    }
    assert [container(pod, name)["resources"] for name in ("workspace", "keeper")] == [expected, expected]
    assert container(pod, "run")["resources"] == {"limits": {"nvidia.com/gpu": "1"}}


def test_the_installation_says_as_whom_runs_run() -> None:
    pod = make(replace(SETTINGS, run_as_user=1000680000, run_as_group=1000680001))
    security = pod["spec"]["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"], security["fsGroup"]) == (1000680000, 1000680001, 1000680001)
