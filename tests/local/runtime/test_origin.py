"""What a run finds of its source, and what it pushes: real git, as in a clone, without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import UID, Api, Pod, git, import_source
from .test_resume import next_pod

MakePod = Callable[..., Pod]
A1 = f"refs/runs/{UID}/a1"


@pytest.fixture
def results(volume: Path) -> Path:
    return volume / ".repos/n-demo/results.git"


@pytest.fixture
def source(source: Path) -> Path:
    """A source with a history, a tag, two branches, and `main` as its default."""
    git("tag", "-a", "v1", "-m", "one", cwd=source)
    git("checkout", "-q", "-b", "feature/x", cwd=source)
    git("commit", "-q", "--allow-empty", "-m", "on the feature", cwd=source)
    git("checkout", "-q", "main", cwd=source)
    git("commit", "-q", "--allow-empty", "-m", "second", cwd=source)
    return source


def said(pod: Pod, script: str) -> list[str]:
    """What a script prints in the pod's worktree."""
    assert pod.run(script) == 0, (pod.artifacts / "logs/stderr.log").read_text()
    return (pod.artifacts / "logs/stdout.log").read_text().splitlines()


def refs(repo: Path, prefix: str = "refs") -> set[str]:
    return set(git("for-each-ref", "--format=%(refname)", prefix, cwd=repo).split())


ASKED = {
    "git rev-parse --abbrev-ref origin/HEAD": ["origin/main"],
    "git log --format=%s main": ["second", "first"],
    "git describe": None,
    "git diff --stat origin/main...": ["a | 1 +", "1 file changed, 1 insertion(+)"],
    "git log --format=%s main..": ["work"],
    "git log --format=%s origin/feature/x --not main": ["on the feature"],
    "git fetch -q origin && git status -sb": ["## autopack/fix-it"],
    "git checkout -q feature/x && git log -1 --format=%s": ["on the feature"],
    "git checkout -q main && git status -sb": ["## main...origin/main"],
    "git push -q && git rev-parse --abbrev-ref @{push}": ["origin/autopack/fix-it"],
}
COMMIT = "echo a > a; git add a; git commit -qm work\n"


@pytest.mark.parametrize("question", ASKED)
def test_git_answers_as_in_a_clone(ready: Pod, question: str) -> None:
    ready.init()
    answer = [line.strip() for line in said(ready, COMMIT + question)]
    assert answer == ASKED[question] or (ASKED[question] is None and answer[0].startswith("v1-2-g"))


def test_the_merge_base_with_the_base_branch_is_where_the_run_began(ready: Pod) -> None:
    ready.init()
    assert said(ready, f"{COMMIT} git merge-base HEAD main") == [ready.env["AUTOPACK_SHA"]]


@pytest.mark.parametrize(
    ("ref", "branch"),
    [
        ("HEAD", "main"),
        ("main", "main"),
        ("refs/heads/feature/x", "feature/x"),
        ("v1", "main"),
        ("feature/x", "feature/x"),
    ],
)
async def test_the_branch_that_was_asked_for_is_the_one_to_compare_with(
    api: Api, volume: Path, source: Path, make_pod: MakePod, ref: str, branch: str
) -> None:
    import_source(volume, source)
    _, answer = await api.put(ref=ref)
    pod = make_pod(answer).with_env(AUTOPACK_REF=ref)
    assert pod.init() == 0
    assert refs(pod.files.repo, "refs/heads") == {f"refs/heads/{branch}", "refs/heads/autopack/fix-it"}
    assert git("rev-parse", branch, cwd=pod.workspace) == git("rev-parse", branch, cwd=source)


async def test_the_base_branch_is_where_the_run_began_though_others_pushed(
    api: Api, volume: Path, source: Path, make_pod: MakePod
) -> None:
    import_source(volume, source)
    _, answer = await api.put(ref="main")
    git("commit", "-q", "--allow-empty", "-m", "third", cwd=source)
    import_source(volume, source)
    pod = make_pod(answer).with_env(AUTOPACK_REF="main")
    assert pod.init() == 0
    assert git("log", "--format=%s", "main..origin/main", cwd=pod.workspace) == "third"


