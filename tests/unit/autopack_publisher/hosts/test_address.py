from __future__ import annotations

import pytest

from autopack.errors import InvalidInput
from autopack_publisher.service.hosts.address import HostKind, Place, place_of

GITHUB, GITLAB, GITEA = HostKind.GITHUB, HostKind.GITLAB, HostKind.GITEA


@pytest.mark.parametrize(
    ("kind", "target", "api", "place"),
    [
        (GITHUB, "https://github.com/acme/app.git", "", Place("https://api.github.com", "acme/app")),
        (GITHUB, "git@github.com:acme/app.git", "", Place("https://api.github.com", "acme/app")),
        (GITHUB, "https://ghe.example/acme/app", "", Place("https://ghe.example/api/v3", "acme/app")),
        (GITLAB, "https://gl.example:8443/a/b/c.git", "", Place("https://gl.example:8443/api/v4", "a/b/c")),
        (
            GITLAB,
            "https://x.example/gl/a/b",
            "https://x.example/gl/api/v4",
            Place("https://x.example/gl/api/v4", "a/b"),
        ),
        (GITEA, "ssh://git@gt.example:2222/acme/app.git", "", Place("https://gt.example/api/v1", "acme/app")),
        (GITEA, "ssh://git@[fd00::1]:22/a/b", "", Place("https://[fd00::1]/api/v1", "a/b")),
        (GITEA, "https://gt.example/a/b/", "https://api.example/", Place("https://api.example", "a/b")),
    ],
)
def test_a_repository_has_its_place_at_a_host(kind: HostKind, target: str, api: str, place: Place) -> None:
    assert place_of(kind, target, api) == place


@pytest.mark.parametrize(
    ("kind", "target", "api", "field"),
    [
        (GITHUB, "https://github.com/acme", "", "target"),
        (GITHUB, "https://github.com/acme/app/more", "", "target"),
        (GITLAB, "https://gl.example/app", "", "target"),
        (GITEA, "https://gt.example/../app", "", "target"),
        (GITEA, "https://gt.example/acme%2f..%2fother/app", "", "target"),
        (GITEA, "/srv/git/acme/app.git", "", "target"),
        (GITEA, "https://gt.example/acme/app", "http://gt.example/api/v1", "host.api"),
        (GITEA, "https://gt.example/acme/app", "https://user@gt.example/api/v1", "host.api"),
    ],
)
def test_what_cannot_be_one_is_refused_by_name(kind: HostKind, target: str, api: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        place_of(kind, target, api)
    assert caught.value.field == field
