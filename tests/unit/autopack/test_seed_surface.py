"""The seed's names, where it had them, with its parameters: programs written for it keep working."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from autopack.intention_anchor import IntentionAnchorV2

# module, name, and what the seed's callers may pass, in order; a star begins what goes by name only.
SURFACE = [
    ("workspace_manager", "WorkspaceManager", "run_id source_repo worktree_base cleanup_on_exit"),
    ("workspace_manager", "WorkspaceManager.create_worktree", "self branch"),
    ("workspace_manager", "WorkspaceManager.remove_worktree", "self force"),
    ("workspace_manager", "WorkspaceManager.list_worktrees", "repo"),
    ("workspace_manager", "WorkspaceManager.cleanup_all_worktrees", "repo worktree_base"),
    ("workspace_lease", "WorkspaceLease", "workspace_path lease_dir timeout"),
    ("executor_lock", "ExecutorLockManager", "run_id lock_dir timeout"),
    ("test_baseline_tracker", "TestBaselineTracker", "workspace run_id"),
    ("test_baseline_tracker", "TestBaselineTracker.capture_baseline", "self run_id commit_sha timeout"),
    ("test_baseline_tracker", "TestBaselineTracker.diff", "self baseline current_report_path"),
    ("test_baseline_tracker", "TestBaselineTracker.retry_newly_failing", "self newly_failing workspace timeout"),
    ("test_baseline_tracker", "TestBaselineTracker.compute_full_delta", "self baseline current_report_path workspace"),
    (
        "test_baseline_tracker",
        "TestBaseline",
        (
            "run_id commit_sha timestamp total_tests passing_tests failing_tests error_tests skipped_tests"
            " failing_test_ids error_signatures"
        ),
    ),
    (
        "test_baseline_tracker",
        "TestDelta",
        (
            "newly_failing newly_failing_persistent newly_passing new_collection_errors"
            " new_collection_errors_persistent flaky_suspects regression_severity"
        ),
    ),
    ("file_layout", "RunFileLayout", "run_id project_id base_dir"),
    ("rollback_manager", "RollbackManager", "workspace run_id phase_id max_savepoints_per_run"),
    ("rollback_manager", "RollbackManager.rollback_to_savepoint", "self reason safe_clean"),
    ("autonomy.parallelism_gate", "ParallelismPolicyGate", "anchor"),
    ("autonomy.parallelism_gate", "ParallelismPolicyGate.check_parallel_allowed", "self requested_runs"),
    ("autonomy.parallelism_gate", "check_parallelism_policy", "anchor requested_runs"),
    ("autonomy.parallelism_gate", "load_and_check_parallelism_policy", "anchor_path requested_runs"),
    ("supervisor", "ParallelRunSupervisor", "source_repo database_url autonomous_runs_dir per_run_sqlite"),
    ("supervisor.parallel_run_supervisor", "ParallelRunSupervisor.execute_run", "self run_id extra_args"),
    ("supervisor", "ParallelRunSupervisor.execute_parallel", "self run_ids max_workers extra_args"),
    ("supervisor.api", "check_parallelism_allowed", "anchor_path requested_workers"),
    ("supervisor.api", "list_worktrees", "source_repo"),
    ("supervisor.api", "cleanup_worktrees", "source_repo worktree_base"),
    (
        "supervisor.api",
        "run_parallel_supervised",
        "* run_ids anchor_path source_repo database_url autonomous_runs_dir per_run_sqlite max_workers extra_args",
    ),
    ("supervisor.models", "RunResult", "run_id success exit_code workspace stdout stderr error"),
]
DEFAULTS: dict[str, dict[str, object]] = {
    "WorkspaceManager": {"cleanup_on_exit": True},
    "WorkspaceManager.remove_worktree": {"force": False},
    "WorkspaceLease": {"timeout": 5},
    "ExecutorLockManager": {"timeout": 5},
    "TestBaselineTracker.capture_baseline": {"timeout": 120},
    "TestBaselineTracker.retry_newly_failing": {"timeout": 60},
    "ParallelismPolicyGate.check_parallel_allowed": {"requested_runs": 2},
    "ParallelRunSupervisor": {"autonomous_runs_dir": None, "per_run_sqlite": False},
    "ParallelRunSupervisor.execute_parallel": {"max_workers": 3, "extra_args": None},
    "run_parallel_supervised": {"per_run_sqlite": False, "max_workers": 3},
}
OTHER_NAMES = [
    ("workspace_lease", "WorkspaceLease", "acquire release is_locked force_unlock __enter__ __exit__"),
    ("executor_lock", "ExecutorLockManager", "acquire release is_locked force_unlock __enter__ __exit__"),
    ("rollback_manager", "RollbackManager", "create_savepoint cleanup_savepoint cleanup_old_savepoints"),
    ("autonomy.parallelism_gate", "ParallelismPolicyGate", "get_max_concurrent_runs is_parallel_allowed"),
    ("test_baseline_tracker", "TestBaseline", "to_json from_json"),
    ("test_baseline_tracker", "TestDelta", "calculate_severity"),
    ("intention_anchor.v2", "IntentionAnchorV2", "to_json_dict from_json_dict save_to_file load_from_file"),
    (
        "supervisor.models",
        "SupervisorResult",
        "total_runs successful_runs failed_runs all_successful get_failed_run_ids get_successful_run_ids",
    ),
]


def found(module: str, path: str) -> Any:
    thing: Any = importlib.import_module(f"autopack.{module}")
    for name in path.split("."):
        thing = getattr(thing, name)
    return thing


@pytest.mark.parametrize(("module", "name", "wanted"), SURFACE, ids=[f"{row[0]}.{row[1]}" for row in SURFACE])
def test_the_seeds_parameters_come_first_and_in_its_order(module: str, name: str, wanted: str) -> None:
    parameters = list(inspect.signature(found(module, name)).parameters.values())
    names = wanted.split()
    if names[0] == "*":
        names = names[1:]
        assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
    assert [parameter.name for parameter in parameters][: len(names)] == names
    # What is new must not be needed by callers that do not know it.
    assert all(parameter.default is not parameter.empty for parameter in parameters[len(names) :])
    defaults = {parameter.name: parameter.default for parameter in parameters}
    for parameter_name, default in DEFAULTS.get(name, {}).items():
        assert defaults[parameter_name] == default


@pytest.mark.parametrize(("module", "name", "members"), OTHER_NAMES, ids=[row[1] for row in OTHER_NAMES])
def test_the_seeds_members_are_there(module: str, name: str, members: str) -> None:
    assert [member for member in members.split() if not hasattr(found(module, name), member)] == []


def test_the_seeds_violation_is_an_exception_of_its_name() -> None:
    assert issubclass(found("autonomy.parallelism_gate", "ParallelismPolicyViolation"), Exception)
    assert issubclass(found("supervisor", "SupervisorError"), Exception)


def test_an_anchor_goes_to_a_file_and_comes_back(tmp_path: Path) -> None:
    anchor = IntentionAnchorV2.from_json_dict(
        {
            "format_version": "v2",
            "project_id": "p",
            "created_at": "2026-01-06T00:00:00Z",
            "raw_input_digest": "abc",
            "pivot_intentions": {"parallelism_isolation": {"allowed": True, "max_concurrent_runs": 3}},
        }
    )
    anchor.save_to_file(tmp_path / "deep/anchor.json")
    assert IntentionAnchorV2.load_from_file(tmp_path / "deep/anchor.json") == anchor
    assert json.loads((tmp_path / "deep/anchor.json").read_bytes())["project_id"] == "p"


def test_a_missing_anchor_file_is_a_missing_file_as_in_the_seed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="cannot be read"):
        found("supervisor.api", "check_parallelism_allowed")(tmp_path / "absent.json", 2)
