"""Whose token is taken for a pull request: that of the host's own tool, for its own server alone."""

from __future__ import annotations

import pytest

from autopack.errors import InvalidInput
from autopack_cli.local.delivery.tokens import Access, access_for

EVERY = {
    "GH_TOKEN": "gh",
    "GH_HOST": "git.acme.example",
    "GH_ENTERPRISE_TOKEN": "ghe",
    "GITLAB_TOKEN": "gl",
    "GITEA_SERVER_URL": "https://tea.acme.example:3000/git/",
    "GITEA_SERVER_TOKEN": "tea",
}


@pytest.mark.parametrize(
    ("target", "access"),
    [
        ("https://github.com/acme/app.git", Access("GitHub", "gh")),
        ("git@github.com:acme/app.git", Access("GitHub", "gh")),
        ("ssh://git@GitHub.com:22/acme/app", Access("GitHub", "gh")),
        ("https://user:secret@github.com/acme/app", Access("GitHub", "gh")),
        ("https://git.acme.example/acme/app", Access("GitHub", "ghe")),
        ("https://gitlab.com/acme/app", Access("GitLab", "gl")),
        (
            "ssh://git@tea.acme.example:2222/acme/app",
            Access("Gitea", "tea", "https://tea.acme.example:3000/git/api/v1"),
        ),
    ],
)
def test_every_host_gets_its_own(target: str, access: Access) -> None:
    assert access_for(target, EVERY) == access


def test_gitlab_of_ones_own() -> None:
    environ = EVERY | {"GITLAB_HOST": "https://lab.acme.example"}
    assert access_for("git@lab.acme.example:a/b/c.git", environ).api == "https://lab.acme.example/api/v4"
    named = EVERY | {"GITLAB_HOST": "lab.acme.example:8443"}
    assert access_for("https://lab.acme.example:8443/a/b", named) == Access("GitLab", "gl")


@pytest.mark.parametrize(
    "target",
    [
        "https://github.com.evil.example/acme/app",
        "https://github.com@evil.example/acme/app",
        "https://github.com:8443/acme/app",
        "https://gitlab.com:99999/acme/app",
        "git@evil.example:github.com/acme/app",
        "/srv/git/app.git",
        "",
    ],
)
def test_nobody_else_gets_one(target: str) -> None:
    with pytest.raises(InvalidInput, match=r"--pull-request.*Set GH_TOKEN"):
        access_for(target, EVERY)


def test_a_host_without_its_token() -> None:
    with pytest.raises(InvalidInput, match=r"no token in the environment is for 'github\.com'"):
        access_for("https://github.com/acme/app", EVERY | {"GH_TOKEN": ""})
    assert access_for("https://github.com/acme/app", {"GITHUB_TOKEN": "actions"}).token == "actions"
