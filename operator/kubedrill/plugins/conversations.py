"""Holding a polled source's conversation: it says what to ask, whoever polls it asks; neither knows of the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from kubedrill.kube.answers import NoAnswer
from kubedrill.kube.client import Unreachable
from kubedrill.kube.together import together
from kubedrill.plugins.sources.polled import Conversation, Question


async def held(conversation: Conversation, ask: Callable[[Question], Awaitable[Any]]) -> Any:
    """Asks what a conversation asks until it ends; what it found. `ask` gives what was read of one answer.

    What has no answer is told to it, and what it says counts.
    """
    try:
        questions = next(conversation)
        while True:
            try:
                one, *more = questions
                answers = await together(*map(ask, questions)) if more else [await ask(one)]
            except (Unreachable, NoAnswer) as error:
                questions = conversation.throw(error)
            else:
                questions = conversation.send(answers)
    except StopIteration as ended:
        return ended.value
