"""A Redis that is hostile, or none at all, costs its own drill an answer, and us neither memory nor a traceback."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from tests.reverters.builders import jobs, now, record

from kubedrill.core.undo.record import REFUSED, UNREACHABLE, Again
from kubedrill.plugins.operations import redis as reverter
from kubedrill.plugins.operations.redis import RedisJobs
from kubedrill.plugins.operations.resp import MOST_BYTES, RedisSilent, Wire

MIB = 1 << 20
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(*answers: bytes | Answer, pong: bool = True) -> AsyncIterator[int]:
    """A server that gives these answers, one a request, the last one again and again; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        given = iter((*([b"+PONG\r\n"] if pong else []), *answers))
        answer: bytes | Answer = b""
        try:
            while await reader.read(MIB):
                answer = next(given, answer)
                if isinstance(answer, bytes):
                    writer.write(answer)
                else:
                    await answer(writer)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def endless(piece: bytes, first: bytes = b"") -> Answer:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        for _ in range(64 * MIB // len(piece)):
            writer.write(piece)
            await writer.drain()

    return send


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for ever."""
    while True:
        writer.write(b"1")
        await writer.drain()
        await asyncio.sleep(0.01)


HUGE = {
    "a string of 1 GB": endless(b"x" * 65536, b"$1073741824\r\n"),
    "a string of a size without end": b"$" + b"9" * 60 + b"\r\n",
    "a list of a billion": endless(b":1\r\n" * 10_000, b"*1000000000\r\n"),
    "lists of lists": endless(b"*9000\r\n" * 10_000),
    "6,000 brackets": b"*1\r\n" * 6000 + b":1\r\n",
    "20,000 numbers": b"*20000\r\n" + b":1\r\n" * 20_000,
    "long lines": b"*30\r\n" + (b"+" + b"x" * 60_000 + b"\r\n") * 30,
    "a line without an end": endless(b"+" * 65536),
    "small strings for ever": endless(b"$4\r\njobs\r\n" * 1000, b"*1000000\r\n"),
    "a number of 5,000 digits": b":" + b"9" * 5000 + b"\r\n",
    "a negative length": b"$-7\r\n",
    "a list of a negative length": b"*-7\r\n",
    "a push message": b">2\r\n+MOVING\r\n$14\r\n10.0.0.1:6379\r\n",
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "nothing but line ends": endless(b"\r\n" * 1000),
}


@pytest.mark.parametrize("answer", HUGE.values(), ids=HUGE.keys())
async def test_more_than_the_budget_is_unanswered_and_takes_no_memory(answer):
    async with answering(answer, pong=False) as port:
        wire = await Wire.connected("127.0.0.1", port)
        tracemalloc.start()
        try:
            with pytest.raises(RedisSilent):
                await wire.call("TIME")
            assert tracemalloc.get_traced_memory()[1] < 4 * MIB
        finally:
            tracemalloc.stop()
        assert not wire.is_open


async def test_the_budget_holds_what_a_well_behaved_one_answers():
    text = b"x" * (MOST_BYTES - 100)
    async with answering(b"$%d\r\n%b\r\n" % (len(text), text), pong=False) as port:
        wire = await Wire.connected("127.0.0.1", port)
        assert await wire.call("INFO") == text.decode()
        assert wire.is_open
        wire.close()


@pytest.mark.parametrize("answer", [*HUGE.values()], ids=HUGE.keys())
async def test_each_call_of_the_reverter_takes_it_for_an_outage(answer):
    async with answering(answer) as port:
        operation, jobs_of = jobs(port), RedisJobs(now)
        refusal = await jobs_of.prepare(operation)
        assert refusal is not None
        assert refusal.reason == "QueueUnreachable"
        for progress in (await jobs_of.inject(*record(operation)), await jobs_of.revert(*record(operation))):
            assert isinstance(progress, Again)
            assert progress.reason == UNREACHABLE
        assert await jobs_of.count(record(operation)[1]) is None


WRONG = {
    "a word": b"+OK\r\n", "a number": b":1\r\n", "nothing": b"$-1\r\n", "an empty list": b"*0\r\n",
    "words for numbers": b"*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n", "numbers for words": b"*2\r\n:1\r\n:2\r\n",
    "an error within": b"*2\r\n-ERR no\r\n-ERR no\r\n", "too many": b"*9\r\n" + b":1\r\n" * 9,
    "lists within": b"*2\r\n*1\r\n:1\r\n*1\r\n:1\r\n", "no text": b"$2\r\n\xff\xfe\r\n",
}  # fmt: skip


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG.keys())
async def test_an_answer_of_another_shape_is_said_to_be_none(answer):
    async with answering(answer) as port:
        operation, jobs_of = jobs(port), RedisJobs(now)
        refusal = await jobs_of.prepare(operation)
        assert refusal is not None
        assert (refusal.reason, "is not an answer to" in refusal.message) == ("QueueUnreachable", True)
        for call in (jobs_of.inject, jobs_of.revert):
            progress = await call(*record(operation))
            assert isinstance(progress, Again)
            assert (progress.reason, "is not an answer to" in progress.message) == (UNREACHABLE, True)
        assert await jobs_of.count(record(operation)[1]) is None


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


def time_now() -> bytes:
    return b"*2\r\n" + bulk(str(int(now().timestamp())).encode()) + bulk(b"5")


ABOUT_ITSELF = {
    "numbers that are none": b"maxmemory:12abc\r\nused_memory:-1\r\nmaxmemory_policy:allkeys-lru\r\n",
    "a number without end": b"maxmemory:" + b"9" * 60_000 + b"\r\nused_memory:1\r\n",
    "nothing": b"",
    "bytes": b"\xff\xfe\x00" * 1000,
}


@pytest.mark.parametrize("info", ABOUT_ITSELF.values(), ids=ABOUT_ITSELF.keys())
async def test_what_a_redis_says_of_itself_is_read_with_care(info):
    async with answering(time_now(), bulk(info), b"+none\r\n", b"*2\r\n$1\r\n0\r\n*0\r\n", b"+OK\r\n") as port:
        assert await RedisJobs(now).prepare(jobs(port)) is None


KINDS = [b"+\x1b[31mlist\r\n", b"+" + b"x" * 60_000 + b"\r\n", bulk(b"\xff\xfe"), b":7\r\n", b"+\r\n"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_type_that_is_no_word_is_no_answer(kind):
    async with answering(time_now(), bulk(b""), kind) as port:
        refusal = await RedisJobs(now).prepare(jobs(port))
    assert refusal is not None
    assert (refusal.reason, "is not an answer to TYPE" in refusal.message) == ("QueueUnreachable", True)
    assert refusal.message.isprintable()


async def test_an_errors_words_are_fit_for_a_terminal():
    async with answering(b"-ERR \x1b[2J\x07 \xff\xfe gone\r\n") as port:
        refusal = await RedisJobs(now).prepare(jobs(port))
        progress = await RedisJobs(now).revert(*record(jobs(port), in_it=True))
    assert refusal is not None
    assert isinstance(progress, Again)
    for said in (refusal.message, progress.message):
        assert "gone" in said
        assert said.isprintable()
        said.encode()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (b"-READONLY You can't write against a read only replica.\r\n", REFUSED),
        (b"-ERR Error running script (call to f_1): @user_script:5: -READONLY You can't write.\r\n", REFUSED),
        (b"-ERR unknown command 'EVAL'\r\n", REFUSED),
        (b"-LOADING Redis is loading the dataset in memory\r\n", UNREACHABLE),
        (b"-ERR max number of clients reached\r\n", UNREACHABLE),
        (b"-" + b"x" * 60_000 + b"\r\n", REFUSED),
    ],
)
async def test_what_a_redis_refuses_is_told_from_what_passes_by_itself(error, reason):
    async with answering(error) as port:
        progress = await RedisJobs(now).revert(*record(jobs(port), in_it=True))
    assert isinstance(progress, Again)
    assert progress.reason == reason
    assert len(progress.message) <= 300


@pytest.mark.parametrize("answer", [drip, b"*2\r\n$1\r\n7\r\n*0\r\n"], ids=["byte by byte", "a scan without an end"])
async def test_a_call_comes_to_its_end_whatever_is_answered(monkeypatch, answer):
    monkeypatch.setattr(reverter, "PATIENCE", 0.5)
    swept = b"*2\r\n:0\r\n$0\r\n\r\n"
    async with answering(b":1\r\n", swept, answer) as port:
        progress = await asyncio.wait_for(RedisJobs(now).revert(*record(jobs(port))), 4)
    assert isinstance(progress, Again)
    assert (progress.reason, "not done within 0.5 s" in progress.message) == (UNREACHABLE, True)


async def test_a_sweep_that_gets_nowhere_is_given_up():
    async with answering(b":1\r\n", b"*2\r\n:0\r\n$1\r\n7\r\n") as port:
        progress = await RedisJobs(now).revert(*record(jobs(port)))
    assert isinstance(progress, Again)
    assert progress.reason == UNREACHABLE
