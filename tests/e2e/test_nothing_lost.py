"""What agents leave in odd places is found again, or named, on the real kubelet."""

from __future__ import annotations

import hashlib
import json

from scripts.deploy import kubectl

from tests.e2e.installation import Installation, condition, make_run, phase

PRECIOUS = hashlib.sha1(b"blob 9\0precious\n", usedforsecurity=False).hexdigest()
ODD = """
mkdir -p ignored; echo ignored/ > .gitignore; git add .gitignore; git commit -qm ignore
echo precious > staged; git add staged; echo B > staged
git init -q ignored/inner; cd ignored/inner; echo x > f; git add f
git -c user.name=a -c user.email=b commit -qm f; echo dirty > f
"""


def test_work_that_no_ref_leads_to_is_found_again(installation: Installation) -> None:
    installation.apply(make_run("odd-places", ODD))
    run = installation.finished("odd-places")
    assert (phase(run), run["status"]["reason"]) == ("Succeeded", "Completed")
    assert condition(run, "WorkSaved") == ("True", "Everything")
    kept = f"refs/runs/{run['metadata']['uid']}/a1/kept"
    assert PRECIOUS in installation.git(run, "rev-list", "--objects", kept)
    [inner] = json.loads(installation.git(run, "show", f"{kept}:record.json"))["repositories"]
    assert inner["path"] == "ignored/inner"
    assert installation.git(run, "show", f"{inner['snapshot']}:f") == "dirty\n"


def test_a_success_with_something_unsaved_is_seen_at_a_glance(installation: Installation) -> None:
    script = """
    truncate -s 1T big; echo small > small
    echo '*.rc working-tree-encoding=UTF-16' > .gitattributes; printf odd > a.rc
    """
    installation.apply(make_run("too-large", script))
    run = installation.finished("too-large")
    assert (phase(run), run["status"]["reason"]) == ("Succeeded", "NotAllSaved")
    assert condition(run, "WorkSaved") == ("False", "Partly")
    assert "big (1.0 TiB, larger than 2 GiB)" in run["status"]["message"]
    saved = installation.git(run, "ls-tree", "--name-only", run["status"]["snapshot"]).split()
    assert {"small", "a.rc"} <= set(saved)
    assert "big" not in saved
    assert "big" in installation.in_volume("ls", f"/autopack/{run['status']['workspace']}").split()
    header, row = kubectl("get", "autopackruns", "too-large", "-n", installation.namespace, "-o", "wide").splitlines()
    assert "SAVED" in header.split()
    assert "Partly" in row.split()


def test_a_sparse_checkout_is_not_a_deletion_for_the_next_attempt(installation: Installation) -> None:
    script = """
    if test $AUTOPACK_ATTEMPT = 1; then
      mkdir docs; touch docs/d src/s; git add .; git commit -qm all; git sparse-checkout set src; exit 75; fi
    test -z "$(git status --porcelain)"; git add -A; git commit -qm everything --allow-empty
    """
    installation.apply(make_run("sparse", script, retry={"agent": 1, "backoffSeconds": 1}))
    run = installation.finished("sparse")
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 2)
    listed = installation.git(run, "ls-tree", "-r", "--name-only", run["status"]["commit"]).split()
    assert {"docs/d", "src/s"} <= set(listed)
