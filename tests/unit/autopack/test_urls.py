"""Addresses that must never reach git, and those that must; credentials that nobody gets to see."""

import pytest

from autopack.errors import InvalidInput
from autopack.git.urls import check_repo_url
from autopack.redaction import redact_url


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/owner/repo.git",
        "ssh://git@host.example:2222/owner/repo",
        "git@github.com:owner/repo.git",
        "https://git.team.svc:8443/x",
        "https://[2001:db8::1]/x",
        "https://10.0.0.7/x.git",
    ],
)
def test_an_address_on_the_network_is_accepted(url: str) -> None:
    assert check_repo_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "--upload-pack=x",
        "ext::sh -c id",
        "ext::sh",
        "fd::3",
        "file:///etc",
        "/srv/repo.git",
        "../repo",
        "http://host/x",
        "git://host/x",
        "https://user:secret@host/x",
        "https://secret@host/x",
        "https://user:se/cret@host/x",
        "ssh://git:secret@host/x",
        "https://host/x?token=secret",
        "https://host",
        "https:///x",
        "https://host:99999/x",
        "https://-oProxyCommand=id/x",
        "ssh://-oProxyCommand=id/x",
        "ssh://-x@host/x",
        "-oProxyCommand=id@host:x",
        "git@host:-x",
        "https://host/%0ax",
        "https://host/a b",
        "https://host/a\nb",
        "https://169.254.169.254/latest",
        "https://[fe80::1]/x",
        "https://[::ffff:169.254.169.254]/x",
        "https://2852039166/x",
        "https://0xa9fea9fe/x",
        "https://metadata.google.internal/x",
        "https://metadata.google.internal./x",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://[::1]/x",
        "https://0.0.0.0/x",
        "git@169.254.169.254:x",
        "https://" + "h" * 3000 + "/x",
        "https://host/mine/../theirs/x",
        "https://host/mine/%2e%2E/theirs/x",
        "https://host/./x",
        "git@host:mine/../theirs/x",
        "git@host:../x",
        "https://host/mine/%2e%2e%2ftheirs/x",
    ],
)
def test_an_address_that_leads_elsewhere_is_refused_and_shows_no_secret(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_repo_url(url)
    assert caught.value.field == "url"
    assert "secret" not in str(caught.value)
    assert "cret@" not in str(caught.value)


def test_other_schemes_are_the_callers_choice() -> None:
    assert check_repo_url("file:///srv/repo.git", ("file",))
    assert check_repo_url("http://127.0.0.1:8080/r", ("http",), allow_loopback=True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fatal: https://u:p@host/x: no", "fatal: https://***@host/x: no"),
        ("https://u:p@ss@host/x", "https://***@host/x"),
        ("https://u:p/ss@host/x", "https://***@host/x"),
        ("https://host/x?token=t", "https://host/x?***"),
        ("https://host/x", "https://host/x"),
    ],
)
def test_redact_url(text: str, shown: str) -> None:
    assert redact_url(text) == shown
