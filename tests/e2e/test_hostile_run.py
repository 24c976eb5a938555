"""Runs that attack their neighbours, the operator and the volume, on the real kubelet: nobody else is harmed.

All of them and a bystander live at the same time; the tests look at what is left.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from autopack.phases import TERMINAL_PHASES
from tests.e2e.installation import Installation, kept, make_run, phase
from tests.e2e.test_run_limits import make_profile

BYSTANDER = """
echo mine > mine.txt; git add mine.txt; git commit -qm mine; echo dirty > dirty.txt
echo report > $AUTOPACK_ARTIFACTS/ci/report
for i in $(seq 12); do sleep 1; test "$(cat dirty.txt $AUTOPACK_ARTIFACTS/ci/report)" = "dirty
report"; done
"""
TRAP = "touch $AUTOPACK_ARTIFACTS/ci/sprung /tmp/sprung"
HOSTILE = {
    "trapper": f"""
cat > /tmp/trap <<X
#!/bin/sh
{TRAP}
X
chmod +x /tmp/trap; cp /tmp/trap $AUTOPACK_ARTIFACTS/ci/trap
for name in core.fsmonitor core.sshCommand filter.evil.clean filter.evil.smudge diff.external gpg.program; do
  git config $name "$AUTOPACK_ARTIFACTS/ci/trap"; done
git config core.hooksPath $AUTOPACK_ARTIFACTS/ci; hooks=$(git rev-parse --git-common-dir)/hooks; mkdir -p $hooks
for hook in post-checkout post-commit pre-push reference-transaction post-index-change; do
  cp /tmp/trap $hooks/$hook; cp /tmp/trap $AUTOPACK_ARTIFACTS/ci/$hook; done
echo '* filter=evil' > .gitattributes; echo prey > prey.txt
rm -f $AUTOPACK_ARTIFACTS/ci/sprung; sleep 4
""",
    "burglar": """
mirror=$(dirname $(sed -n 's,/objects$,/.,p' $(git rev-parse --git-common-dir)/objects/info/alternates))
for place in $mirror /autopack/.repos /autopack/workspaces /autopack; do
  touch $place/burgled 2>/dev/null && echo $place >> $AUTOPACK_ARTIFACTS/ci/broken; done
rm -rf $mirror/refs 2>/dev/null || true
git --git-dir $mirror update-ref refs/heads/main $(git rev-parse HEAD~1) 2>/dev/null || true
find /autopack -maxdepth 2 2>/dev/null | sort > $AUTOPACK_ARTIFACTS/ci/seen
ls /var/run/secrets > $AUTOPACK_ARTIFACTS/ci/secrets 2>/dev/null || true
for way in /autopack/../autopack/bystander /autopack/workspaces/../bystander /proc/1/root/autopack/bystander; do
  ls $way 2>/dev/null && echo $way >> $AUTOPACK_ARTIFACTS/ci/broken; done; true
""",
    "impostor": """
for name in refs/runs/$VICTIM/a1/heads/main refs/heads/main refs/pins/$VICTIM refs/autopack/bystander refs/replace/x; do
  git update-ref $name HEAD 2>/dev/null || true; done
alternates=$(git rev-parse --git-common-dir)/objects/info/alternates
echo /autopack/.repos/n-sample/results.git/objects >> $alternates; echo /etc >> $alternates
git commit -q --allow-empty -m impostor
""",
    "linker": """
cd $AUTOPACK_ARTIFACTS/ci
ln -s /etc/passwd passwd; ln -s /etc etc; ln -s ../../../bystander neighbour; ln -s ../../../.repos repos
ln -s /autopack/.attempts pins; ln -s loop loop; mkfifo pipe
""",
    "forger": """
cd /autopack/.kept/forger
for name in result.json manifest.json results.bundle workspace.json fenced.json x; do
  (echo forged > $name) 2>/dev/null && echo $name >> $AUTOPACK_ARTIFACTS/ci/broken; done
