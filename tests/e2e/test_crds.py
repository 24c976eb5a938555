"""The real API server takes our CRDs and refuses what they forbid, naming the field."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from scripts import deploy
from scripts.deploy import ROOT, kubectl

from tests.e2e.installation import Installation, make_batch, make_run

JsonDict = dict[str, Any]


def test_the_api_server_accepts_the_crds(cluster: None) -> None:
    told = kubectl("apply", "--dry-run=server", "--server-side", "--force-conflicts", "-f", ROOT / "crds").splitlines()
    assert len(told) == len(list((ROOT / "crds").glob("*.yaml")))
    assert {line.split()[1] for line in told} == {"serverside-applied"}


def changed(manifest: JsonDict, path: str, value: object) -> JsonDict:
    """The manifest with one field replaced."""
    copied = copy.deepcopy(manifest)
    node: Any = copied
    *parents, last = path.split(".")
    for part in parents:
        node = node[int(part)] if part.isdigit() else node.setdefault(part, {})
    node[last] = value
    return copied


RUN = make_run("refused", "true")
BATCH = make_batch("refused", "true", ["a", "b"])


def without(manifest: JsonDict, field: str) -> JsonDict:
    """The manifest without one field of its spec."""
    return manifest | {"spec": {name: value for name, value in manifest["spec"].items() if name != field}}


ASKED = changed(changed(without(RUN, "command"), "spec.agent", {"name": "x"}), "spec.prompt", "do it")
LONG_PROMPTS = [{"id": f"r{number}", "prompt": "x" * (250 << 10)} for number in range(5)]


def from_file(path: str) -> JsonDict:
    """A run whose prompt is that file."""
    return changed(without(ASKED, "prompt"), "spec.promptFrom", {"file": path})


@pytest.mark.parametrize(
    ("manifest", "named"),
    [
        pytest.param(changed(RUN, "metadata.name", "x" * 254), "metadata.name", id="name of 254 characters"),
        pytest.param(changed(RUN, "metadata.name", "../x"), "metadata.name", id="path as a name"),
        pytest.param(changed(RUN, "metadata.name", "workspaces"), "workspaces", id="a folder's name"),
        pytest.param(changed(RUN, "spec.source", {}), "source", id="no repository"),
        pytest.param(changed(RUN, "spec.source", {"url": ""}), "spec.source.url", id="empty url"),
        pytest.param(
            changed(RUN, "spec.source", {"url": "https://u:secret@host/x.git"}),
            "spec.source.url",
            id="password in the url",
        ),
        pytest.param(
            changed(RUN, "spec.source", {"url": "host/x.git"}),
            "write the address as https://host/owner/repository.git",
            id="url without a scheme",
        ),
        pytest.param(changed(RUN, "spec.source", {"url": "file:///etc"}), "spec.source.url", id="file url"),
        pytest.param(changed(RUN, "spec.source", {"url": "ext::sh -c id"}), "spec.source.url", id="ext helper"),
        pytest.param(changed(RUN, "spec.source", {"url": "--upload-pack=x"}), "spec.source.url", id="option as url"),
        pytest.param(changed(RUN, "spec.source.ref", "-x"), "spec.source.ref", id="option as ref"),
        pytest.param(changed(RUN, "spec.source.ref", "--upload-pack=x"), "spec.source.ref", id="upload-pack as ref"),
        pytest.param(changed(RUN, "spec.source.branch", "-x"), "spec.source.branch", id="option as branch"),
        pytest.param(
            changed(RUN, "spec.source.branch", "--upload-pack=x"), "spec.source.branch", id="upload-pack as branch"
        ),
        pytest.param(changed(RUN, "spec.source.repository", "-x"), "spec.source.repository", id="option as repository"),
        pytest.param(
            changed(RUN, "spec.source.repository", "--upload-pack=x"),
            "spec.source.repository",
            id="upload-pack as repository",
        ),
        pytest.param(
            changed(RUN, "spec.source.repository", "../x"), "spec.source.repository", id="path as a repository"
        ),
        pytest.param(changed(RUN, "spec.source.ref", "a\nb"), "spec.source.ref", id="newline in ref"),
        pytest.param(changed(RUN, "spec.command", []), "spec.command", id="no command"),
        pytest.param(changed(RUN, "spec.agent", {"name": "x"}), "exactly one of command", id="command and agent"),
        pytest.param(without(RUN, "command"), "exactly one of command", id="neither command nor agent"),
        pytest.param(without(ASKED, "prompt"), "an agent needs a prompt", id="agent without a prompt"),
        pytest.param(changed(ASKED, "spec.promptFrom", {"file": "a"}), "at most one of prompt", id="two prompts"),
        pytest.param(changed(ASKED, "spec.prompt", " \n"), "spec.prompt", id="blank prompt"),
        pytest.param(changed(ASKED, "spec.prompt", "a\0b"), "spec.prompt", id="NUL in a prompt"),
        pytest.param(changed(ASKED, "spec.prompt", "x" * (256 << 10 | 1)), "spec.prompt", id="prompt too long"),
        pytest.param(changed(ASKED, "spec.agent.name", "A b"), "spec.agent.name", id="no agent's name"),
        pytest.param(changed(ASKED, "spec.agent.name", "{AGENT}"), "filled in by a RunBatch", id="placeholder"),
        pytest.param(changed(ASKED, "spec.agent.model", "--x"), "spec.agent.model", id="option as a model"),
        pytest.param(from_file("../x"), "inside of the repository", id="prompt from outside"),
        pytest.param(from_file("/etc/passwd"), "inside of the repository", id="prompt from the root"),
        pytest.param(from_file("a\nb"), "spec.promptFrom.file", id="newline in a prompt's path"),
        pytest.param(changed(BATCH, "spec.runs.0.agent", {"name": "x"}), "an agent needs a prompt", id="run not asked"),
        pytest.param(changed(BATCH, "spec.runs", LONG_PROMPTS), "more than 1 MiB together", id="too many prompts"),
        pytest.param(changed(RUN, "spec.timeoutSeconds", 0), "spec.timeoutSeconds", id="timeout 0"),
        pytest.param(changed(RUN, "spec.timeoutSeconds", -1), "spec.timeoutSeconds", id="timeout negative"),
        pytest.param(changed(RUN, "spec.timeoutSeconds", 2**63 - 1), "spec.timeoutSeconds", id="timeout huge"),
        pytest.param(changed(RUN, "spec.timeoutSeconds", 2**63), "spec.timeoutSeconds", id="timeout 2^63"),
        pytest.param(changed(RUN, "spec.timeoutSeconds", "NaN"), "spec.timeoutSeconds", id="timeout NaN"),
        pytest.param(changed(RUN, "spec.timeoutSeconds", "10s"), "spec.timeoutSeconds", id="timeout as text"),
        pytest.param(changed(RUN, "spec.databaseMode", "Mysql"), "spec.databaseMode", id="unknown database mode"),
        pytest.param(changed(RUN, "spec.env", [{"name": "A"}, {"name": "A"}]), "spec.env[1]", id="variable twice"),
        pytest.param(changed(RUN, "spec.env", [{"name": "A B"}]), "spec.env[0].name", id="bad variable name"),
        pytest.param(changed(RUN, "spec.privileged", True), "spec.privileged", id="unknown field"),
        pytest.param(changed(RUN, "spec.podTemplate", {}), "spec.podTemplate", id="pod template"),
        pytest.param(changed(RUN, "spec.volumes", [{"hostPath": {"path": "/"}}]), "spec.volumes", id="hostPath"),
        pytest.param(changed(RUN, "spec.serviceAccountName", "x"), "spec.serviceAccountName", id="service account"),
        pytest.param(changed(BATCH, "spec.workers", 0), "spec.workers", id="no workers"),
        pytest.param(changed(BATCH, "spec.workers", 10**6), "spec.workers", id="a million workers"),
        pytest.param(changed(BATCH, "spec.runs", []), "spec.runs", id="no runs"),
        pytest.param(changed(BATCH, "spec.runs", [{"id": "a"}, {"id": "a"}]), "spec.runs[1]", id="run id twice"),
        pytest.param(changed(BATCH, "spec.runs", [{"id": "A"}]), "spec.runs[0].id", id="capital in a run id"),
        pytest.param(changed(BATCH, "spec.runs", [{"id": "$(id)"}]), "spec.runs[0].id", id="shell in a run id"),
        pytest.param(changed(BATCH, "spec.runs", [{"id": "../x"}]), "spec.runs[0].id", id="path in a run id"),
        pytest.param(changed(BATCH, "spec.runs", [{"id": "a/b"}]), "spec.runs[0].id", id="slash in a run id"),
        pytest.param(changed(BATCH, "spec.runs", [{"id": "a\0b"}]), "spec.runs[0].id", id="NUL in a run id"),
        pytest.param(changed(BATCH, "spec.runs", [{"id": "a\u202eb"}]), "spec.runs[0].id", id="bidi in a run id"),
        pytest.param(changed(BATCH, "metadata.name", "x" * 64), "metadata.name", id="long batch name"),
    ],
)
def test_bad_input_is_refused_naming_the_field(installation: Installation, manifest: JsonDict, named: str) -> None:
    with pytest.raises(deploy.CommandError) as refusal:
        installation.create(manifest)
    assert named in str(refusal.value)


@pytest.mark.parametrize(
    "source",
    [
        {"url": "git@github.com:owner/repo.git"},
        {"url": "ssh://git@host:2222/owner/repo"},
        {"url": "https://dev.azure.com/org/My%20Project/_git/repo", "ref": "feature/#123-login"},
    ],
)
def test_addresses_and_refs_are_written_as_people_copy_them(cluster: None, source: JsonDict) -> None:
    run = json.dumps(changed(RUN, "spec.source", source)).encode()
    kubectl("create", "--dry-run=server", "-n", "default", "-f", "-", stdin=run)


def test_a_name_of_253_characters_works(installation: Installation) -> None:
    name = "n" * 253
    installation.apply(make_run(name, "true"))
    assert installation.finished(name)["status"]["phase"] == "Succeeded"


def test_a_spec_cannot_be_changed_once_it_exists(installation: Installation) -> None:
    installation.apply(make_run("fixed", "true"))
    with pytest.raises(deploy.CommandError, match=r"spec\.command cannot be changed"):
        installation.apply(make_run("fixed", "false"))
