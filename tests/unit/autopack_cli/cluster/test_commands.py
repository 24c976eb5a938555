"""What the commands ask of the API server, print and return."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from tests.unit.autopack_cli.cluster.conftest import Call, Said
from tests.unit.autopack_cli.cluster.small_cluster import ROOT, SmallCluster

from autopack_cli.cluster import following
from autopack_cli.cluster.group import cluster_group
from autopack_cli.main import cli
from autopack_operator.domain.anchor_gate import judge
from autopack_operator.domain.views import AnchorVerdict

ANCHOR = json.dumps(
    {
        "format_version": "v2",
        "project_id": "p",
        "created_at": "2026-01-06T00:00:00Z",
        "raw_input_digest": "0",
        "pivot_intentions": {"parallelism_isolation": {"allowed": True, "max_concurrent_runs": 4}},
    }
)
SUBMIT = ("submit", "--repository", "sample")
COMMAND = ("--", "my-agent", "--task", "x")
HOSTILE = "evil\n\x1b[31m<b>\u202e"


def all_commands() -> list[str]:
    context = click.Context(cluster_group)
    names = cluster_group.list_commands(context)
    group = cluster_group.get_command(context, "artifacts")
    assert isinstance(group, click.Group)
    return names + [f"artifacts {name}" for name in group.commands]


@pytest.mark.parametrize("name", all_commands())
def test_every_command_explains_itself(call: Call, name: str) -> None:
    said = call(*name.split(), "--help")
    assert (said.code, said.err) == (0, "")
    assert f"Usage: kubectl autopack {name}" in said.out


def test_the_commands_are_those_of_autopack_cluster() -> None:
    assert cli.get_command(click.Context(cli), "cluster") is cluster_group


def test_get_shows_batches_and_runs(call: Call, cluster: SmallCluster) -> None:
    cluster.add("runbatches", "b", status={"phase": "Running", "progress": "1/2", "active": 1})
    cluster.add("autopackruns", "b-x", status={"phase": "Failed", "reason": "CommandFailed", "attempt": 2})
    said = call("get")
    assert said.code == 0
    assert [line.split()[:3] for line in said.out.splitlines() if line] == [
        ["NAME", "PHASE", "PROGRESS"],
        ["b", "Running", "1/2"],
        ["NAME", "PHASE", "REASON"],
        ["b-x", "Failed", "CommandFailed"],
    ]


def test_get_chooses_by_phase(call: Call, cluster: SmallCluster) -> None:
    cluster.add("autopackruns", "x", status={"phase": "Failed"})
    cluster.add("autopackruns", "y", status={"phase": "Succeeded"})
    cluster.add("autopackruns", "z")
    names = [
        json.loads(call("get", "runs", "--phase", phase, "-o", "json").out)["items"] for phase in ("failed", "pending")
    ]
    assert [[one["metadata"]["name"] for one in items] for items in names] == [["x"], ["z"]]


def test_get_of_a_batch_shows_its_own_runs_only(call: Call, cluster: SmallCluster) -> None:
    cluster.add("runbatches", "b")
    labels = {"autopack.dev/batch": "b"}
    cluster.add("autopackruns", "b-x", metadata={"labels": labels, "ownerReferences": [{"uid": "uid-b"}]})
    cluster.add("autopackruns", "forged", metadata={"labels": labels, "ownerReferences": [{"uid": "other"}]})
    assert "b-x" in (said := call("get", "runs", "--batch", "b")).out
    assert "forged" not in said.out


def test_one_object_is_shown_as_itself(call: Call, cluster: SmallCluster) -> None:
    cluster.add("autopackruns", "x")
    assert yaml.safe_load(call("get", "x", "-o", "yaml").out)["metadata"]["name"] == "x"


@pytest.mark.parametrize("output", ["wide", "json", "yaml"])
def test_a_hostile_text_is_inert(call: Call, cluster: SmallCluster, output: str) -> None:
    cluster.add("autopackruns", "x", status={"phase": "Failed", "reason": HOSTILE, "message": HOSTILE})
    said = call("get", "x", "-o", output)
    assert said.code == 0
    assert all(char.isprintable() or char == "\n" for char in said.out)
    assert len([line for line in said.out.splitlines() if line.startswith("\x1b")]) == 0


def test_what_is_not_there_has_an_exit_code_of_its_own(call: Call) -> None:
    said = call("get", "x")
    assert (said.code, said.out) == (3, "")
    assert said.err.count("\n") == 1
    assert "no run or batch 'x' in the namespace agents" in said.err


def test_a_run_and_a_batch_of_one_name_are_told_apart(call: Call, cluster: SmallCluster) -> None:
    cluster.add("autopackruns", "x")
    cluster.add("runbatches", "x")
    assert "Say run/x or batch/x" in call("cancel", "x").err
    assert call("cancel", "run/x").code == 0
    assert (cluster.objects[f"{ROOT}/autopackruns/x"]["spec"], cluster.objects[f"{ROOT}/runbatches/x"]["spec"]) == (
        {"cancel": True},
        {},
    )


@pytest.mark.parametrize("command", ["diff", "logs"])
def test_a_batch_where_a_run_is_wanted_is_said_to_be_one(call: Call, cluster: SmallCluster, command: str) -> None:
    cluster.add("runbatches", "b")
    for name in ("b", "batch/b"):
        said = call(command, name)
        assert (said.code, said.out) == (2, "")
        assert f"'{name}' is a batch" in said.err
        assert "`kubectl autopack get runs --batch b` lists them" in said.err


FORBIDDEN = (
    'autopackruns.autopack.dev is forbidden: User "jane" cannot list resource "autopackruns" in API group '
    '"autopack.dev" in the namespace "agents"'
)


def test_403_names_who_what_and_where(call: Call, cluster: SmallCluster) -> None:
    cluster.refused["GET"] = (403, FORBIDDEN)
    said = call("get", "runs")
    assert said.code == 4
    assert "jane may not list autopackruns.autopack.dev in the namespace agents" in said.err


def test_401_says_to_log_in(call: Call, cluster: SmallCluster) -> None:
    cluster.refused["GET"] = (401, "Unauthorized")
    assert (said := call("get")).code == 4
    assert "Log in again" in said.err


def test_absent_crds_are_said_with_the_fix(call: Call, cluster: SmallCluster) -> None:
    cluster.refused["GET"] = (404, "404 page not found")
    assert (said := call("get")).code == 2
    assert "no resources of autopack.dev/v1alpha1. Install the chart" in said.err


@pytest.mark.parametrize("contents", [None, "", ": : [", "[]", "{}", '{"current-context": "x"}', "\x00"])
def test_a_bad_kubeconfig_is_one_line(call: Call, tmp_path: Path, contents: str | None) -> None:
    place = tmp_path / "config"
    if contents is not None:
        place.write_text(contents)
    said = call("get", "--kubeconfig", str(place))
    assert said.code == 2
    assert "kubeconfig" in said.err.splitlines()[-1]
    assert "Traceback" not in said.err


def test_an_unknown_context_is_named(call: Call) -> None:
    assert "nope" in (said := call("get", "--context", "nope")).err
    assert said.code == 2


def test_a_server_that_does_not_answer(call: Call, tmp_path: Path) -> None:
    config = json.loads((tmp_path / "kubeconfig").read_text())
    config["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1"
    (tmp_path / "away").write_text(json.dumps(config))
    said = call("get", "--kubeconfig", str(tmp_path / "away"))
    assert said.code == 5
    assert "the cluster does not answer" in said.err


@pytest.mark.parametrize(
    ("verb", "field", "value"), [("cancel", "cancel", True), ("suspend", "suspend", True), ("resume", "suspend", False)]
)
def test_control_sets_one_field(call: Call, cluster: SmallCluster, verb: str, field: str, value: bool) -> None:
    cluster.add("autopackruns", "x", spec={"suspend": verb == "resume", "command": ["a"]})
    said = call(verb, "x")
    assert said.out.startswith("run/x ")
    assert cluster.objects[f"{ROOT}/autopackruns/x"]["spec"] == {"suspend": verb == "resume", "command": ["a"]} | {
        field: value
    }


def test_a_change_that_meets_another_is_made_again(call: Call, cluster: SmallCluster) -> None:
    cluster.add("autopackruns", "x")
    cluster.conflicts = 2
    assert call("cancel", "x").out == "run/x canceled\n"


def test_what_is_finished_is_not_canceled(call: Call, cluster: SmallCluster) -> None:
    cluster.add("autopackruns", "x", status={"phase": "Failed"})
    assert call("cancel", "x").code == 1
    assert not [asked for asked in cluster.asked if asked.startswith("PUT")]


def test_submit_prints_what_it_would_make(call: Call, cluster: SmallCluster) -> None:
    said = call(*SUBMIT, "--run-ids", "a,b", "--name", "mine", "--timeout", "30m", "--dry-run", *COMMAND)
    assert yaml.safe_load(said.out) == {
        "apiVersion": "autopack.dev/v1alpha1",
        "kind": "RunBatch",
        "metadata": {"name": "mine"},
        "spec": {
            "template": {
                "source": {"repository": "sample"},
                "command": ["my-agent", "--task", "x"],
                "timeoutSeconds": 1800,
            },
            "runs": [{"id": "a"}, {"id": "b"}],
        },
    }
    assert cluster.asked == []


def test_submit_makes_the_batch(call: Call, cluster: SmallCluster, tmp_path: Path) -> None:
    (tmp_path / "anchor.json").write_text(ANCHOR)
    said = call(*SUBMIT, "--run-ids", "a", "--name", "mine", "--anchor", "anchor.json", *COMMAND)
    assert (said.code, said.out, said.err) == (0, "batch/mine created\n", "")
    made = cluster.objects[f"{ROOT}/runbatches/mine"]
    assert made["metadata"]["annotations"]["autopack.dev/intention-anchor"] == ANCHOR


def test_submit_of_a_matrix(call: Call) -> None:
    said = call(*SUBMIT, "--matrix", "MODEL=small,large", "--matrix", "SEED=1,2", "--dry-run", *COMMAND)
    assert yaml.safe_load(said.out)["spec"]["matrix"] == [
        {"name": "MODEL", "values": ["small", "large"]},
        {"name": "SEED", "values": ["1", "2"]},
    ]


TWO_PROMPTS = [{"id": "12", "prompt": "p"}, {"id": "task-002", "prompt": "q"}]


@pytest.mark.parametrize(
    ("name", "text", "items"),
    [
        (
            "t.txt",
            "# tasks\nmake it so\n\n  fix: that\n",
            [
                {"id": "task-001", "env": [{"name": "AUTOPACK_TASK", "value": "make it so"}]},
                {"id": "task-002", "env": [{"name": "AUTOPACK_TASK", "value": "fix: that"}]},
            ],
        ),
        ("t.yaml", "- {id: a, args: [x]}\n- {id: b}\n", [{"id": "a", "args": ["x"]}, {"id": "b"}]),
        ("t.jsonl", '{"id": "a"}\n\n{"id": "b"}\n', [{"id": "a"}, {"id": "b"}]),
        ("t.jsonl", '{"id": 12, "prompt": "p"}\n{"prompt": "q"}\n', TWO_PROMPTS),
        ("t.yaml", "- {id: a, agent: x, model: m}\n", [{"id": "a", "agent": {"name": "x", "model": "m"}}]),
    ],
)
def test_submit_of_a_file_of_tasks(
    call: Call, tmp_path: Path, name: str, text: str, items: list[dict[str, object]]
) -> None:
    (tmp_path / name).write_text(text)
    said = call(*SUBMIT, "--tasks", name, "--dry-run", "--prompt", "p", *COMMAND)
    assert yaml.safe_load(said.out)["spec"]["runs"] == items


def spec_of(said: Said) -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load(said.out)["spec"]
    return spec


def test_submit_of_one_prompt_is_one_run_of_an_agent(call: Call, tmp_path: Path) -> None:
    (tmp_path / "task.md").write_text("Fix it:\n\n  `x`\n")
    said = call(*SUBMIT, "--agent", "claude-code", "--model", "opus[1m]", "--prompt-file", "task.md", "--dry-run")
    assert spec_of(said) == {
        "template": {
            "source": {"repository": "sample"},
            "agent": {"name": "claude-code", "model": "opus[1m]"},
            "prompt": "Fix it:\n\n  `x`\n",
        },
        "runs": [{"id": "task"}],
    }


def test_submit_of_a_matrix_over_models(call: Call) -> None:
    agent = ("--agent", "one", "--model", "lab/{MODEL}", "--prompt", "Fix it as {MODEL}.")
    spec = spec_of(call(*SUBMIT, *agent, "--matrix", "MODEL=a,b", "--dry-run"))
    assert spec["template"]["agent"] == {"name": "one", "model": "lab/{MODEL}"}
    assert spec["matrix"] == [{"name": "MODEL", "values": ["a", "b"]}]


@pytest.mark.parametrize(
    ("argv", "items"),
    [
        ((), [{"id": "task-001", "prompt": "make it so"}]),
        (
            ("--prompt", "Do: {AUTOPACK_TASK}"),
            [{"id": "task-001", "env": [{"name": "AUTOPACK_TASK", "value": "make it so"}]}],
        ),
    ],
)
def test_a_line_of_text_is_the_prompt_where_there_is_no_other(
    call: Call, tmp_path: Path, argv: tuple[str, ...], items: list[dict[str, object]]
) -> None:
    (tmp_path / "t.txt").write_text("# tasks\nmake it so\n")
    assert spec_of(call(*SUBMIT, "--agent", "one", "--tasks", "t.txt", *argv, "--dry-run"))["runs"] == items


def test_tasks_may_come_from_another_program(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b'{"id": 12, "prompt": "p"}\n{"prompt": "q"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert spec_of(call(*SUBMIT, "--agent", "one", "--tasks", "-", "--dry-run"))["runs"] == TWO_PROMPTS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"prompt": "p"}\n\n{"prompt": }\n', "tasks: line 3 is not JSON"),
        ('{"prompt": "p"}\n["p"]\n', "tasks: line 2 is not an object"),
        ('{"prompt": "p"}\n{"prompts": "p"}\n', "tasks: line 2: prompts: Extra inputs are not permitted"),
        ('{"prompt": ""}\n', "tasks: line 1: prompt: String should have at least 1 character"),
        ('{"id": "A", "prompt": "p"}\n', "tasks: line 1: id: String should match"),
        ('{"id": 7, "prompt": "p"}\n{"id": "7", "prompt": "q"}\n', "tasks: line 2: id: '7' is that of line 1"),
        ('{"prompt": "p", "agent": {"name": 7}}\n', "tasks: line 1: agent.name: Input should be a valid string"),
        ('{"id": "a", "prompt": "p"}\n{"id": "b"}\n', "spec: spec.runs 'b': an agent needs a prompt"),
    ],
)
def test_a_task_that_is_none_is_named_by_its_line_and_field(
    call: Call, cluster: SmallCluster, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "t.jsonl").write_text(text)
    answer = call(*SUBMIT, "--agent", "one", "--tasks", "t.jsonl")
    assert (answer.code, cluster.asked) == (2, [])
    assert said in answer.err


def test_a_batch_that_no_cluster_could_store_is_refused(call: Call, tmp_path: Path) -> None:
    lines = [json.dumps({"id": f"t{number}", "prompt": "<" * (250 << 10)}) for number in range(2)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    answer = call(*SUBMIT, "--agent", "one", "--tasks", "t.jsonl")
    assert answer.code == 2
    assert "bytes as JSON, and a cluster stores 1400000" in answer.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([*SUBMIT, *COMMAND], "exactly one of --run-ids, --matrix and --tasks"),
        ([*SUBMIT, "--run-ids", "a"], "command: is missing"),
        ([*SUBMIT, "--run-ids", "a", "--agent", "one", *COMMAND], "command: is given beside --agent"),
        ([*SUBMIT, "--run-ids", "a", "--agent", "one"], "an agent needs a prompt"),
        ([*SUBMIT, "--run-ids", "a", "--model", "m", *COMMAND], "model: is for an agent"),
        ([*SUBMIT, "--agent", "one", "--prompt", "p", "--prompt-file", "t.md"], "one of --prompt and --prompt-file"),
        ([*SUBMIT, "--agent", "one", "--prompt-file", "none.md"], "No such file"),
        ([*SUBMIT, "--agent", "one", "--prompt-file", "-", "--tasks", "-"], "cannot both be standard input"),
        ([*SUBMIT, "--agent", "A b", "--prompt", "p"], "spec.template.agent.name"),
        (["submit", "--run-ids", "a", *COMMAND], "source: give exactly one of --repository and --url"),
        ([*SUBMIT, "--run-ids", "a,A", *COMMAND], "differs from 'a' only in case"),
        ([*SUBMIT, "--run-ids", "A", *COMMAND], "cannot be part of a Kubernetes name"),
        ([*SUBMIT, "--run-ids", "../x", *COMMAND], "is not a run id"),
        ([*SUBMIT, "--run-ids", ",", *COMMAND], "names no run"),
        ([*SUBMIT, "--matrix", "MODEL", *COMMAND], "is not NAME=value,value"),
        ([*SUBMIT, "--matrix", "MODEL=a,,b", *COMMAND], "is not NAME=value,value"),
        ([*SUBMIT, "--run-ids", "a", "--workers", "0", *COMMAND], "spec.workers"),
        ([*SUBMIT, "--run-ids", "a", "--timeout", "0", *COMMAND], "spec.template.timeoutSeconds"),
        ([*SUBMIT, "--run-ids", "a", "--env", "x", *COMMAND], "is not NAME=value"),
        ([*SUBMIT, "--run-ids", "a", "--ref", "-x", *COMMAND], "spec.template.source.ref"),
        ([*SUBMIT, "--run-ids", "a", "--anchor", "none.json", *COMMAND], "No such file"),
        ([*SUBMIT, "--run-ids", "a", "--anchor", "a", "--allow-parallel", "1", *COMMAND], "one of --anchor and"),
        ([*SUBMIT, "--run-ids", "a", "--allow-parallel", "0", *COMMAND], "--allow-parallel"),
        ([*SUBMIT, "--tasks", "none.txt", *COMMAND], "No such file"),
        (["submit", "--url", "https://u:secret@h/x", "--run-ids", "a", *COMMAND], "spec.template.source.url"),
    ],
)
def test_bad_submissions_name_the_field_and_make_nothing(
    call: Call, cluster: SmallCluster, argv: list[str], said: str
) -> None:
    answer = call(*argv)
    assert answer.code == 2
    assert said in answer.err
    assert "secret" not in answer.err
    assert cluster.asked == []


@pytest.mark.parametrize(("name", "text"), [("t.yaml", "a: b"), ("t.yaml", "[1]"), ("t.jsonl", "{"), ("t.txt", "#\n")])
def test_a_file_of_tasks_that_is_none(call: Call, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    said = call(*SUBMIT, "--tasks", name, *COMMAND)
    assert (said.code, "tasks: " in said.err) == (2, True)


def test_an_anchor_that_forbids_is_said_at_once(call: Call, cluster: SmallCluster, tmp_path: Path) -> None:
    (tmp_path / "anchor.json").write_text(ANCHOR.replace("true", "false"))
    said = call(*SUBMIT, "--run-ids", "a", "--anchor", "anchor.json", *COMMAND)
    assert (said.code, "anchor: " in said.err, cluster.asked) == (2, True, [])


def test_a_batch_without_an_anchor_is_not_made(call: Call, cluster: SmallCluster) -> None:
    said = call(*SUBMIT, "--run-ids", "a", *COMMAND)
    assert (said.code, "--allow-parallel N" in said.err, cluster.asked) == (2, True, [])


def test_an_anchor_can_be_made(call: Call, cluster: SmallCluster) -> None:
    assert call(*SUBMIT, "--run-ids", "a", "--name", "mine", "--allow-parallel", "3", *COMMAND).code == 0
    anchor = cluster.objects[f"{ROOT}/runbatches/mine"]["metadata"]["annotations"]["autopack.dev/intention-anchor"]
    assert judge(anchor) == AnchorVerdict(True, "ParallelismAllowed", "the anchor allows 3 runs at once", 3)


@pytest.mark.parametrize(("phase", "code"), [("Succeeded", 0), ("Failed", 1), ("Refused", 1)])
def test_watch_ends_with_the_batch(call: Call, cluster: SmallCluster, phase: str, code: int) -> None:
    cluster.add("runbatches", "b", status={"phase": phase, "total": 2, "succeeded": 1, "failed": 1})
    said = call("watch", "b")
    assert said.code == code
    assert f"b: {phase} [{'#' * 30}] 2/2" in said.out
    assert call("watch", "b", "--any-outcome").code == 0


def test_watch_says_that_no_operator_has_seen_the_batch(
    call: Call, cluster: SmallCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add("runbatches", "b", metadata={"creationTimestamp": "2020-01-01T00:00:00Z"})
    plain = cluster.answer

    def answer(verb: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if cluster.asked.count(f"GET {ROOT}/runbatches/b") == 3:
            cluster.add("runbatches", "b", status={"phase": "Succeeded"})
        return plain(verb, path, query, body)

    monkeypatch.setattr(cluster, "answer", answer)
    monkeypatch.setattr(following, "_ASK_SECONDS", 0)
    said = call("watch", "b")
    assert said.code == 0
    assert said.err.count("no operator has seen it: does one watch the namespace agents?") == 1


SPEC = {"template": {"source": {"repository": "r"}, "command": ["x"]}, "runs": [{"id": "a"}, {"id": "b"}]}


def test_retry_makes_a_batch_of_what_failed(call: Call, cluster: SmallCluster) -> None:
    cluster.add("runbatches", "b", spec=SPEC, status={"phase": "Failed", "finishedIndexes": {"failed": "1"}})
    cluster.add("runbatches", "b-retry-1")
    assert call("retry", "b").out == "batch/b-retry-2 created\n"
    assert cluster.objects[f"{ROOT}/runbatches/b-retry-2"]["spec"]["runs"] == [{"id": "b"}]


def test_retry_of_a_run_makes_another_like_it(call: Call, cluster: SmallCluster) -> None:
    annotations = {"autopack.dev/intention-anchor": "configmap/a"}
    spec = {"command": ["x"], "cancel": True}
    cluster.add("autopackruns", "r", spec=spec, status={"phase": "Canceled"}, metadata={"annotations": annotations})
    made = yaml.safe_load(call("retry", "r", "--dry-run").out)
    assert (made["metadata"]["name"], made["spec"]) == ("r-retry-1", {"command": ["x"]})
    assert made["metadata"]["annotations"] == annotations | {"autopack.dev/retry-of": "r"}


@pytest.mark.parametrize(("plural", "phase"), [("runbatches", "Running"), ("autopackruns", "Succeeded")])
def test_what_has_not_failed_is_not_retried(call: Call, cluster: SmallCluster, plural: str, phase: str) -> None:
    cluster.add(plural, "x", spec=SPEC, status={"phase": phase})
    assert call("retry", "x").code == 2
    assert not [asked for asked in cluster.asked if asked.startswith("POST")]


OLD = {"phase": "Succeeded", "finishedAt": "2020-01-01T00:00:00Z"}


def test_cleanup_deletes_what_is_old_and_finished(call: Call, cluster: SmallCluster) -> None:
    cluster.add("runbatches", "old", status=OLD)
    cluster.add("runbatches", "running", status={"phase": "Running", "startedAt": "2020-01-01T00:00:00Z"})
    cluster.add("autopackruns", "old-a", status=OLD, metadata={"ownerReferences": [{"controller": True}]})
    cluster.add("autopackruns", "new", status=OLD | {"finishedAt": "2999-01-01T00:00:00Z"})
    assert call("cleanup", "--older-than", "7d").out == "batch/old deleted\n"
    assert sorted(path.rsplit("/", 1)[-1] for path in cluster.objects) == ["new", "old-a", "running"]


def test_a_dry_run_of_cleanup_deletes_nothing(call: Call, cluster: SmallCluster) -> None:
    cluster.add("runbatches", "old", status=OLD)
    assert call("cleanup", "--older-than", "7d", "--dry-run").out == "batch/old would be deleted\n"
    assert len(cluster.objects) == 1


def test_without_kubectl_reading_is_refused_with_the_fix(
    call: Call, cluster: SmallCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add("autopackruns", "x", status={"attempt": 1})
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("KUBECTL", raising=False)
    said = call("logs", "x")
    assert (said.code, "Install it, or name it in KUBECTL" in said.err) == (2, True)


def test_a_run_that_has_not_started_has_no_log(call: Call, cluster: SmallCluster) -> None:
    cluster.add("autopackruns", "x", status={"message": "suspended"})
    assert (said := call("logs", "x")).code == 3
    assert "run/x has not started: suspended" in said.err
