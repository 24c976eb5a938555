"""Bad input: exit code 2, one line with what is wrong and what to do, no traceback, no secret, nothing touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autopack.git.runner import run_git

from .conftest import ANCHOR, Call, Said

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
    "no command of that name": (("frobnicate",), "No such command 'frobnicate'"),
    "unknown flag": (("autopilot", "supervise", f"--databse-url=postgresql://u:{SECRET}@h/d"), "No such option"),
    "a stray word": (("autopilot", "supervise", f"postgresql://u:{SECRET}@h/d"), "unexpected extra argument"),
    "no runs": (("autopilot", "supervise"), "--run-ids required for execution mode"),
    "no anchor": (("autopilot", "supervise", "--run-ids", "a,b"), "--anchor-path required for parallel execution"),
    "an option without value": (("autopilot", "supervise", "--run-ids"), "requires an argument"),
    "unlock of a path": (("unlock", "../x"), "'../x' is not a run id"),
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
    "workers 0": (("--workers", "0"), "workers: 0 is not from 1 to 256"),
    "workers 10^6": (("--workers", "1000000"), "workers: 1000000 is not from 1 to 256"),
    "workers no number": (("--workers", "many"), "'many' is not a valid integer"),
    "timeout 0": (("--timeout", "0"), "timeout: 0.0 is not a number of seconds"),
    "timeout negative": (("--timeout", "-1"), "'-1' is not a duration"),
    "timeout 2^63": (("--timeout", "9223372036854775808"), "is not a duration"),
    "timeout NaN": (("--timeout", "nan"), "'nan' is not a duration"),
    "timeout text": (("--timeout", "soon"), "'soon' is not a duration"),
    "retries": (("--max-retries", "-1"), "max_retries: -1 is not from 0 to 100"),
    "filter": (("--filter", "("), "filter: '(' is not a regular expression"),
    "filter of nothing": (("--filter", "zzz"), "no run is left after --filter and --slice"),
    "slice": (("--slice", "x"), "slice: 'x' is not a slice"),
    "ref of nothing": (("--ref", "no-such"), "the repository has no branch, tag or commit 'no-such'"),
    "ref as option": (("--ref", "--upload-pack=x"), "ref: '--upload-pack=x' begins with '-'"),
    "ref as command": (("--ref", "$(id)"), "ref: the repository has no branch, tag or commit '$(id)'"),
    "repository that is none": (("--source-repo", "/etc"), "source_repo: /etc is not a git repository"),
    "repository by protocol": (("--source-repo", "ext::sh -c id"), "is not a git repository"),
    "repository by file URL": (("--source-repo", "file:///etc"), "is not a git repository"),
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


IDS = {
    "twice": ("a,a", "'a' is given twice"),
    "case": ("a,A", "'A' differs from 'a' only in case"),
    "parent": ("../x", "'../x' is not a run id"),
    "absolute": ("/etc", "'/etc' is not a run id"),
    "inside out": ("a/../../b", "is not a run id"),
    "git's own": (".git/hooks/x", "is not a run id"),
    "command": ("$(id)", "is not a run id"),
    "newline": ("a\nb", r"'a\nb' is not a run id"),
    "escape": ("a\x1b[31m", r"'a\x1b[31m' is not a run id"),
    "bidirectional": ("a\u202eb", r"'a\u202eb' is not a run id"),
    "empty": ("a,,b", "a run id is empty"),
    "long": ("a" * 254, "has 254 characters, more than 253"),
    "ours": ("workspaces", "a folder Autopack keeps for itself"),
}


@pytest.mark.parametrize(("run_ids", "message"), IDS.values(), ids=IDS)
def test_run_ids(call: Call, here: Path, run_ids: str, message: str) -> None:
    check(supervise(call, "--run-ids", run_ids, "--per-run-sqlite"), message)
    assert not (here / ".autonomous_runs").exists()


DATABASES = {
    "missing": (
        None,
        "database_url: no database is given. Give postgresql://host:5432/database, or use --per-run-sqlite",
    ),
    "mysql": (f"mysql://u:{SECRET}@h/d", "'mysql' databases are not supported"),
    "port": (f"postgresql://u:{SECRET}@h:54x2/d", "the port is not a number from 1 to 65535"),
    "at sign": (
        f"postgresql://u:{SECRET}@x@h/d",
        "unescaped special character. In user name and password write @",
    ),
    "percent": (f"postgresql://u:{SECRET}%@h/d", "unescaped special character"),
    "no address": (f"u:{SECRET}@h/d", "this is not a database address"),
    "shared SQLite": ("sqlite:///shared.db", "Parallel runs require Postgres"),
    "nobody there": (f"postgresql://u:{SECRET}@127.0.0.1:9/d", "does not answer"),
}


@pytest.mark.parametrize(("url", "message"), DATABASES.values(), ids=DATABASES)
def test_databases(call: Call, here: Path, monkeypatch: pytest.MonkeyPatch, url: str | None, message: str) -> None:
    if url is not None:
        check(supervise(call, "--database-url", url), message)
        monkeypatch.setenv("DATABASE_URL", url)
    check(supervise(call), message)
    assert not (here / ".autonomous_runs").exists()


def test_sqlite_on_a_network_file_system(call: Call, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "mountinfo").write_text("1 0 0:5 / / rw - nfs4 server:/x rw\n")
    monkeypatch.setattr("autopack.supervisor.filesystems._MOUNTINFO", here / "mountinfo")
    check(
        supervise(call, "--per-run-sqlite"),
        "network file system (nfs4), where SQLite files get corrupted. Use Postgres",
    )


ANCHORS: dict[str, tuple[bytes | dict[str, object], str]] = {
    "empty": (b"", "the intention anchor is empty"),
    "truncated": (json.dumps(ANCHOR).encode()[:-9], "not proper JSON"),
    "byte order mark": (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
    "invalid UTF-8": (b'{"a": "\xff"}', "is not UTF-8"),
    "twice": (b'{"a": 1, "a": 2}', "the field 'a' is given twice"),
    "NaN": (b'{"a": NaN}', "NaN is not a JSON number"),
    "deep": (b"[" * 10_000, "nested more than 64 levels"),
    "huge": (b"{" + b" " * 300_000, "more than 256 KiB"),
    "wrong version": ({**ANCHOR, "format_version": "v1"}, 'format_version is "v1", not v2'),
    "a string for a boolean": (
        {**ANCHOR, "pivot_intentions": {"parallelism_isolation": {"allowed": "true"}}},
        "pivot_intentions.parallelism_isolation.allowed",
    ),
    "no runs at all": (
        {**ANCHOR, "pivot_intentions": {"parallelism_isolation": {"allowed": True, "max_concurrent_runs": 0}}},
        "max_concurrent_runs",
    ),
    "not allowed": (
        {**ANCHOR, "pivot_intentions": {"parallelism_isolation": {"allowed": False}}},
        "PARALLELISM BLOCKED: the intention anchor blocks parallel runs (parallelism_isolation.allowed=false)",
    ),
    "silent": ({**ANCHOR, "pivot_intentions": {}}, "PARALLELISM BLOCKED: the intention anchor says nothing"),
    "escapes": ({**ANCHOR, "\x1b[31mred": 1}, r"\x1b[31mred"),
}


@pytest.mark.parametrize(("content", "message"), ANCHORS.values(), ids=ANCHORS)
def test_anchors(call: Call, here: Path, content: bytes | dict[str, object], message: str) -> None:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (here / "anchor.json").write_bytes(raw)
    check(supervise(call, "--per-run-sqlite"), message)
    assert not (here / ".autonomous_runs").exists()


def test_an_absent_anchor(call: Call) -> None:
    check(supervise(call, "--anchor-path", "absent.json"), "the anchor absent.json cannot be read: No such file")


def test_an_empty_repository(call: Call, here: Path) -> None:
    run_git(["init", "-q", "empty"], cwd=here)
    said = supervise(call, "--source-repo", "empty", "--per-run-sqlite")
    check(said, "commit 'HEAD'. Give another --ref, or commit something first")


@pytest.mark.parametrize(
    ("name", "message"),
    [("WORKERS", "'many' is not a valid integer"), ("TIMEOUT", "is not a duration"), ("MAX_RETRIES", "valid integer")],
)
def test_variables(call: Call, monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    monkeypatch.setenv(f"AUTOPACK_SUPERVISE_{name}", "many")
    check(supervise(call), message)
