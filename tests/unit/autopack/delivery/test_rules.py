"""What may be delivered, and what is done with a branch: pure decisions."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from autopack.delivery.added_lines import MARK, added_lines
from autopack.delivery.branch_state import Push, Relation, next_step
from autopack.delivery.globs import matches
from autopack.delivery.policy import Changes, Policy, check_branch_allowed, check_changes, check_not_base
from autopack.delivery.push_answers import Moved, Passing, rejection
from autopack.delivery.refusal import Conflict, Refused
from autopack.delivery.remote import Seen, seen_in
from autopack.delivery.secrets import find_secret
from autopack.git.runner import GitResult

OURS, BEFORE, THEIRS = "a" * 40, "b" * 40, "c" * 40
RANDOM = "q7Zr2LmX9wKp4TvB8nYc3HsD6fGjQ1aE5uWo"


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("agents/x", "agents/**", True),
        ("agents/x/y", "agents/**", True),
        ("agents/x/y", "agents/*", False),
        ("main", "agents/**", False),
        ("xagents/x", "agents/**", False),
        (".github/workflows/ci.yml", ".github/**", True),
        ("a/b/LICENSE", "**/LICENSE", True),
        ("LICENSE", "**/LICENSE", True),
        ("a.b", "a?b", True),
        ("a/b", "a?b", False),
        ("aXb", "a.b", False),
        ("a\nb", "a*b", True),
    ],
)
def test_patterns(name: str, pattern: str, fits: bool) -> None:
    assert matches(name, [pattern]) is fits


def test_policy() -> None:
    policy = Policy(("agents/**",), (".github/**",), max_changed_files=2, max_bytes=10)
    check_branch_allowed("agents/x", policy)
    check_changes(Changes(("a", "b"), 10), policy)
    check_not_base("agents/x", {"main", ""})
    checks: dict[str, Callable[[], None]] = {
        "BranchNotAllowed": lambda: check_branch_allowed("main", policy),
        "BaseBranch": lambda: check_not_base("main", {"main"}),
        "ProtectedPath": lambda: check_changes(Changes(("a", ".github/x"), 1), policy),
        "TooManyFiles": lambda: check_changes(Changes(("a", "b", "c"), 1), policy),
        "TooManyBytes": lambda: check_changes(Changes(("a",), 11), policy),
    }
    for reason, check in checks.items():
        with pytest.raises(Refused) as caught:
            check()
        assert caught.value.reason == reason
        assert caught.value.fix


def test_paths_are_named_and_cannot_play_with_a_terminal() -> None:
    with pytest.raises(Refused, match=r"'ci/\\x1b\[2J0'.* and 3 more") as caught:
        check_changes(
            Changes(tuple(f"ci/\x1b[2J{number}" for number in range(8)), 1), Policy(protected_paths=("ci/*",))
        )
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("seen", "expected", "relation", "step"),
    [
        ("", "", Relation.OTHER, Push("")),
        (OURS, "", Relation.OWN, None),
        (OURS, BEFORE, Relation.OWN, None),
        (BEFORE, BEFORE, Relation.OTHER, Push(BEFORE)),
        (THEIRS, "", Relation.OWN, Push(THEIRS)),
    ],
)
def test_what_is_done_with_a_branch(seen: str, expected: str, relation: Relation, step: Push | None) -> None:
    assert next_step("agents/x", seen, OURS, expected, relation) == step


@pytest.mark.parametrize(("seen", "expected"), [(THEIRS, ""), (THEIRS, BEFORE), ("", BEFORE)])
def test_a_branch_that_is_not_ours_stays(seen: str, expected: str) -> None:
    with pytest.raises(Conflict, match="agents/x"):
        next_step("agents/x", seen, OURS, expected, Relation.OTHER)


def test_what_a_server_lists() -> None:
    listed = f"ref: refs/heads/main\tHEAD\n{BEFORE}\tHEAD\n{THEIRS}\trefs/x/refs/heads/a\n{OURS}\trefs/heads/a\n"
    assert seen_in(listed, "refs/heads/a") == Seen(OURS, "main")
    assert seen_in(f"{BEFORE}\tHEAD\n", "refs/heads/a") == Seen("", "")


def refused_push(why: str, said: str = "") -> object:
    stdout = f"To x\n!\t{OURS}:refs/heads/a\t{why}\nDone\n" if why else ""
    return rejection(GitResult(1, stdout.encode(), said.encode()))


@pytest.mark.parametrize(
    ("why", "said", "reason", "words"),
    [
        (
            "[remote rejected] (pre-receive hook declined)",
            "remote: No cookies \x1b[2Jtoday\nerror: x",
            "HookDeclined",
            "cookies",
        ),
        ("[remote rejected] (hook declined)", "", "HookDeclined", "hook declined"),
        (
            "[remote rejected] (protected branch hook declined)",
            "remote: error: GH006: Protected",
            "ProtectedBranch",
            "GH006",
        ),
        (
            "[remote rejected] (pre-receive hook declined)",
            "remote: GitLab: You are not allowed to push code to protected branches on this project.",
            "ProtectedBranch",
            "not allowed",
        ),
        ("[remote rejected] (deny updating a hidden ref)", "", "PushRefused", "hidden"),
        ("[remote rejected] (permission denied)", "", "PushNotPermitted", "permission denied"),
        (
            "",
            "remote: Permission to a/b.git denied to bot.\nfatal: … returned error: 403",
            "PushNotPermitted",
            "denied to bot",
        ),
        (
            "",
            "ERROR: The key you are authenticating with has been marked as read only.",
            "PushNotPermitted",
            "read only",
        ),
    ],
)
def test_a_server_that_says_no(why: str, said: str, reason: str, words: str) -> None:
    found = refused_push(why, said)
    assert isinstance(found, Refused)
    assert (found.reason, words in found.message, "\x1b" in found.message) == (reason, True, False)


@pytest.mark.parametrize("why", ["[rejected] (stale info)", "[remote rejected] (reference already exists)"])
def test_a_branch_that_moved_meanwhile(why: str) -> None:
    assert isinstance(refused_push(why), Moved)


def test_what_passes_and_what_says_nothing() -> None:
    assert isinstance(refused_push("[remote rejected] (Internal Server Error)"), Passing)
    assert isinstance(refused_push("[remote rejected] (unpacker error)"), Passing)
    assert refused_push("", "fatal: unable to access: Connection refused") is None


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("-----BEGIN OPENSSH " + "PRIVATE KEY-----", "private-key"),
        ("key = AKIA" + "IOSFODNN7EXAMPL2", "aws-access-key"),
        ("x ghp_" + RANDOM, "github-token"),
        ("github_pat_" + RANDOM[:22] + "_" + RANDOM + RANDOM[:23], "github-token"),
        ("glpat-" + RANDOM[:20], "gitlab-token"),
        ("xoxb-" + "1234567890-" + RANDOM, "slack-token"),
        ("sk-ant-api03-" + RANDOM, "anthropic-key"),
        ("sk-proj-" + RANDOM + RANDOM, "openai-key"),
        ("AIza" + RANDOM[:35], "google-api-key"),
        ("npm_" + RANDOM, "npm-token"),
        ("hf_" + RANDOM[:34], "huggingface-token"),
        ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + RANDOM, "jwt"),
        ("url: postgres://app:" + RANDOM[:12] + "@db/app", "password-in-address"),
        (f'api_key: "{RANDOM}"', "assigned-secret"),
        (f"CLIENT_SECRET='{RANDOM}'", "assigned-secret"),
        (f'"dbPassword": "{RANDOM[:20]}"', "assigned-secret"),
    ],
)
def test_what_looks_like_a_credential(line: str, rule: str) -> None:
    assert find_secret(line.encode()) == rule


@pytest.mark.parametrize(
    "line",
    [
        'password = "${DATABASE_PASSWORD_FROM_ENV_1}"',
        'token = "your_token_goes_here_123456"',
        "password: str = field(default_factory=lambda: read('x'))",
        '"integrity": "sha512-' + RANDOM + RANDOM + '=="',
        "secret_name: /run/secrets/database-1/password",
        "the tokenizer reads 'words-and-sentences-of-prose'",
        "https://user:password@example.com/",
        "https://example.com:8080/path@2",
        "commit " + "0123456789abcdef0123456789abcdef01234567",
        "glossary gl- risk-averse npm_config_registry",
    ],
)
def test_what_does_not(line: str) -> None:
    assert find_secret(line.encode()) is None


def test_added_lines_are_counted_as_hunks_say() -> None:
    patch = MARK + OURS.encode() + b"\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-old\n+one\n++++ b/fake\n"
    patch += b"\\ No newline at end of file\n@@ -8,0 +10 @@ text\n+ten\n--- a/y z\n+++ b/y z\t\n@@ -0,0 +1 @@\n+why\n"
    found = [(line.commit, line.path, line.number, line.text) for line in added_lines(io.BytesIO(patch).readline)]
    assert found == [
        (OURS, "x", 1, b"one"),
        (OURS, "x", 2, b"+++ b/fake"),
        (OURS, "x", 10, b"ten"),
        (OURS, "y z", 1, b"why"),
    ]


def test_a_long_line_is_seen_across_its_pieces() -> None:
    text = b"x" * ((1 << 16) - 10) + b" ghp_" + RANDOM.encode() + b" " + b"y" * (1 << 17)
    patch = MARK + OURS.encode() + b"\n+++ b/x\n@@ -0,0 +1,2 @@\n+" + text + b"\n+end\n"
    lines = list(added_lines(io.BytesIO(patch).readline))
    assert [find_secret(line.text) for line in lines].count("github-token") == 1
    assert (lines[-1].number, lines[-1].text) == (2, b"end")


def test_half_a_patch_is_none() -> None:
    with pytest.raises(ValueError, match="within a hunk"):
        list(added_lines(io.BytesIO(b"+++ b/x\n@@ -0,0 +1,2 @@\n+one\n").readline))
