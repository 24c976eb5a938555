"""Bad arguments beyond the list of bad inputs, which is one table in tests/local/bad_inputs: exit code 2, one line with
what is wrong and what to do, no traceback, nothing touched.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Call, Said

SECRET = "hunter2"
GOOD = ("--run-ids", "a,b", "--anchor-path", "anchor.json", "--source-repo", "repo", "--command", "true")


def check(said: Said, message: str) -> None:
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert message in said.err
    assert SECRET not in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def supervise(call: Call, *more: str) -> Said:
    return call("autopilot", "supervise", *GOOD, *more)


ARGUMENTS = {
    "a stray word": (("autopilot", "supervise", f"postgresql://u:{SECRET}@h/d"), "unexpected extra argument"),
    "no runs": (("autopilot", "supervise"), "--run-ids required for execution mode"),
    "an option without value": (("autopilot", "supervise", "--run-ids"), "requires an argument"),
    "list without a repository": (
        ("worktrees", "list", "--source-repo", "/"),
        "is not a git repository. Give --source-repo",
    ),
    "cleanup of what is no repository": (("autopilot", "supervise", "--cleanup"), "is not a git repository"),
    "an age that is none": (("worktrees", "cleanup", "--older-than", "soon"), "is not a duration"),
    "diff of an unknown run": (("diff", "a", "--source-repo", "repo"), "neither a worktree nor a branch"),
    "diff from nowhere": (("diff", "a", "--base", "-x", "--source-repo", "repo"), "neither a worktree nor a branch"),
    "forecast of nothing": (("merge-forecast", "no-such", "--source-repo", "repo"), "no branch, tag or commit"),
    "forecast into an option": (("merge-forecast", "--base=-x", "--source-repo", "repo"), "base: '-x' begins with '-'"),
    "forecast without a repository": (("merge-forecast",), "is not a git repository. Give --source-repo"),
    "diff without a repository": (("diff", "a"), "is not a git repository. Give --source-repo"),
    "registry without a database": (("registry", "list"), "no database is given"),
}


@pytest.mark.parametrize(("argv", "message"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments(call: Call, argv: tuple[str, ...], message: str) -> None:
    check(call(*argv), message)


OPTIONS = {
    "workers no number": (("--workers", "many"), "'many' is not a valid integer"),
    "retries": (("--max-retries", "-1"), "max_retries: -1 is not from 0 to 100"),
    "filter": (("--filter", "("), "filter: '(' is not a regular expression"),
    "filter of nothing": (("--filter", "zzz"), "no run is left after --filter and --slice"),
    "slice": (("--slice", "x"), "slice: 'x' is not a slice"),
    "quotes": (("--command", "sh -c 'x"), "command: the command's quotes do not match"),
    "empty command": (("--command", ""), "command: the command is empty"),
    "setup": (("--setup", "'"), "setup: the command's quotes do not match"),
    "too parallel": (("--run-ids", "a,b,c,d,e", "--workers", "5"), "PARALLELISM BLOCKED: 5 parallel runs exceed"),
    "memory": (("--worker-memory", "lots"), "'lots' is not a size such as 512M"),
    "little memory": (("--worker-memory", "1K"), "worker_memory: 1024 bytes is less than 16M"),
    "no cores": (("--worker-cpus", "0"), "worker_cpus: 0 is not from 1 to"),
    "a file as folder of runs": (("--per-run-sqlite", "--autonomous-runs-dir", "anchor.json"), "cannot be written"),
    "results elsewhere": (
        ("--per-run-sqlite", "--results-file", "/proc/x/y"),
        "results_file: /proc/x/y cannot be written",
    ),
}


@pytest.mark.parametrize(("more", "message"), OPTIONS.values(), ids=OPTIONS)
def test_options(call: Call, here: Path, more: tuple[str, ...], message: str) -> None:
    check(_last_lines(supervise(call, "--per-run-sqlite", *more)), message)
    assert not (here / ".autonomous_runs/workspaces").exists()


def _last_lines(said: Said) -> Said:
    """Leave out what is said about limits before the work, where the fault shows only then."""
    lines = said.err.splitlines(keepends=True)
    return said._replace(err="".join(line for line in lines if line.startswith("autopack: ") or "Trace" in line))
