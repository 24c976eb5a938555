"""`kubectl autopack` as people use it: the real kubectl, the real port-forward, people's own rights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from scripts.deploy import DEV, environment, kubectl

from tests.e2e.installation import ANCHOR, Installation, phase

WORK = """
echo "hello from $AUTOPACK_RUN_ID"
printf 'a \\033]0;owned\\007title\\n' >&2
echo "$AUTOPACK_RUN_ID" > README.md
git commit -qam "work of $AUTOPACK_RUN_ID"
echo left > uncommitted.txt
mkdir -p "$AUTOPACK_ARTIFACTS/ci"
echo '{"ok": true}' > "$AUTOPACK_ARTIFACTS/ci/report.json"
: > "$AUTOPACK_ARTIFACTS/ci/$(printf '=cmd|\\033[31m<b>')"
ln -s /etc/passwd "$AUTOPACK_ARTIFACTS/passwd"
case "$AUTOPACK_RUN_ID" in *-bad) exit 3;; esac
"""


class Plugin:
    """Calls `kubectl autopack … -n <namespace>`, as somebody (the cluster's administrator by default)."""

    def __init__(self, namespace: str, kubeconfig: Path | None = None) -> None:
        self.namespace = namespace
        self.kubeconfig = kubeconfig

    def argv(self, *words: str) -> list[str]:
        """The command line; what comes after `--` stays at the end."""
        cut = words.index("--") if "--" in words else len(words)
        return ["kubectl", "autopack", *words[:cut], "-n", self.namespace, *words[cut:]]

    def environment(self) -> dict[str, str]:
        """kubectl of the development cluster and the plugin of this checkout on the PATH."""
        env = environment()
        env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
        return env | ({"KUBECONFIG": str(self.kubeconfig)} if self.kubeconfig else {})

    def __call__(self, *words: str, code: int = 0, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run it; the test fails when it ends with another exit code, or prints a traceback."""
        done = subprocess.run(
            self.argv(*words), env=self.environment(), cwd=cwd, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == code, f"{words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture(scope="module")
def plugin(installation: Installation) -> Plugin:
    """The plugin, as the administrator."""
    return Plugin(installation.namespace)


@pytest.fixture(scope="module")
def anchor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with an anchor that allows parallel runs."""
    path = tmp_path_factory.mktemp("anchor") / "anchor.json"
    path.write_text(ANCHOR)
    return path


@pytest.fixture(scope="module")
def watched(plugin: Plugin, anchor: Path) -> str:
    """What `submit --watch` of a batch of three runs printed; one of them fails."""
    source = ["--repository", "sample", "--ref", "main", "--anchor", str(anchor)]
    runs = ["submit", "--name", "plugin", "--run-ids", "one,two,bad", "--watch", *source]
    return plugin(*runs, "--", "sh", "-euc", WORK, code=1).stdout


@pytest.fixture
def clone(sample_repository: Path, tmp_path: Path) -> Path:
    """Somebody's clone of the repository."""
    path = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(sample_repository), str(path)], check=True)
    return path


def git(clone: Path, *words: str) -> str:
    """Output of git in a clone."""
    return subprocess.run(["git", "-C", str(clone), *words], check=True, capture_output=True, text=True).stdout.strip()


def test_a_batch_is_watched_in_lines_until_it_ends(watched: str) -> None:
    lines = watched.splitlines()
    assert lines[0] == "batch/plugin created"
    assert any(line.startswith("plugin-one: Succeeded after ") for line in lines)
    assert any(line.startswith("plugin-bad: Failed (CommandFailed)") and "exit code 3" in line for line in lines)
    assert "plugin: Failed [##############################] 3/3" in lines[-1]


def test_get_has_one_line_for_each(plugin: Plugin, watched: str) -> None:
    rows = [line.split() for line in plugin("get", "runs", "--batch", "plugin").stdout.splitlines()]
    assert [row[:2] for row in rows[1:]] == [
        ["plugin-bad", "Failed"],
        ["plugin-one", "Succeeded"],
        ["plugin-two", "Succeeded"],
    ]


def test_logs_are_there_after_the_pod_is_gone(plugin: Plugin, installation: Installation, watched: str) -> None:
    kubectl("delete", "pod", "-n", plugin.namespace, "-l", "autopack.dev/run=plugin-one", "--wait")
    assert installation.pods_of("plugin-one") == []
    said = plugin("logs", "plugin-one")
    assert (said.stdout, said.stderr) == ("hello from plugin-one\n", "a \x1b]0;owned\x07title\n")
    assert plugin("logs", "plugin-one", "--stream", "stdout", "--tail", "4").stdout == "one\n"


