from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from devcluster.images.buildah import volumes
from devcluster.images.host_settings import BUNDLE_IN_IMAGE, HostSettings, apt_conf, npmrc, pip_conf

DIRECT = HostSettings(bundle=None, proxies={}, pip_conf="", apt_conf="", npmrc="")


def test_a_mirror_of_pip_is_handed_on() -> None:
    assert pip_conf("global.index-url='https://mirror.invalid/simple'\n") == (
        "[global]\nindex-url = https://mirror.invalid/simple\n"
    )


def test_a_variable_wins_over_the_file_as_in_pip() -> None:
    listing = "global.timeout='1'\n:env:.timeout='2'\n"
    assert pip_conf(listing) == "[global]\ntimeout = 2\n"


def test_options_of_pip_that_name_files_of_this_machine_are_left_out() -> None:
    assert pip_conf(":env:.find-links='/opt/wheels'\nglobal.cert='/etc/x.pem'\n") == ""


def test_a_proxy_of_apt_is_handed_on_and_nothing_else() -> None:
    dump = 'APT "";\nAcquire::http::Proxy "http://proxy.invalid:3128";\nAcquire::https "";\nDir::Cache "var/cache";\n'
    assert apt_conf(dump) == 'Acquire::http::Proxy "http://proxy.invalid:3128";\n'


def test_a_registry_of_npm_is_handed_on_and_what_authorities_to_trust() -> None:
    listing = '{"registry": "https://mirror.invalid/", "proxy": null, "cafile": "/etc/x.pem", "fund": false}'
    assert npmrc(listing, has_bundle=False) == "registry=https://mirror.invalid/\n"
    assert npmrc(listing, has_bundle=True) == f"registry=https://mirror.invalid/\ncafile={BUNDLE_IN_IMAGE}\n"
    assert npmrc("", has_bundle=False) == ""


def test_a_machine_with_direct_access_mounts_nothing(tmp_path: Path) -> None:
    assert volumes(DIRECT, tmp_path) == {}


def test_the_authorities_the_machine_trusts_are_mounted(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    settings = replace(DIRECT, bundle=bundle)
    assert volumes(settings, tmp_path) == {bundle: BUNDLE_IN_IMAGE}


def test_settings_of_pip_are_mounted_as_a_file(tmp_path: Path) -> None:
    settings = replace(DIRECT, pip_conf="[global]\n")
    ((source, target),) = volumes(settings, tmp_path).items()
    assert (source.read_text(), target) == ("[global]\n", "/etc/pip.conf")
