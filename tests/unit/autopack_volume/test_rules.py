"""The volume service's pure decisions."""

from __future__ import annotations

import pytest

from autopack.errors import AutopackError, InvalidInput
from autopack.git.bundles import branches_of, snapshot_of
from autopack.git.runner import GitError
from autopack_runtime.run_refs import name_in_bundle
from autopack_volume.contract.messages import Committed, Failure
from autopack_volume.service.answers import TransientError
from autopack_volume.service.attempts.commits import may_remove_workspace
from autopack_volume.service.attempts.prepare import is_final, needs_fetch_of_its_own
from autopack_volume.service.reading.listing import branch_lines
from autopack_volume.service.settings import Settings
from autopack_volume.service.sources.default_branch import choose
from autopack_volume.service.sources.fetch_errors import classify, is_missing_ref, may_be_damage
from autopack_volume.service.sources.lookup import REMOTE_HEAD, candidates

SHA = "a" * 40


def git_error(stderr: str, reason: str = "GitFailed") -> GitError:
    return GitError(["fetch"], 128, stderr.encode(), reason=reason)


@pytest.mark.parametrize(
    "stderr",
    [
        "fatal: unable to access 'https://h/': Could not resolve host: h",
        "fatal: unable to access 'https://h/': Failed to connect to h port 443: Connection refused",
        "error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503",
        "fatal: unable to access 'https://h/': The requested URL returned error: 429",
        "fatal: early EOF",
        "fatal: unable to access 'https://h/': GnuTLS recv error (-110): not terminated properly",
        "fatal: unable to access 'https://h/': OpenSSL SSL_read: SSL_ERROR_SYSCALL, errno 104",
        "fatal: unable to access 'https://h/': Empty reply from server",
        "fatal: write error: No space left on device",
    ],
)
def test_what_may_pass_is_transient(stderr: str) -> None:
    assert isinstance(classify(git_error(stderr)), TransientError)
    assert not may_be_damage(git_error(stderr))


def test_a_timeout_is_transient() -> None:
    assert classify(git_error("no answer in 5 s", "GitTimeout")).reason == "FetchTimeout"


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("remote: Repository not found.\nfatal: repository 'https://h/x/' not found", "RepositoryNotFound"),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 404", "RepositoryNotFound"),
        ("fatal: repository 'https://h/x/' not found", "RepositoryNotFound"),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", "CredentialMissing"),
        ("fatal: Authentication failed for 'https://h/'", "CredentialMissing"),
        ("fatal: unable to access 'https://h/': SSL certificate problem: self-signed certificate", "HostNotTrusted"),
        (
            "fatal: unable to access 'https://h/': server certificate verification failed",
            "HostNotTrusted",
        ),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "HostNotTrusted"),
    ],
)
def test_what_will_not_pass_is_final(stderr: str, reason: str) -> None:
    error = classify(git_error(stderr))
    assert (error.reason, is_final(error)) == (reason, True)


def test_a_credential_that_is_refused_may_be_renewed() -> None:
    error = classify(git_error("fatal: Authentication failed for 'https://h/'"), "github")
    assert (error.reason, isinstance(error, TransientError), "'github'" in error.fix) == (
        "CredentialRefused",
        True,
        True,
    )


def test_a_hang_up_of_a_missing_repository_is_final() -> None:
    said = "fatal: '/x' does not appear to be a git repository\nfatal: The remote end hung up unexpectedly"
    assert classify(git_error(said)).reason == "RepositoryNotFound"


def test_damage_is_what_nobody_else_can_be_blamed_for() -> None:
    assert may_be_damage(git_error("fatal: bad object refs/heads/main"))
    assert not may_be_damage(git_error("fatal: couldn't find remote ref HEAD"))


def test_a_ref_that_is_missing_there_is_told_apart() -> None:
    assert is_missing_ref(git_error("fatal: couldn't find remote ref HEAD"))
    assert not is_missing_ref(git_error("fatal: unable to access"))


def test_a_transient_error_is_never_final() -> None:
    assert not is_final(TransientError("FetchFailed", "x"))
    assert not is_final(InvalidInput("ref", "x"))


@pytest.mark.parametrize(
    ("ref", "first"),
    [
        ("HEAD", REMOTE_HEAD),
        ("main", "refs/heads/main"),
        (SHA, SHA),
        ("refs/tags/v1", "refs/tags/v1"),
        ("abcdef1", "refs/heads/abcdef1"),
    ],
)
def test_names_are_tried_in_an_order(ref: str, first: str) -> None:
    assert candidates(ref)[0] == first


