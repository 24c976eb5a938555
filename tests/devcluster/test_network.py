from __future__ import annotations

import json

from devcluster.embedded.addresses import INTERFACE
from devcluster.embedded.network import overlapping


def test_routes_of_our_own_do_not_count() -> None:
    assert overlapping(json.dumps([{"dst": "198.18.1.0/24", "dev": INTERFACE}])) == []


def test_a_real_network_in_the_range_is_named() -> None:
    assert overlapping(json.dumps([{"dst": "198.18.0.0/24", "dev": "eth1"}])) == ["eth1"]


def test_no_routes_at_all() -> None:
    assert overlapping("") == []
