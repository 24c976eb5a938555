from __future__ import annotations

from dataclasses import replace

import pytest
from devcluster.choice import Facts, Kind, choose
from devcluster.failure import Failure, UsageError

BARE = Facts(wanted="", kubeconfig="", engine="", has_kind=False, has_go=False, is_linux=True, is_root=True)
EMBEDDABLE = replace(BARE, has_go=True)
WITH_DOCKER = replace(EMBEDDABLE, engine="docker")


def test_an_engine_that_answers_is_preferred() -> None:
    assert choose(WITH_DOCKER).kind is Kind.KIND


def test_an_engine_without_kind_and_without_go_is_of_no_use() -> None:
    with pytest.raises(Failure, match="have kind or Go"):
        choose(replace(BARE, engine="docker"))


def test_without_an_engine_linux_root_and_go_make_the_embedded_cluster() -> None:
    assert choose(EMBEDDABLE).kind is Kind.EMBEDDED


def test_the_reason_names_the_engine() -> None:
    assert "podman" in choose(replace(WITH_DOCKER, engine="podman")).why


@pytest.mark.parametrize(
    ("lacking", "advice"),
    [
        (replace(EMBEDDABLE, has_go=False), "install Go"),
        (replace(EMBEDDABLE, is_root=False), "be root"),
        (replace(EMBEDDABLE, is_linux=False), "use Linux"),
    ],
)
def test_a_machine_that_lacks_something_is_told_what(lacking: Facts, advice: str) -> None:
    with pytest.raises(Failure, match=advice):
        choose(lacking)


def test_the_variable_forces_the_embedded_cluster_beside_an_engine() -> None:
    assert choose(replace(WITH_DOCKER, wanted="embedded")).kind is Kind.EMBEDDED


def test_a_forced_kind_that_is_impossible_is_not_replaced_by_another() -> None:
    with pytest.raises(Failure, match="CLUSTER=kind needs more: start a Docker or Podman engine"):
        choose(replace(EMBEDDABLE, wanted="kind"))


def test_the_users_own_cluster_needs_a_kubeconfig() -> None:
    with pytest.raises(Failure, match="set KUBECONFIG"):
        choose(replace(BARE, wanted="current"))


def test_the_users_own_cluster_needs_nothing_else() -> None:
    bare = replace(BARE, is_linux=False, is_root=False, wanted="current", kubeconfig="/home/me/.kube/config")
    assert choose(bare).kind is Kind.CURRENT


def test_a_kubeconfig_alone_does_not_hand_over_the_users_cluster() -> None:
    assert choose(replace(EMBEDDABLE, kubeconfig="/home/me/.kube/config")).kind is Kind.EMBEDDED


def test_an_unknown_kind_is_a_usage_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="current, kind, embedded"):
        choose(replace(EMBEDDABLE, wanted="minikube"))


def test_what_was_chosen_before_stays_when_an_engine_appears() -> None:
    assert choose(replace(WITH_DOCKER, former=Kind.EMBEDDED)).kind is Kind.EMBEDDED


def test_another_kind_is_refused_while_one_is_up() -> None:
    with pytest.raises(Failure, match="embedded is up; stop it first"):
        choose(replace(WITH_DOCKER, wanted="kind", former=Kind.EMBEDDED))