def test_only_hex_digits_may_stand_for_a_commit() -> None:
    assert "abcdef1" in candidates("abcdef1")
    assert "main" not in candidates("main")


@pytest.mark.parametrize(
    ("ref", "needed"), [(SHA, True), ("refs/pull/1/head", True), ("main", False), ("refs/heads/main", False)]
)
def test_what_no_mirror_holds_needs_a_fetch_of_its_own(ref: str, needed: bool) -> None:
    assert needs_fetch_of_its_own(ref) is needed


@pytest.mark.parametrize(
    ("answer", "began", "may"),
    [
        ({"state": "committed", "complete": True}, True, True),
        ({"state": "committed", "complete": False}, True, False),
        ({"state": "committed", "complete": False}, False, True),
        ({"state": "failed"}, True, False),
        ({"state": "failed"}, False, False),
    ],
)
def test_a_workspace_goes_only_when_nothing_is_lost(answer: Committed | Failure, began: bool, may: bool) -> None:
    assert may_remove_workspace(answer, began=began) is may


@pytest.mark.parametrize(
    ("name", "carried"),
    [
        ("refs/heads/a/b", "refs/heads/a/b"),
        ("refs/tags/v1", "refs/extra/tags/v1"),
        ("refs/autopack/x", "refs/extra/autopack/x"),
        ("refs/heads/\udcff", f"refs/extra/unnamed/{SHA}"),
        ("refs/heads/" + "x" * 600, f"refs/extra/unnamed/{SHA}"),
    ],
)
def test_every_ref_of_a_run_finds_a_name(name: str, carried: str) -> None:
    assert name_in_bundle(name, SHA) == carried


def test_refs_are_told_apart() -> None:
    refs = {"refs/heads/a/b": SHA, "refs/autopack/run": "b" * 40, "refs/extra/tags/v1": SHA}
    assert branches_of(refs) == {"a/b": SHA}
    assert snapshot_of(refs) == "b" * 40


def test_branches_are_listed_for_people() -> None:
    listed = [f"{SHA} refs/runs/u-1/a2/heads/x/y", f"{SHA} refs/runs/u-1/a2/snapshot", f"{SHA} refs/runs/u-1/a2/head"]
    assert list(branch_lines(listed)) == [f"u-1 2 x/y {SHA}\n"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTONOMOUS_RUNS_DIR", ""),
        ("AUTONOMOUS_RUNS_DIR", "relative"),
        ("AUTONOMOUS_RUNS_DIR", "/no/such/folder"),
        ("AUTOPACK_LISTEN", "8080"),
        ("AUTOPACK_LISTEN", "0.0.0.0:x"),
        ("AUTOPACK_LISTEN", "0.0.0.0:70000"),
        ("AUTOPACK_ALLOWED_PROTOCOLS", "https:ext"),
        ("AUTOPACK_ALLOWED_PROTOCOLS", ""),
        ("AUTOPACK_FETCH_TIMEOUT_SECONDS", "soon"),
        ("AUTOPACK_FETCH_TIMEOUT_SECONDS", "nan"),
        ("AUTOPACK_FETCH_TIMEOUT_SECONDS", "0"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Settings.from_environment({"AUTONOMOUS_RUNS_DIR": "/", name: value})
    assert raised.value.field == name


def test_settings_are_read() -> None:
    environ = {"AUTONOMOUS_RUNS_DIR": "/", "AUTOPACK_LISTEN": "[::]:9", "AUTOPACK_ALLOWED_CALLERS": "a, b,"}
    settings = Settings.from_environment(environ)
    assert (settings.host, settings.port, settings.allowed_callers) == ("::", 9, frozenset({"a", "b"}))


def test_repositories_of_this_machine_are_for_tests() -> None:
    assert not Settings.from_environment({"AUTONOMOUS_RUNS_DIR": "/"}).allow_loopback


def test_errors_keep_their_reason() -> None:
    assert isinstance(TransientError("X", "y"), AutopackError)


@pytest.mark.parametrize(
    ("heads", "now", "chosen"),
    [
        ({"main": "1", "b": "1", "a": "1"}, None, "main"),
        ({"main": "1", "b": "1", "a": "1"}, "b", "b"),
        ({"main": "2", "b": "1", "a": "1"}, "main", "a"),
        ({"main": "2"}, "main", None),
    ],
)
def test_the_default_branch_is_one_at_the_commit_of_head(
    heads: dict[str, str], now: str | None, chosen: str | None
) -> None:
    assert choose(heads, "1", now) == chosen
