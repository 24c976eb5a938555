"""The image's list of components: valid, complete, and the same for the same contents."""

from __future__ import annotations

import json

import pytest

from autopack_runtime import sbom


def test_every_python_package_is_listed_with_its_package_url() -> None:
    found = {str(item["name"]): str(item["purl"]) for item in sbom.python_packages()}
    assert found["aiohttp"].startswith("pkg:pypi/aiohttp@")
    assert "kopf" in found


def test_the_document_is_in_order_and_names_each_component_once() -> None:
    pair = [sbom.component("pypi", "b", "1"), sbom.component("pypi", "a", "2"), sbom.component("pypi", "b", "1")]
    made = sbom.document(pair)
    assert made["components"] == [pair[1], pair[0]]
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")


def test_a_version_with_a_plus_or_colon_gives_a_valid_package_url() -> None:
    assert sbom.component("deb/debian", "git", "1:2.39+x")["purl"] == "pkg:deb/debian/git@1%3A2.39%2Bx"


def test_it_is_written_as_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert sbom.main() == 0
    assert json.loads(capsys.readouterr().out)["components"]
