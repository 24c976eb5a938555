"""What the API server accepts as an address or a ref: never more than the volume service lets git see."""

from __future__ import annotations

import re

import pytest

from autopack.git.refs import check_ref
from autopack.git.urls import check_repo_url
from autopack_operator.domain.api.git_names import ADDRESS, REF


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/owner/repo.git",
        "https://dev.azure.com/org/My%20Project/_git/repo",
        "https://host.example:8443/~user/r+d.git",
        "https://[2001:db8::1]:8443/x",
        "ssh://git@host.example:2222/owner/repo",
        "ssh://host/x",
        "git@github.com:owner/repo.git",
        "git@ssh.dev.azure.com:v3/org/My%20Project/repo",
        "org-1234@host:~user/repo",
    ],
)
def test_an_address_in_one_of_the_three_forms_is_accepted(address: str) -> None:
    assert re.search(ADDRESS, address)
    assert check_repo_url(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "https://user:word@host/x",
        "https://token@host/x",
        "ssh://git:word@host/x",
        "git:word@host:x",
        "file:///etc",
        "/srv/repo.git",
        "http://host/x",
        "ext::sh -c id",
        "--upload-pack=x",
        "git@host",
        "git@host:",
        "git@host:-x",
        "git@-oProxyCommand=id:x",
        "https://host",
        "https://host/",
        "https://host/-x",
        "https://-host/x",
        "https://host/a b",
        "https://host/%0a",
        "https://host/%00",
        "https://host/%7f",
        "https://host/%2",
        "https://host/x?token=t",
        "https://host/x#f",
    ],
)
def test_an_address_in_another_form_is_refused(address: str) -> None:
    assert not re.search(ADDRESS, address)


@pytest.mark.parametrize("ref", ["main", "feature/#123-login", "#123", "v1.0+rc", "user@host/x", "0" * 40])
def test_a_name_of_a_ref_is_accepted(ref: str) -> None:
    assert re.search(REF, ref)
    assert check_ref(ref) == ref


@pytest.mark.parametrize("ref", ["", "-x", "a b", "a\nb", "$(id)", "a;b", "a~3", "a^", "a:b", "a*", "a\u202eb"])
def test_what_is_no_name_of_a_ref_is_refused(ref: str) -> None:
    assert not re.search(REF, ref)