def test_logs_are_followed_while_a_run_is_at_work(plugin: Plugin, anchor: Path) -> None:
    script = "for i in 1 2 3 4 5; do echo line $i; sleep 1; done"
    source = ["--repository", "sample", "--anchor", str(anchor)]
    plugin("submit", "--name", "followed", "--run-ids", "a", *source, "--", "sh", "-euc", script)
    while "followed-a" not in kubectl("get", "autopackruns", "-n", plugin.namespace, "-o", "name"):
        time.sleep(0.2)
    said = plugin("logs", "-f", "followed-a")
    assert said.stdout == "".join(f"line {number}\n" for number in range(1, 6))


def test_artifacts_are_listed_inert(plugin: Plugin, watched: str) -> None:
    listed = plugin("artifacts", "ls", "plugin-one").stdout
    assert "ci/report.json" in listed
    assert "passwd -> /etc/passwd" in listed
    assert r"ci/=cmd|\x1b[31m<b>" in listed
    assert "\x1b" not in listed


def test_artifacts_are_fetched_and_symlinks_are_not_made(plugin: Plugin, watched: str, tmp_path: Path) -> None:
    plugin("artifacts", "get", "plugin-one", "--all", "--to", str(tmp_path / "to"))
    assert json.loads((tmp_path / "to/ci/report.json").read_text()) == {"ok": True}
    assert (tmp_path / "to/ci/=cmd|\x1b[31m<b>").exists()
    assert not (tmp_path / "to/passwd").is_symlink()


def test_an_artifact_goes_into_a_pipe(plugin: Plugin, watched: str) -> None:
    assert plugin("artifacts", "get", "plugin-one", "ci/report.json", "--to", "-").stdout == '{"ok": true}\n'


def test_a_diff_can_be_applied_to_a_clone(plugin: Plugin, watched: str, clone: Path) -> None:
    patch = plugin("diff", "plugin-one").stdout
    subprocess.run(["git", "-C", str(clone), "apply", "-"], input=patch, text=True, check=True)
    assert (clone / "uncommitted.txt").read_text() == "left\n"
    assert (clone / "README.md").read_text() == "plugin-one\n"


def test_branches_come_into_a_clone(plugin: Plugin, watched: str, clone: Path) -> None:
    plugin("fetch", "plugin", cwd=clone)
    assert git(clone, "log", "-1", "--format=%s", "autopack/plugin-two") == "work of plugin-two"
    assert git(clone, "status", "--porcelain") == ""
    assert "already" in plugin("fetch", "plugin-one", cwd=clone).stdout


def test_a_branch_comes_into_a_repository_that_has_nothing(plugin: Plugin, watched: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "empty")], check=True)
    plugin("fetch", "plugin-one", "--as", "theirs", cwd=tmp_path / "empty")
    assert git(tmp_path / "empty", "rev-list", "--count", "theirs") == "4"


def test_what_was_not_committed_comes_as_a_branch(plugin: Plugin, watched: str, clone: Path) -> None:
    plugin("fetch", "plugin-one", "--ref", "snapshot", "--as", "look", cwd=clone)
    assert git(clone, "show", "look:uncommitted.txt") == "left"


def test_a_branch_with_other_commits_is_kept(plugin: Plugin, watched: str, clone: Path) -> None:
    identity = ["-c", "user.name=Me", "-c", "user.email=me@example.com"]
    mine = git(clone, *identity, "commit-tree", "-m", "mine", "-p", "origin/main", "origin/main^{tree}")
    git(clone, "branch", "autopack/plugin-one", mine)
    assert "--force to replace it" in plugin("fetch", "plugin-one", code=2, cwd=clone).stderr
    assert git(clone, "rev-parse", "autopack/plugin-one") == mine


def test_clashes_are_foreseen(plugin: Plugin, watched: str) -> None:
    said = plugin("merge-forecast", "plugin-one", "plugin-two").stdout
    assert "1. git merge refs/heads/autopack/plugin-one" in said
    assert "autopack/plugin-one and autopack/plugin-two: README.md" in said


def test_retry_makes_a_batch_of_what_failed(plugin: Plugin, installation: Installation, watched: str) -> None:
    assert plugin("retry", "plugin", "--as", "plugin-again").stdout == "batch/plugin-again created\n"
    assert plugin("watch", "plugin-again", code=1).stdout
    batch = installation.get("runbatch", "plugin-again")
    assert [run["id"] for run in batch["spec"]["runs"]] == ["bad"]


