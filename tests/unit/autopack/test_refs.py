"""Refs and branches that must never reach git, and those that must."""

import pytest

from autopack.errors import InvalidInput
from autopack.git.refs import check_branch, check_ref


@pytest.mark.parametrize("text", ["main", "HEAD", "refs/heads/x", "v1.0", "feature/a+b", "a" * 40, "é"])
def test_a_plain_ref_is_accepted(text: str) -> None:
    assert check_ref(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-x",
        "--upload-pack=x",
        "a..b",
        "a~1",
        "HEAD^",
        "a:b",
        "a b",
        "a\nb",
        "a\0",
        "@",
        "a@{1}",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a.",
        "a[",
        "a*",
        "a?",
        "a\\b",
        "user\u202egnp",
        "x" * 251,
        "x/" * 300,
    ],
)
def test_a_ref_git_could_misread_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_ref(text)
    assert caught.value.field == "ref"
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["HEAD", "refs/heads/x", "a" * 40, "-b"])
def test_a_branch_cannot_be_called_so(text: str) -> None:
    with pytest.raises(InvalidInput, match="branch"):
        check_branch(text)
