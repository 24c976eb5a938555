"""What the operator asks for, checked: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from autopack.delivery.policy import Policy
from autopack.errors import InvalidInput
from autopack.file_layout import AttemptPaths, results
from autopack.git.refs import check_branch, check_ref
from autopack.git.urls import check_repo_url
from autopack_publisher.contract import messages
from autopack_volume.service.fields import attempt_number, check_fields, flag, read_object, text

_SHA = re.compile(r"[0-9a-f]{40}")
_REPO_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}")
_MAX_TEXT = 1 << 16
_MAX_LIST = 100


class Wish(NamedTuple):
    """The pull request that shall be."""

    title: str
    body: str
    draft: bool
    labels: tuple[str, ...]
    reviewers: tuple[str, ...]


class Delivery(NamedTuple):
    """A checked request. `results` is the repository with the commit, relative to the volume."""

    paths: AttemptPaths
    name: str
    namespace: str
    results: str
    ref: str
    commit: str
    base: str
    target: str
    credential: str
    branch: str
    base_branch: str
    expected: str
    squash: bool
    message: str
    policy: Policy
    wish: Wish | None
    link: str

    @property
    def marker(self) -> str:
        """What the body of the run's pull request has in it."""
        return f"<!-- autopack-run: {self.paths.uid} -->"


def parse(uid: str, attempt: str, raw: bytes, protocols: tuple[str, ...], *, allow_loopback: bool) -> Delivery:
    """Check a PUT of a delivery; raise InvalidInput naming the field."""
    body = read_object(raw, messages.DeliveryRequest)
    paths = AttemptPaths(text(body, "runId"), uid, attempt_number(attempt))
    base_branch, repo_key = text(body, "baseBranch"), text(body, "repoKey")
    if not _REPO_KEY.fullmatch(repo_key) or ".." in repo_key:
        raise InvalidInput("repoKey", "is not a repository's key", "Send the one that the volume service answered")
    return Delivery(
        paths=paths,
        name=text(body, "name"),
        namespace=text(body, "namespace"),
        results=results(repo_key),
        ref=_ref(text(body, "ref"), paths),
        commit=_sha(body, "commit"),
        base=_sha(body, "base"),
        target=check_repo_url(text(body, "target"), protocols, field="target", allow_loopback=allow_loopback),
        credential=text(body, "credential"),
        branch=check_branch(text(body, "branch")),
        base_branch=check_branch(base_branch, "baseBranch") if base_branch else "",
        expected=_sha(body, "expected", may_be_empty=True),
        squash=flag(body, "squash"),
        message=_short(body, "message"),
        policy=_policy(body),
        wish=_wish(body),
        link=_short(body, "link") if "link" in body else "",
    )


def _ref(ref: str, paths: AttemptPaths) -> str:
    own = f"refs/runs/{paths.uid}/a{paths.attempt}"
    if check_ref(ref) != own and not ref.startswith(f"{own}/"):
        raise InvalidInput("ref", f"is not below {own}", "Send a ref of the attempt")
    return ref


def _sha(body: Mapping[str, object], name: str, *, may_be_empty: bool = False) -> str:
    value = text(body, name)
    if not _SHA.fullmatch(value) and not (may_be_empty and not value):
        raise InvalidInput(name, "is not a full commit id", "Send 40 hexadecimal digits")
    return value


def _short(body: Mapping[str, object], name: str) -> str:
    value = text(body, name)
    if len(value) > _MAX_TEXT or "\0" in value:
        raise InvalidInput(name, f"has more than {_MAX_TEXT} characters, or a NUL", "Shorten it")
    return value


def _policy(body: Mapping[str, object]) -> Policy:
    policy = _object(body, "policy", messages.Policy)
    return Policy(
        branches=_texts(policy, "branches", "policy."),
        protected_paths=_texts(policy, "protectedPaths", "policy."),
        max_changed_files=_limit(policy, "maxChangedFiles"),
        max_bytes=_limit(policy, "maxBytes"),
    )


def _wish(body: Mapping[str, object]) -> Wish | None:
    if "pullRequest" not in body:
        return None
    wish = _object(body, "pullRequest", messages.PullRequestWish)
    if not text(wish, "title").strip():
        raise InvalidInput("pullRequest.title", "is empty", "Give one")
    return Wish(
        title=_short(wish, "title"),
        body=_short(wish, "body"),
        draft=flag(wish, "draft"),
        labels=_texts(wish, "labels", "pullRequest."),
        reviewers=_texts(wish, "reviewers", "pullRequest."),
    )


def _object(body: Mapping[str, object], name: str, message: type) -> Mapping[str, object]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise InvalidInput(name, "is missing or not an object", "Send a JSON object")
    return check_fields(value, message, name)


def _texts(body: Mapping[str, object], name: str, where: str) -> tuple[str, ...]:
    value = body.get(name, [])
    if not isinstance(value, list) or len(value) > _MAX_LIST or not all(isinstance(one, str) for one in value):
        raise InvalidInput(f"{where}{name}", f"is not a list of at most {_MAX_LIST} texts", "Send a JSON array")
    return tuple(value)


def _limit(body: Mapping[str, object], name: str) -> int | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise InvalidInput(f"policy.{name}", "is not a whole number from 0, or null", "Send a number or null")
    return value