@pytest.mark.parametrize(
    ("branch", "left"), [("main", ["main"]), ("main/x", ["main/x"]), ("feature", ["feature", "main"])]
)
def test_the_runs_own_branch_comes_before_those_of_the_source(ready: Pod, branch: str, left: list[str]) -> None:
    pod = ready.with_env(AUTOPACK_BRANCH=branch)
    assert pod.init() == 0
    assert git("branch", "--format=%(refname:short)", cwd=pod.workspace).split() == left


async def test_what_came_from_the_source_is_no_work_of_the_run(api: Api, ready: Pod, results: Path) -> None:
    ready.live(COMMIT)
    _, answer = await api.commit()
    assert answer["branches"] == {"autopack/fix-it": answer["head"]}
    assert refs(results) == {f"{A1}/head", f"{A1}/heads/autopack/fix-it"}


async def test_what_is_fetched_later_is_no_work_of_the_run(api: Api, ready: Pod, volume: Path, source: Path) -> None:
    ready.init()
    git("commit", "-q", "--allow-empty", "-m", "third", cwd=source)
    import_source(volume, source)
    ready.start_keeper()
    assert ready.run("git fetch -q origin; git log -1 --format=%s origin/main") == 0
    assert (ready.artifacts / "logs/stdout.log").read_text() == "third\n"
    ready.wait_for("result.json")
    ready.stop_keeper()
    assert not ready.files.bundle.exists()


async def test_branches_and_tags_that_the_run_made_or_moved_are_its_work(api: Api, ready: Pod, results: Path) -> None:
    ready.live(f"{COMMIT} git branch -f main; git branch side origin/feature/x; git tag -f v1; git tag here")
    _, answer = await api.commit()
    assert answer["branches"].keys() == {"autopack/fix-it", "main", "side"}
    assert answer["branches"]["main"] == answer["head"]
    assert refs(results, f"{A1}/extra") == {f"{A1}/extra/tags/v1", f"{A1}/extra/tags/here"}


async def test_commits_of_another_remote_are_saved(api: Api, ready: Pod, results: Path) -> None:
    script = """git init -q /tmp/$$; cd /tmp/$$; git commit -q --allow-empty -m far; cd - >/dev/null
        git remote add far /tmp/$$; git fetch -q far; rm -rf /tmp/$$"""
    ready.live(script)
    await api.commit()
    assert [name for name in refs(results, f"{A1}/extra") if name.startswith(f"{A1}/extra/remotes/far/")]


async def test_a_push_goes_to_the_outbox_and_from_there_into_the_results(api: Api, ready: Pod, results: Path) -> None:
    ready.live(f"{COMMIT} git push -q origin HEAD; git push -q -u origin HEAD:refs/heads/wip/x; git push -q origin v1")
    _, answer = await api.commit()
    assert answer["outbox"] == {"autopack/fix-it": answer["head"], "wip/x": answer["head"]}
    assert git("log", "-1", "--format=%s", f"{A1}/outbox/wip/x", cwd=results) == "work"
    assert f"{A1}/extra/outbox/tags/v1" in refs(results)


async def test_a_push_from_a_clone_that_is_gone_is_saved(api: Api, ready: Pod, results: Path) -> None:
    ready.live(f"""d=$(mktemp -d); to=$(git remote get-url --push origin); git clone -q . $d; cd $d
        {COMMIT} git push -q $to HEAD:refs/heads/there; cd /; rm -rf $d""")
    _, answer = await api.commit()
    assert git("log", "-1", "--format=%s", answer["outbox"]["there"], cwd=results) == "work"


