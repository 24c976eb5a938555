"""Links between pages of the site; `make docs` (part of `make lint`) builds all of it and fails on a broken one."""

from __future__ import annotations

import pytest
from scripts.docs_site import PAGES, ROOT, linked


@pytest.mark.parametrize(
    ("page", "written", "in_the_site"),
    [
        ("index.md", "[runs](docs/guide/runs.md)", "[runs](guide/runs.md)"),
        ("index.md", "[rules](CONTRIBUTING.md#habits)", "[rules](contributing.md#habits)"),
        ("chart.md", "[install](../charts/autopack/README.md)", "[install](chart-guide.md)"),
        ("chart-guide.md", "[values](../../docs/chart.md)", "[values](chart.md)"),
        ("guide/local.md", "[all](../cli.md)", "[all](../cli.md)"),
        ("guide/local.md", "[here](#a-first-batch)", "[here](#a-first-batch)"),
        ("guide/local.md", "[git](https://git-scm.com/docs)", "[git](https://git-scm.com/docs)"),
        ("guide/local.md", "[broken](../nowhere.md)", "[broken](../nowhere.md)"),
        ("index.md", "[no page](examples/runbatch.yaml)", "[no page](examples/runbatch.yaml)"),
    ],
)
def test_links_hold_in_the_repository_and_in_the_site(page: str, written: str, in_the_site: str) -> None:
    assert linked(f"See {written}.", page) == f"See {in_the_site}."


def test_pages_from_outside_docs_exist_and_hide_none_inside() -> None:
    assert all((ROOT / source).is_file() for source in PAGES.values())
    assert not [page for page in PAGES if (ROOT / "docs" / page).exists()]
