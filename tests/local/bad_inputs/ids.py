"""Names of runs, numbers, paths."""

from __future__ import annotations

from collections.abc import Callable

from tests.local.workspaces.repos import git

from .table import FAILS, REFUSED, WORKS, Place, Row, path_in


def _ids(text: str) -> tuple[str, ...]:
    return ("--run-ids", text)


def _file(content: str) -> Callable[[Place], None]:
    def write(place: Place) -> None:
        path_in(place, "ids").write_text(content)

    return write


def _workspace_is_a_symlink(place: Place) -> None:
    other = place.scene.runs / "workspaces/other"
    git(place.scene.repo, "worktree", "add", "-q", "--detach", str(other))
    (other / "mine").write_text("mine")
    (other.parent / "a").symlink_to(other)


def _other_is_whole(place: Place) -> None:
    assert (place.scene.runs / "workspaces/other/mine").read_text() == "mine"


def _nothing_was_executed(place: Place) -> None:
    assert not path_in(place, "pwned").exists()


_LONG = "a" * 253

ROWS = [
    Row("name of 254 chars", REFUSED, "has 254 characters, more than 253", _ids("a" * 254)),
    Row("valid 253-char name", WORKS, f"{_LONG}: SUCCESS", _ids(_LONG)),
    Row("timeout 0", REFUSED, "timeout: 0.0 is not a number of seconds", ("--timeout", "0")),
    Row("timeout negative", REFUSED, "'-1' is not a duration", ("--timeout", "-1")),
    Row("timeout 2^63", REFUSED, "is not a duration", ("--timeout", "9223372036854775808")),
    Row("timeout string", REFUSED, "'soon' is not a duration", ("--timeout", "soon")),
    Row("timeout NaN", REFUSED, "'nan' is not a duration", ("--timeout", "nan")),
    Row("workers 0", REFUSED, "workers: 0 is not from 1 to 256", ("--workers", "0")),
    Row("workers 10^6", REFUSED, "workers: 1000000 is not from 1 to 256", ("--workers", "1000000")),
    Row("duplicate run ids", REFUSED, "'a' is given twice", _ids("a,a")),
    Row("ids differing only in case", REFUSED, "'A' differs from 'a' only in case", _ids("a,A")),
    Row(
        "batch of 10,000",
        WORKS,
        "r9999: SUCCESS",
        (*_ids("@ids"), "--slice", "-1:"),
        given=_file("\n".join(f"r{number}" for number in range(10_000))),
    ),
    Row("empty id", REFUSED, "a run id is empty", _ids("a,,b")),
    Row("../x", REFUSED, "'../x' is not a run id", _ids("../x")),
    Row("/etc", REFUSED, "'/etc' is not a run id", _ids("/etc")),
    Row("a/../../b", REFUSED, "is not a run id", _ids("a/../../b")),
    Row(".git/hooks/x", REFUSED, "is not a run id", _ids(".git/hooks/x")),
    Row("NUL", REFUSED, r"'a\x00b' is not a run id", _ids("@ids"), given=_file("a\0b")),
    Row("newline", REFUSED, r"'a\nb' is not a run id", _ids("a\nb")),
    Row("symlink to another run", FAILS, "is not a folder", given=_workspace_is_a_symlink, check=_other_is_whole),
    Row("$(id)", REFUSED, "'$(id)' is not a run id", _ids("$(id)")),
    Row(
        "$(id) in a command",
        WORKS,
        "a: SUCCESS",
        ("--command", "true $(touch ../../../pwned) `id`"),
        check=_nothing_was_executed,
    ),
    Row("bidirectional Unicode", REFUSED, r"'a\u202eb' is not a run id", _ids("a\u202eb")),
    Row("a/b beside a-b", WORKS, "Total: 2/2 successful", _ids("a/b,a-b")),
    Row("a folder of ours", REFUSED, "a folder Autopack keeps for itself", _ids("workspaces")),
    Row("unlock of ../x", REFUSED, "'../x' is not a run id", ("unlock", "../x"), alone=True),
    Row("diff of ../x", REFUSED, "'../x' is not a run id", ("diff", "../x"), alone=True),
]