cd $AUTOPACK_ARTIFACTS
zeros=$(printf '%064d' 0)
echo '{"version":1,"runId":"bystander","exitCode":0,"complete":true,"manifestSha256":"'$zeros'"}' > result.json
echo '{"version":1,"runId":"bystander","head":"'$(printf '%040d' 0)'"}' > manifest.json
echo '{"exitCode":0}' > /autopack/.kept/forger/run/exit.json; echo '{}' > fenced.json
printf '# v2 git bundle\\nforged' > results.bundle
sleep 2; exit 3
""",
    "glutton": "while :; do for to in fill /tmp/fill; do head -c 1000000 /dev/urandom >> $to; done; sleep 0.1; done",
}


def restarts(installation: Installation) -> dict[str, int]:
    """How often the containers of the operator and the volume service were restarted, by pod."""
    pods = installation.all("pods", "app.kubernetes.io/component in (operator,volume)")
    return {
        pod["metadata"]["name"]: sum(each["restartCount"] for each in pod["status"]["containerStatuses"])
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
    }


@pytest.fixture(scope="module")
def restarts_before(installation: Installation) -> dict[str, int]:
    return restarts(installation)


@pytest.fixture(scope="module")
def aftermath(installation: Installation, restarts_before: dict[str, int]) -> Installation:
    """The installation after all of them have ended."""
    installation.apply(make_profile(installation, "bounded", diskQuota="16Mi"), make_run("bystander", BYSTANDER))
    victim = installation.get("autopackrun", "bystander")["metadata"]["uid"]
    bounds: dict[str, Any] = {
        "profileRef": {"name": "bounded"},
        "retry": {"infrastructure": 0},
        "env": [{"name": "VICTIM", "value": victim}],
    }
    installation.apply(*(make_run(name, script, **bounds) for name, script in HOSTILE.items()))
    for name in ("bystander", *HOSTILE):
        installation.finished(name, timeout=150)
    return installation


def artifacts(installation: Installation, name: str) -> str:
    return str(installation.get("autopackrun", name)["status"]["artifacts"])


def test_the_bystander_ends_as_if_it_were_alone(aftermath: Installation) -> None:
    run = aftermath.get("autopackrun", "bystander")
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 1)
    prefix = f"refs/runs/{run['metadata']['uid']}"
    listed = aftermath.git(run, "for-each-ref", "--format=%(refname)", prefix).split()
    kinds = sorted(name.removeprefix(f"{prefix}/a1/") for name in listed)
    assert kinds == ["head", "heads/autopack/bystander", "snapshot"]
    assert aftermath.git(run, "show", f"{prefix}/a1/snapshot:dirty.txt") == "dirty\n"
    assert aftermath.git(run, "log", "-1", "--format=%s", run["status"]["ref"]) == "mine\n"
    assert aftermath.file(f"{artifacts(aftermath, 'bystander')}/ci/report") == "report\n"


def test_every_attacker_comes_to_an_end_and_holds_nothing(aftermath: Installation) -> None:
    for name in HOSTILE:
        run = aftermath.get("autopackrun", name)
        assert phase(run) in TERMINAL_PHASES
        assert aftermath.leases_of(run) == []


def test_operator_and_volume_have_not_been_restarted(aftermath: Installation, restarts_before: dict[str, int]) -> None:
    assert len(restarts_before) == 2
    assert restarts(aftermath) == restarts_before


def test_no_trap_springs_outside_the_run_that_set_it(aftermath: Installation) -> None:
    run = aftermath.get("autopackrun", "trapper")
    assert "prey.txt" in aftermath.git(run, "ls-tree", "--name-only", run["status"]["snapshot"])
    assert "sprung" not in aftermath.in_volume("ls", "-a", f"/autopack/{artifacts(aftermath, 'trapper')}/ci", "/tmp")


def test_nothing_but_its_own_folders_can_be_seen_or_written(aftermath: Installation) -> None:
    folder = f"/autopack/{artifacts(aftermath, 'burglar')}/ci"
    seen = set(aftermath.in_volume("cat", f"{folder}/seen").split())
    assert not [path for path in seen if "bystander" in path or ".attempts" in path or "results.git" in path]
    assert aftermath.in_volume("sh", "-c", f"cat {folder}/broken {folder}/secrets 2>/dev/null || true") == ""
    assert aftermath.in_volume("sh", "-c", "find /autopack -name burgled") == ""


def test_the_shared_repository_is_whole_and_its_branches_are_where_they_were(aftermath: Installation) -> None:
    run = aftermath.get("autopackrun", "bystander")
    mirror = f"/autopack/.repos/{run['status']['repositoryKey']}/mirror.git"
    assert aftermath.in_volume("git", "--git-dir", mirror, "rev-parse", "main").strip() == run["status"]["sha"]
    aftermath.in_volume("git", "--git-dir", mirror, "fsck", "--strict")
    aftermath.git(run, "fsck")


def test_refs_that_a_run_invents_stay_among_its_own(aftermath: Installation) -> None:
    run = aftermath.get("autopackrun", "impostor")
    assert phase(run) == "Succeeded"
    listed = aftermath.git(run, "for-each-ref", "--format=%(refname)").split()
    assert not [name for name in listed if not name.startswith("refs/runs/")]
    assert not [name for name in listed if "/extra/" in name and run["metadata"]["uid"] not in name.split("/")[2]]


def test_links_are_listed_and_never_followed(aftermath: Installation) -> None:
    run = aftermath.get("autopackrun", "linker")
    assert phase(run) == "Succeeded"
    manifest = json.loads(aftermath.file(f"{kept(run)}/manifest.json"))
    links = {entry["path"]: entry.get("link") for entry in manifest["files"] if entry["path"].startswith("ci/")}
    assert links == {
        "ci/passwd": "/etc/passwd",
        "ci/etc": "/etc",
        "ci/neighbour": "../../../bystander",
        "ci/repos": "../../../.repos",
        "ci/pins": "/autopack/.attempts",
        "ci/loop": "loop",
    }


def test_what_the_keeper_writes_down_of_a_run_its_command_cannot_write(aftermath: Installation) -> None:
    folder = f"/autopack/{artifacts(aftermath, 'forger')}"
    assert aftermath.in_volume("sh", "-c", f"cat {folder}/ci/broken 2>/dev/null || true") == ""


def test_a_forged_end_is_not_believed(aftermath: Installation) -> None:
    run = aftermath.get("autopackrun", "forger")
    assert phase(run) == "Failed"
    assert run["status"].get("commit") in {None, run["status"]["sha"]}


def test_a_run_that_fills_the_disk_is_stopped_at_its_quota(aftermath: Installation) -> None:
    run = aftermath.get("autopackrun", "glutton")
    assert (phase(run), run["status"]["reason"]) in {("Failed", "DiskQuotaExceeded"), ("Failed", "Evicted")}


def test_a_run_after_all_that_works(aftermath: Installation) -> None:
    aftermath.apply(make_run("afterwards", "test -e README.md; git status --porcelain"))
    assert phase(aftermath.finished("afterwards")) == "Succeeded"
