"""The operator's rights, each with what it is for in tests/e2e/test_rights.py."""

from __future__ import annotations

READ = {"get", "list", "watch"}
OPERATOR = {
    ("autopack.dev", "autopackruns"): READ | {"create", "delete"},
    ("autopack.dev", "autopackruns/status"): {"update"},
    ("autopack.dev", "runbatches"): READ | {"delete"},
    ("autopack.dev", "runbatches/status"): {"update"},
    ("autopack.dev", "runprofiles"): READ,
    ("", "pods"): READ | {"create", "delete"},
    ("coordination.k8s.io", "leases"): {"get", "list", "create", "update", "deletecollection"},
    ("", "configmaps"): {"get"},
    ("events.k8s.io", "events"): {"create"},
}
"""Verbs by API group and resource."""
