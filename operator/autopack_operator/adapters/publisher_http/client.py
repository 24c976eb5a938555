"""The publisher, as the operator sees it. All calls are idempotent there: a lost answer is asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aiohttp

from autopack_operator.domain.api.status import DeliveredPullRequest
from autopack_operator.domain.delivery.request import DeliveryRequest
from autopack_operator.domain.delivery.state import State
from autopack_operator.domain.delivery.world import Answer, Delayed, Delivered, NotDelivered
from autopack_publisher.client.client import PublisherClient, RefusedError, UnreachableError
from autopack_publisher.contract import messages

TIMEOUT_SECONDS = 20


class HttpPublisher:
    """Implements ports.publisher.Publisher."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._client = PublisherClient(url, token_file, aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def deliver(self, request: DeliveryRequest) -> Answer | None:
        """See ports.publisher.Publisher."""
        try:
            answer = await self._client.deliver(request.run_uid, request.attempt, _message(request))
        except UnreachableError as error:
            return Delayed("PublisherUnavailable", f"the publisher did not answer: {error}")
        except RefusedError as error:
            # Only 422 is an answer about the request; anything else says that the service cannot deliver it now.
            if error.status == 422:
                return NotDelivered(State.FAILED, error.reason, error.message)
            return Delayed(error.reason, error.message)
        return None if answer is None else _read(answer)


def _read(answer: messages.Final) -> Answer:
    try:
        match answer["state"]:
            case "delivered":
                found = answer["pullRequest"]
                pull = DeliveredPullRequest(number=found["number"], url=found["url"]) if found is not None else None
                return Delivered(answer["commit"], pull, answer["message"])
            case "conflict":
                return NotDelivered(State.CONFLICT, "RemoteMoved", answer["message"])
            case "refused":
                return NotDelivered(State.REFUSED, answer["reason"], answer["message"])
    except (KeyError, TypeError, ValueError):
        pass
    return _unreadable(answer)


def _unreadable(document: Mapping[str, object]) -> Delayed:
    """The publisher speaks another version: it is being upgraded, or we are."""
    names = ", ".join(sorted(document)) or "nothing"
    return Delayed("PublisherAnswerUnreadable", f"the publisher answered with {names}")


def _message(request: DeliveryRequest) -> messages.DeliveryRequest:
    policy = request.policy
    message: messages.DeliveryRequest = {
        "runId": request.run_name,
        "name": request.run_name,
        "namespace": request.namespace,
        "repoKey": request.repository_key,
        "ref": request.work.ref,
        "commit": request.work.commit,
        "base": request.began_at,
        "target": request.target,
        "credential": policy.credential,
        "branch": request.branch,
        "baseBranch": request.base,
        "expected": request.expected,
        "squash": request.squash,
        "message": request.message,
        "policy": {
            "branches": policy.branches,
            "protectedPaths": policy.protected_paths,
            "maxChangedFiles": policy.max_changed_files,
            "maxBytes": policy.max_bytes,
        },
    }
    if request.link:
        message["link"] = request.link
    if (wish := request.pull_request) is not None:
        message["pullRequest"] = {
            "title": wish.title or request.run_name,
            "body": wish.body,
            "draft": wish.draft,
            "labels": wish.labels,
            "reviewers": wish.reviewers,
        }
    return message
