from __future__ import annotations

from devcluster.kind import storage_classes, storage_config


def test_every_class_has_a_place_for_its_volumes() -> None:
    assert {one["metadata"]["name"] for one in storage_classes()} == set(storage_config()["storageClassConfigs"])


def test_only_the_shared_class_may_be_mounted_by_many() -> None:
    shared = {
        name for name, config in storage_config()["storageClassConfigs"].items() if "sharedFileSystemPath" in config
    }
    assert shared == {"autopack-rwx"}


def test_the_shared_class_is_the_only_default() -> None:
    annotation = "storageclass.kubernetes.io/is-default-class"
    defaults = [
        one["metadata"]["name"] for one in storage_classes() if one["metadata"]["annotations"][annotation] == "true"
    ]
    assert defaults == ["autopack-rwx"]