async def test_what_was_pushed_and_pushed_over_is_kept(api: Api, ready: Pod, results: Path) -> None:
    ready.live("""d=$(mktemp -d); to=$(git remote get-url --push origin); git clone -q . $d; cd $d
        echo precious > p; git add p; git commit -qm precious; git push -q $to HEAD:refs/heads/there
        git push -q -f $to origin/HEAD:refs/heads/there; cd /; rm -rf $d""")
    _, answer = await api.commit()
    assert answer["complete"] is True
    assert "precious" in git("log", "--format=%s", f"{A1}/kept", cwd=results).splitlines()


async def test_a_later_attempt_has_in_its_outbox_what_the_one_before_had_pushed(
    api: Api, ready: Pod, make_pod: MakePod
) -> None:
    ready.live(f"{COMMIT} git push -q origin HEAD:refs/heads/wip; git push -q origin HEAD:refs/tags/t; exit 7")
    _, first = await api.commit()
    pod = await next_pod(api, make_pod)
    assert refs(pod.files.outbox) == {"refs/heads/wip", "refs/tags/t"}
    assert git("rev-parse", "origin/main", "main", cwd=pod.workspace).split() == [pod.env["AUTOPACK_SHA"]] * 2
    pod.start_keeper()
    pod.run("true")
    pod.wait_for("result.json")
    pod.stop_keeper()
    _, second = await api.commit(attempt=2)
    assert second["outbox"] == first["outbox"]


async def test_branches_of_the_run_that_stand_in_the_way_of_the_sources_come_back(
    api: Api, ready: Pod, make_pod: MakePod
) -> None:
    ready.live(f"{COMMIT} git branch -D main; git branch main/mine; git tag -d v1; git tag v1/mine; exit 7")
    await api.commit()
    pod = await next_pod(api, make_pod)
    assert refs(pod.files.repo, "refs/heads") == {"refs/heads/autopack/fix-it", "refs/heads/main/mine"}
    assert refs(pod.files.repo, "refs/tags") == {"refs/tags/v1/mine"}


@pytest.mark.parametrize(
    "harm",
    [
        "rm -rf {outbox}",
        "rm -rf {outbox}; ln -s /proc {outbox}",
        "rm -rf {outbox}/objects",
        "mkfifo {outbox}/refs/heads/f; mkfifo {outbox}/packed-refs",
        "head -c 9999 /dev/urandom > {outbox}/packed-refs; echo x > {outbox}/refs/heads/x",
        "git --git-dir={outbox} update-ref refs/heads/a HEAD; mv {outbox}/refs/heads/a '{outbox}/refs/heads/a b'",
        "echo 1234567890123456789012345678901234567890 > {outbox}/refs/heads/gone",
    ],
)
async def test_whatever_a_run_does_to_its_outbox_its_work_is_saved(
    api: Api, ready: Pod, results: Path, harm: str
) -> None:
    ready.live(f"{COMMIT}{harm.format(outbox=ready.files.outbox)}")
    status, answer = await api.commit(removeWorkspace=True)
    assert (status, answer["complete"]) == (200, True)
    assert git("log", "-1", "--format=%s", answer["head"], cwd=results) == "work"
    assert not ready.workspace.exists()


async def test_nothing_of_ours_among_the_artifacts(api: Api, ready: Pod) -> None:
    ready.live(COMMIT)
    assert {entry["path"].split("/")[0] for entry in json.loads(ready.files.manifest.read_bytes())["files"]} == {"logs"}


async def test_the_mirrors_head_follows_the_default_branch(volume: Path, source: Path) -> None:
    import_source(volume, source)
    mirror = volume / ".repos/n-demo/mirror.git"
    assert git("symbolic-ref", "HEAD", cwd=mirror) == "refs/heads/main"
    git("checkout", "-q", "-b", "trunk", cwd=source)
    git("commit", "-q", "--allow-empty", "-m", "on the trunk", cwd=source)
    import_source(volume, source)
    assert git("symbolic-ref", "HEAD", cwd=mirror) == "refs/heads/trunk"
