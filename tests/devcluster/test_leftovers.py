from __future__ import annotations

from pathlib import Path

from devcluster.embedded.leftovers import mount_points


def mountinfo(*points: str) -> str:
    return "".join(f"36 35 98:0 /root {point} rw,noatime shared:1 - ext4 /dev/root rw\n" for point in points)


def test_the_innermost_is_unmounted_first() -> None:
    points = ["/w/state/kubelet", "/w/state/kubelet/pods/1/volumes/x"]
    assert mount_points(mountinfo(*points), [Path("/w/state")]) == points[::-1]


def test_what_only_begins_alike_is_left_alone() -> None:
    assert mount_points(mountinfo("/w/state2/x", "/w/other"), [Path("/w/state")]) == []


def test_what_is_mounted_twice_at_one_place_is_listed_twice() -> None:
    assert mount_points(mountinfo("/w/state", "/w/state"), [Path("/w/state")]) == ["/w/state"] * 2


def test_escaped_spaces_are_read() -> None:
    assert mount_points(mountinfo(r"/w/my\040state/x"), [Path("/w/my state")]) == ["/w/my state/x"]
