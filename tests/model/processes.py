"""Processes that stop at every request, and go on with whichever answer the explorer gives them.

A process is a coroutine of the real code on an event loop of its own, in which no time passes. It depends on nothing
but the answers that it got, so its history stands for its inner state: one that has the same history goes on in the
same way, and is run only once. What can't be copied, a coroutine, is run again from its start.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine, Hashable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, TypeVarTuple, cast

from tests.model.server import Reply, Request

from kubedrill.kube.client import Answer, Kube, Unreachable

LOST = Reply(0, "")
"""No answer: whether the request was done is unknown to who sent it."""
Given = TypeVarTuple("Given")
Body = Callable[[Kube], Coroutine[Any, Any, Hashable]]


class TimelessLoop(asyncio.AbstractEventLoop):
    """Runs what is ready, in order, until everything waits for an answer. Sleeping takes no time."""

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()

    def run(self) -> None:
        """Until nothing is ready any more."""
        asyncio.events._set_running_loop(self)
        try:
            while self._ready:
                self._ready.popleft()._run()
        finally:
            asyncio.events._set_running_loop(None)

    def call_soon(
        self, callback: Callable[[*Given], object], *args: *Given, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Given], object],
        *args: *Given,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        del delay
        # nobody asks it when it is due: it is now
        return cast("asyncio.TimerHandle", self.call_soon(callback, *args, context=context))

    def create_future(self):
        return asyncio.Future(loop=self)

    def create_task(self, coro, **_named):
        return asyncio.Task(coro, loop=self)

    def get_debug(self):
        return False

    def time(self):
        return 0.0

    def call_exception_handler(self, context):
        """A process that is never gone on with is no trouble; anything else shows in its task."""


class Wire(Kube):
    """A connection whose requests wait to be answered by the explorer."""

    def __init__(self, loop: TimelessLoop) -> None:
        self.requests = 0
        self.waiting: list[tuple[Request, asyncio.Future[Reply]]] = []
        self._loop = loop

    async def call(
        self,
        method,
        path,
        body=None,
        *,
        content_type="application/json",
        query: Sequence[tuple[str, str]] = (),
        **_more,
    ):
        if method == "POST" and path.endswith("/events"):
            return Answer(201, body)  # nobody acts upon what is told to people
        text = json.dumps(body, sort_keys=True) if body is not None else ""
        future = self._loop.create_future()
        self.waiting.append((Request(method, path, text, content_type, tuple(query)), future))
        reply = await future
        if reply is LOST:
            raise Unreachable(f"{method} {path}: no answer")
        return Answer(reply.status, json.loads(reply.body))


class Run:
    """A coroutine at one point of its course."""

    def __init__(self, body: Body) -> None:
        self._loop = TimelessLoop()  # type: ignore[abstract]  # whatever it lacks raises when it is called
        self._wire = Wire(self._loop)
        self._task = self._loop.create_task(body(self._wire))
        self._loop.run()

    @property
    def requests(self) -> tuple[Request, ...]:
        return tuple(request for request, _ in self._wire.waiting)

    @property
    def result(self) -> Hashable:
        return self._task.result() if self._task.done() else None

    def go_on(self, which: int, reply: Reply) -> None:
        """Answer one of the requests that wait."""
        self._wire.waiting.pop(which)[1].set_result(reply)
        self._loop.run()


@dataclass(eq=False, slots=True)
class History:
    """A point of a process: the requests that wait there, or its result. `run` is its coroutine, while it is there."""

    body: Body
    answers: tuple[tuple[int, Reply], ...]
    requests: tuple[Request, ...]
    result: Hashable
    run: Run | None
    _next: dict[tuple[int, Reply], History] = field(default_factory=dict)

    @classmethod
    def of(cls, body: Body) -> History:
        """The start of a process."""
        return cls._at(body, (), Run(body))

    def after(self, which: int, reply: Reply) -> History:
        """The point to which an answer leads."""
        found = self._next.get((which, reply))
        if found is None:
            run, self.run = self.run or self._again(), None
            run.go_on(which, reply)
            found = self._next[which, reply] = self._at(self.body, (*self.answers, (which, reply)), run)
        return found

    def _again(self) -> Run:
        run = Run(self.body)
        for which, reply in self.answers:
            run.go_on(which, reply)
        return run

    @staticmethod
    def _at(body: Body, answers: tuple[tuple[int, Reply], ...], run: Run) -> History:
        requests = run.requests
        result = None if requests else run.result
        return History(body, answers, requests, result, run if requests else None)
