from __future__ import annotations

from pathlib import Path

from devcluster.layout import SOCKET_PATH_LIMIT
from tests.devcluster.builders import layout_in


def test_a_deep_checkout_gets_sockets_that_the_kernel_takes() -> None:
    deep = layout_in(Path("/home/me") / ("x" * 90))
    assert len(str(deep.containerd_socket)) + len(".ttrpc") <= SOCKET_PATH_LIMIT


def test_two_deep_checkouts_do_not_share_sockets() -> None:
    one, other = (layout_in(Path("/home/me") / (letter * 90)) for letter in "xy")
    assert one.containerd_socket != other.containerd_socket


def test_work_trees_that_share_the_directory_share_the_cluster(tmp_path: Path) -> None:
    main, linked = layout_in(tmp_path / "main"), layout_in(tmp_path / "linked")
    main.dev.mkdir(parents=True)
    linked.checkout.mkdir(parents=True)
    (linked.checkout / ".dev").symlink_to(main.dev)
    assert (linked.state, linked.lock, linked.run) == (main.state, main.lock, main.run)
