"""What an agent finds in its pod, on the real kubelet: git as in a clone, an account, a home, an end if it hangs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, make_run, phase
from tests.e2e.test_plugin import Plugin

CLONE = """
git symbolic-ref refs/remotes/origin/HEAD; git branch --list main feature --format='%(refname:short)'
echo work > work.txt; git add work.txt; git commit -qm work
git describe --tags | sed 's/-g.*//'; git log --format=%s main..; git diff --stat origin/main... | tail -1
test $(git merge-base HEAD main) = $(git rev-parse main origin/feature v1 | uniq)
git fetch -q origin; git checkout -q feature; git status -sb; git checkout -q -
git push -q origin HEAD; git push -q -u origin HEAD:refs/heads/proposal
git clone -q . /tmp/clone; cd /tmp/clone; git commit -q --allow-empty -m elsewhere; git log -1 --format='%an <%ae>'
"""
ACCOUNT = """
import getpass, grp, os, pwd
me = pwd.getpwuid(os.getuid())
print(getpass.getuser(), me.pw_dir, grp.getgrgid(os.getgid()).gr_name, os.environ["HOME"])
del os.environ["HOME"]
open(os.path.expanduser("~/.state"), "w").close()
"""


def printed(installation: Installation, name: str) -> list[str]:
    """What a run printed."""
    run = installation.finished(name)
    logs = f"{run['status']['artifacts']}/logs"
    assert phase(run) == "Succeeded", installation.file(f"{logs}/stderr.log")
    return [line.strip() for line in installation.file(f"{logs}/stdout.log").splitlines()]


def test_git_works_as_in_a_clone_and_what_is_pushed_can_be_fetched(installation: Installation, tmp_path: Path) -> None:
    installation.apply(make_run("as-in-a-clone", CLONE))
    assert printed(installation, "as-in-a-clone") == [
        "refs/remotes/origin/main",
        "main",
        "v1-1",
        "work",
        "1 file changed, 1 insertion(+)",
        "## feature...origin/feature",
        "Autopack run <autopack-run@invalid>",
    ]
    run = installation.get("autopackrun", "as-in-a-clone")
    plugin, head = Plugin(installation.namespace), run["status"]["commit"]
    listed = [line.split()[2:] for line in plugin("branch", "as-in-a-clone").stdout.splitlines()[1:]]
    own = "autopack/as-in-a-clone"
    assert sorted(listed) == sorted(
        [
            [f"heads/{own}", head],
            ["heads/feature", run["status"]["sha"]],
            [f"outbox/{own}", head],
            ["outbox/proposal", head],
        ]
    )
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    plugin("fetch", "as-in-a-clone", "--ref", "outbox/proposal", "--repo", str(tmp_path))
    said = subprocess.run(
        ["git", "log", "-1", "--format=%s", "proposal"], cwd=tmp_path, capture_output=True, check=True
    )
    assert said.stdout == b"work\n"


def test_the_command_has_an_account_and_a_home(installation: Installation) -> None:
    installation.apply(make_run("account", f"whoami; id -gn; python3 - <<'X'\n{ACCOUNT}X\n"))
    assert printed(installation, "account") == ["autopack", "autopack", "autopack /tmp autopack /tmp"]


@pytest.fixture(scope="module")
def with_submodule(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a repository on the volume that has a submodule."""
    path = tmp_path_factory.mktemp("with-submodule")

    def git(*words: str) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
        done = subprocess.run(["git", "-C", path, *identity, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "first")
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD')},vendor/lib")
    git("commit", "-q", "-m", "a submodule")
    installation.import_repository("with-submodule", path)
    return "with-submodule"


def test_a_repository_with_submodules_is_refused_before_a_pod_starts(
    installation: Installation, with_submodule: str
) -> None:
    source = {"repository": with_submodule, "ref": "main"}
    installation.apply(make_run("incomplete", "true", source=source))
    installation.apply(make_run("allowed", "ls vendor", source=source | {"incomplete": "Allow"}))
    run = installation.finished("incomplete")
    assert (phase(run), run["status"]["reason"]) == ("Failed", "SubmodulesPresent")
    assert "vendor/lib. Set source.incomplete to Allow" in run["status"]["message"]
    assert installation.pods_of("incomplete") == []
    assert printed(installation, "allowed") == ["lib"]


def test_an_idle_run_is_ended_and_its_work_is_kept(installation: Installation) -> None:
    script = "echo kept > kept.txt; git add kept.txt; git commit -qm kept; sleep 300"
    installation.apply(make_run("idle", script, idleTimeoutSeconds=10))
    run = installation.finished("idle")
    assert (phase(run), run["status"]["reason"]) == ("Failed", "Idle")
    assert installation.git(run, "show", f"{run['status']['commit']}:kept.txt") == "kept\n"
