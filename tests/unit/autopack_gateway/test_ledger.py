"""The books: what counts where, what a journal gives back, and who may still spend."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopack.errors import InvalidInput
from autopack_gateway.service.ledger.admission import Verdict, decide
from autopack_gateway.service.ledger.amounts import Amount
from autopack_gateway.service.ledger.books import Books
from autopack_gateway.service.ledger.frames import line, read
from autopack_gateway.service.ledger.grants import grant_of


def granted(uid: str = "a", attempt: int = 1, pod: str = "pod", **more: Any) -> dict[str, Any]:
    grant = {"uid": uid, "attempt": attempt, "podUid": pod, "batch": "b", **more}
    return {"kind": "grant", "grant": grant, "day": 20_000}


def amount(usd: str = "1", tokens: int = 10, requests: int = 1) -> Amount:
    return Amount(requests, tokens, 0, 0, Decimal(usd))


def reserved(identity: str, most: Amount, uid: str = "a") -> dict[str, Any]:
    scopes = [f"run:{uid}", "batch:b"]
    return {"kind": "reserve", "id": identity, "uid": uid, "model": "p/m", "scopes": scopes, "amount": most.document()}


def settled(identity: str, used: Amount) -> dict[str, Any]:
    return {"kind": "settle", "id": identity, "amount": used.document(), "day": 20_001}


def books_of(*records: dict[str, Any]) -> Books:
    books = Books()
    for record in records:
        books.apply(record)
    return books


def test_a_request_counts_for_its_run_and_its_batch() -> None:
    books = books_of(granted(), reserved("1", amount("5")), settled("1", amount("0.5")))
    assert books.spent == {"run:a": amount("0.5"), "batch:b": amount("0.5")}
    assert books.runs["a"].per_model == {"p/m": amount("0.5")}
    assert books.reserved == {}
    assert books.open == {}


def test_what_was_refused_by_the_provider_counts_nothing() -> None:
    books = books_of(granted(), reserved("1", amount("5")), settled("1", Amount()))
    assert books.spent == {}
    assert books.runs["a"].changed == 1


def test_what_was_exhausted_is_so_until_the_bounds_are_others() -> None:
    spent = {"kind": "exhausted", "uid": "a", "scope": "run:a", "day": 20_000}
    bounds, raised = ([{"scope": "run:a", "usd": usd}] for usd in ("1", "2"))
    books = books_of(granted(budgets=bounds), spent, granted(budgets=bounds))
    assert books.runs["a"].exhausted == "run:a"
    books.apply(granted(budgets=raised))
    assert books.runs["a"].exhausted is None


def test_a_later_attempt_fences_the_one_before() -> None:
    books = books_of(granted(), granted(attempt=2, pod="other"))
    assert books.grant_of_pod("pod") is None
    assert books.has_ended("pod")
    assert books.fences["a"] == 2
    books.apply({"kind": "revoke", "uid": "a", "attempt": 1, "day": 20_000})
    assert books.grant_of_pod("other") is not None
    books.apply({"kind": "revoke", "uid": "a", "attempt": 2, "day": 20_000})
    assert books.grant_of_pod("other") is None
    assert books.fences["a"] == 3


RECORDS = st.lists(
    st.one_of(
        st.builds(
            lambda uid, attempt: granted(uid, attempt, f"{uid}-{attempt}"), st.sampled_from("abc"), st.integers(0, 3)
        ),
        st.builds(
            lambda uid, attempt: {"kind": "revoke", "uid": uid, "attempt": attempt, "day": 20_000},
            st.sampled_from("abc"),
            st.integers(0, 3),
        ),
        st.builds(
            lambda uid: {"kind": "exhausted", "uid": uid, "scope": "batch:b", "day": 20_000}, st.sampled_from("abc")
        ),
        st.builds(lambda uid, tokens: ("spend", uid, tokens), st.sampled_from("abc"), st.integers(0, 9)),
    ),
    max_size=25,
)


@given(kinds=RECORDS, cut=st.integers(0, 60))
def test_books_kept_at_any_time_and_replayed_are_the_same(kinds: list[Any], cut: int) -> None:
    records: list[dict[str, Any]] = []
    for number, one in enumerate(kinds):
        if isinstance(one, dict):
            records.append(one)
            continue
        records.append(reserved(str(number), amount(tokens=one[2]), one[1]))
        if number % 3:
            records.append(settled(str(number), amount("0.25", one[2])))
    kept = Books.read(read(line(books_of(*records[:cut]).document(0))).records[0])
    for record in records[cut:]:
        kept.apply(record)
    assert kept.document(0) == books_of(*records).document(0)


def test_what_is_old_goes_unless_somebody_may_use_it() -> None:
    books = books_of(granted(), granted("x", pod="gone"), reserved("1", amount()), settled("1", amount()))
    books.apply(reserved("2", amount(), "x"))
    books.apply(settled("2", amount()))
    books.apply({"kind": "revoke", "uid": "x", "attempt": 1, "day": 20_001})
    kept = Books.read(books.document(30_000))
    assert set(kept.runs) == {"a"}
    assert set(kept.spent) == {"run:a", "batch:b"}


@pytest.mark.parametrize("end", [b"", b"0", b'12345678 {"kind":"x"}\n', line({"kind": "x"})[:-1], line({"k": 1})[3:]])
def test_a_torn_end_is_left_out(end: bytes) -> None:
    whole = line({"kind": "a"}) + line({"kind": "b"})
    found = read(whole + end)
    assert [record["kind"] for record in found.records] == ["a", "b"]
    assert found.dropped == len(end)


@pytest.mark.parametrize(
    ("limit", "spent", "under_way", "asks", "verdict"),
    [
        ({}, "100", "100", "100", Verdict.ADMIT),
        ({"usd": "10"}, "4", "3", "3", Verdict.ADMIT),
        ({"usd": "10"}, "4", "3", "3.01", Verdict.WAIT),
        ({"usd": "10"}, "9.99", None, "5", Verdict.ADMIT),
        ({"usd": "10"}, "10", None, "0", Verdict.REFUSE),
        ({"requests": 2}, "1", None, "1", Verdict.ADMIT),
        ({"requests": 2}, "1", "1", "1", Verdict.WAIT),
        ({"tokens": 10}, "1", None, "1", Verdict.REFUSE),
        ({"usd": "0"}, None, None, "0", Verdict.REFUSE),
    ],
)
def test_who_may_spend(
    limit: dict[str, Any], spent: str | None, under_way: str | None, asks: str, verdict: Verdict
) -> None:
    books = books_of(granted(budgets=[{"scope": "batch:b", **limit}]))
    if spent is not None:
        books.apply(reserved("1", amount(spent)))
        books.apply(settled("1", amount(spent)))
    if under_way is not None:
        books.apply(reserved("2", amount(under_way)))
    grant = books.grant_of_pod("pod")
    assert grant is not None
    decision = decide(books, grant, amount(asks))
    assert decision.verdict is verdict
    assert decision.scope == ("batch:b" if verdict is Verdict.REFUSE else "")


def test_the_newest_grant_says_the_bounds_and_one_without_them_has_none() -> None:
    books = books_of(granted(budgets=[{"scope": "batch:b", "usd": "1"}]), granted("z", pod="z"))
    books.apply(reserved("1", amount("1")))
    books.apply(settled("1", amount("1")))
    mine, theirs = books.grant_of_pod("pod"), books.grant_of_pod("z")
    assert mine is not None
    assert theirs is not None
    assert decide(books, mine, amount()).used == "1 of 1 USD"
    assert decide(books, theirs, amount()).verdict is Verdict.ADMIT
    books.apply(granted(budgets=[{"scope": "batch:b", "usd": "3"}]))
    assert decide(books, mine, amount()).verdict is Verdict.ADMIT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uid", ""),
        ("attempt", -1),
        ("podUid", None),
        ("providers", [{"models": []}]),
        ("budgets", [{"scope": "s", "usd": "NaN"}]),
    ],
)
def test_a_wrong_grant_names_its_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as error:
        grant_of({"uid": "a", "attempt": 1, "podUid": "p", field: value})
    assert error.value.field.startswith(field)