def test_control_of_a_batch(plugin: Plugin, installation: Installation, anchor: Path) -> None:
    source = ["--repository", "sample", "--anchor", str(anchor), "--workers", "1"]
    plugin("submit", "--name", "held", "--matrix", "N=1,2", *source, "--", "sleep", "100")
    assert plugin("suspend", "held").stdout == "batch/held suspended\n"
    assert installation.get("runbatch", "held")["spec"]["suspend"] is True
    assert plugin("resume", "held").stdout == "batch/held resumed\n"
    assert plugin("cancel", "held").stdout == "batch/held canceled\n"
    assert phase(installation.finished("held", "runbatch")) == "Canceled"


def test_a_finished_run_holds_no_lease(plugin: Plugin, watched: str) -> None:
    assert plugin("unlock", "plugin-one").stdout == "run/plugin-one holds no Lease\n"


def test_the_doctor_finds_nothing_broken(plugin: Plugin) -> None:
    found = json.loads(plugin("doctor", "-o", "json").stdout)
    assert {one["name"]: one["level"] for one in found if one["level"] not in {"ok", "warn"}} == {}
    assert {"CRDs", "RBAC", "Operator", "Leader", "Volume service", "Volume", "Leases", "Quota"} <= {
        one["name"] for one in found
    }


def test_the_doctor_says_what_is_missing_in_an_empty_namespace(plugin: Plugin) -> None:
    said = Plugin("kube-public")("doctor", code=1).stdout
    assert "Install the chart in this namespace" in said


def test_no_way_to_the_volume_stays_open(plugin: Plugin, watched: str) -> None:
    plugin("logs", "plugin-one")
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    ways = [
        line for line in listed.splitlines() if "port-forward" in line and f"--namespace={plugin.namespace}" in line
    ]
    assert ways == []


def test_a_reader_who_goes_away_is_no_traceback(plugin: Plugin, watched: str) -> None:
    command = subprocess.list2cmdline(plugin.argv("get", "plugin", "-o", "yaml")) + " | true"
    done = subprocess.run(
        ["bash", "-c", command], env=plugin.environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def somebody(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Plugin]:
    """Makes people: a ServiceAccount bound to a role (or to none), with a kubeconfig of its own."""

    def make(name: str, role: str | None = None) -> Plugin:
        where = ["-n", installation.namespace]
        kubectl("create", "serviceaccount", name, *where)
        if role is not None:
            bound = f"--serviceaccount={installation.namespace}:{name}"
            kubectl("create", "rolebinding", name, f"--{role}", bound, *where)
        config = yaml.safe_load((DEV / "kubeconfig").read_text())
        user = config["contexts"][0]["context"]["user"]
        config["users"] = [{"name": user, "user": {"token": kubectl("create", "token", name, *where).strip()}}]
        path = tmp_path_factory.mktemp("people") / name
        path.write_text(yaml.safe_dump(config))
        return Plugin(installation.namespace, path)

    return make


def test_who_has_no_rights_is_told_verb_and_resource(somebody: Callable[..., Plugin], plugin: Plugin) -> None:
    stranger = somebody("stranger")
    said = stranger("get", "runs", code=4).stderr
    assert "stranger may not list autopackruns.autopack.dev in the namespace" in said
    assert said.count("\n") == 1


def test_a_reader_reads_and_changes_nothing(somebody: Callable[..., Plugin], plugin: Plugin, watched: str) -> None:
    reader = somebody("reader", "role=autopack-reader")
    assert reader("logs", "plugin-one").stdout == "hello from plugin-one\n"
    assert "may not create runbatches.autopack.dev" in reader("retry", "plugin", code=4).stderr


def test_who_only_views_is_told_what_reading_needs(
    somebody: Callable[..., Plugin], plugin: Plugin, watched: str
) -> None:
    viewer = somebody("viewer", "clusterrole=view")
    assert "plugin-one" in viewer("get").stdout
    assert "pods/portforward" in viewer("logs", "plugin-one", code=4).stderr


def test_who_edits_the_namespace_makes_runs_and_no_profiles(
    somebody: Callable[..., Plugin], plugin: Plugin, watched: str
) -> None:
    editor = somebody("editor", "clusterrole=edit")
    assert editor("artifacts", "ls", "plugin-one").stdout
    assert editor("retry", "plugin", "--as", "by-editor").stdout == "batch/by-editor created\n"
    may = ["kubectl", "auth", "can-i", "create", "runprofiles.autopack.dev", "-n", plugin.namespace]
    asked = subprocess.run(may, env=editor.environment(), capture_output=True, text=True, check=False)
    assert asked.stdout == "no\n"
