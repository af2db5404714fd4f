"""The witness' server over real TLS: it allows everything at once, and stores what it was told afterwards."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.signals.builders import deployment
from tests.signals.reviews import review

from kubedrill.controller import witness
from kubedrill.controller.received import NotStored
from kubedrill.controller.witness import WitnessServer
from kubedrill.core.evidence.facts import Fact
from kubedrill.kube.certificates import Certificate, make_ca
from kubedrill.kube.clock import ServerClock, local_now
from kubedrill.plugins.channels import discover

HOST = "localhost"
RAISED = review("UPDATE", deployment("24Mi"), deployment("128Mi", generation=2))
(HOOK,) = (channel.admission for channel in discover().values() if channel.admission)
Deliver = Callable[[str, tuple[Fact, ...]], Awaitable[None]]


def mounted(folder: Path, ca: Certificate, path: str = "sesame") -> None:
    folder.mkdir(exist_ok=True)
    for name, content in {"ca.crt": ca.certificate, "ca.key": ca.key, "path": path.encode()}.items():
        (folder / name).write_bytes(content)


class Place:
    """A served witness: whoever trusts its CA and knows its path can ask."""

    def __init__(self, port: int, counts: Counter[str]) -> None:
        self.port, self.counts = port, counts

    async def ask(self, ca: Certificate, message: Any, path: str = "sesame", client: Any = None) -> tuple[int, Any]:
        trust = ssl.create_default_context(cadata=ca.certificate.decode())
        if client:
            trust.load_cert_chain(client)
        async with aiohttp.ClientSession() as session:
            url = f"https://{HOST}:{self.port}/witness/{path}"
            async with session.post(url, json=message, ssl=trust) as answer:
                return answer.status, await answer.json() if answer.status == 200 else None


@asynccontextmanager
async def served(folder: Path, deliver: Deliver, unused_tcp_port: int) -> AsyncIterator[Place]:
    counts: Counter[str] = Counter()
    server = WitnessServer(HOOK, deliver, ServerClock(timedelta(milliseconds=50)), counts)
    task = asyncio.create_task(server.run(folder, HOST, unused_tcp_port, "127.0.0.1"))
    try:
        await until(lambda: listening(unused_tcp_port))
        yield Place(unused_tcp_port, counts)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1000):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to hold within ten seconds")


async def listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(witness, "TRY_AGAIN_AFTER", 0.01)


@pytest.fixture(scope="module")
def ca() -> Certificate:
    return make_ca(HOST, local_now())


@pytest.fixture
def told() -> asyncio.Queue[tuple[str, tuple[Fact, ...]]]:
    return asyncio.Queue()


@pytest.fixture
def deliver(told: asyncio.Queue[tuple[str, tuple[Fact, ...]]]) -> Deliver:
    async def store(namespace: str, facts: tuple[Fact, ...]) -> None:
        await told.put((namespace, facts))

    return store


async def test_it_allows_the_write_and_tells_the_drills_of_its_namespace(ca, told, deliver, tmp_path, unused_tcp_port):
    mounted(tmp_path, ca)
    async with served(tmp_path, deliver, unused_tcp_port) as place:
        status, answer = await place.ask(ca, RAISED)
        namespace, facts = await told.get()
    assert (status, answer["response"]) == (200, {"uid": "ask-1", "allowed": True})
    assert (namespace, [fact.detail["user"] for fact in facts]) == ("shop", ["alice@example.com"])


async def test_a_store_that_hangs_holds_no_write_up(ca, tmp_path, unused_tcp_port):
    async def never(_namespace: str, _facts: tuple[Fact, ...]) -> None:
        await asyncio.Event().wait()

    mounted(tmp_path, ca)
    async with served(tmp_path, never, unused_tcp_port) as place, asyncio.timeout(5):
        answers = [await place.ask(ca, RAISED) for _ in range(3)]
    assert {status for status, _ in answers} == {200}


async def test_what_can_not_be_stored_now_is_stored_later(ca, told, deliver, tmp_path, unused_tcp_port):
    refused = iter([NotStored("not yet"), NotStored("not yet")])

    async def soon(namespace: str, facts: tuple[Fact, ...]) -> None:
        for why in refused:
            raise why
        await deliver(namespace, facts)

    mounted(tmp_path, ca)
    async with served(tmp_path, soon, unused_tcp_port) as place:
        await place.ask(ca, RAISED)
        namespace, _ = await told.get()
    assert namespace == "shop"


async def test_what_there_is_no_room_for_is_counted(ca, tmp_path, unused_tcp_port):
    async def full(_namespace: str, _facts: tuple[Fact, ...]) -> None:
        raise NotStored("there is no room", for_good=True)

    async def dropped() -> bool:
        return place.counts["witness-dropped"] == 1

    mounted(tmp_path, ca)
    async with served(tmp_path, full, unused_tcp_port) as place:
        await place.ask(ca, RAISED)
        await until(dropped)


async def test_whoever_does_not_know_the_path_tells_nothing(ca, told, deliver, tmp_path, unused_tcp_port):
    mounted(tmp_path, ca)
    async with served(tmp_path, deliver, unused_tcp_port) as place:
        status, _ = await place.ask(ca, RAISED, path="guess")
        assert (status, place.counts["witness-refused"]) == (404, 1)
    assert told.empty()


async def test_a_review_that_can_not_be_read_is_counted_and_ends_nothing(ca, told, deliver, tmp_path, unused_tcp_port):
    mounted(tmp_path, ca)
    async with served(tmp_path, deliver, unused_tcp_port) as place:
        assert (await place.ask(ca, {"request": "none"}))[0] == 400
        assert (await place.ask(ca, RAISED))[0] == 200
        assert place.counts["witness-poison"] == 1
        await told.get()


async def test_it_serves_as_soon_as_there_is_a_secret(ca, deliver, tmp_path, unused_tcp_port):
    folder = tmp_path / "later"
    server = WitnessServer(HOOK, deliver, ServerClock(timedelta(0)), Counter())
    task = asyncio.create_task(server.run(folder, HOST, unused_tcp_port, "127.0.0.1"))
    try:
        assert not await listening(unused_tcp_port)
        mounted(folder, ca)
        await until(lambda: listening(unused_tcp_port))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_another_ca_and_path_are_taken_up(ca, deliver, tmp_path, unused_tcp_port):
    other = make_ca(HOST, local_now())

    async def answers() -> bool:
        try:
            return (await place.ask(other, RAISED, path="open"))[0] == 200
        except aiohttp.ClientError:
            return False

    mounted(tmp_path, ca)
    async with served(tmp_path, deliver, unused_tcp_port) as place:
        assert (await place.ask(ca, RAISED))[0] == 200
        mounted(tmp_path, other, path="open")
        await until(answers)


def shown_by(ca: Certificate) -> bytes:
    """A client's certificate and key, as an API server shows one where it is told to."""
    issuer = x509.load_pem_x509_certificate(ca.certificate)
    signer, key = serialization.load_pem_private_key(ca.key, None), ec.generate_private_key(ec.SECP256R1())
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api-server")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("api-server")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return certificate.public_bytes(serialization.Encoding.PEM) + private


async def test_where_callers_must_show_a_certificate_nobody_else_is_heard(ca, deliver, tmp_path, unused_tcp_port):
    callers, folder, client = make_ca("api-server", local_now()), tmp_path / "secret", tmp_path / "client.pem"
    client.write_bytes(shown_by(callers))
    mounted(folder, ca)
    (folder / "client-ca.crt").write_bytes(callers.certificate)
    async with served(folder, deliver, unused_tcp_port) as place:
        with pytest.raises(aiohttp.ClientError):
            await place.ask(ca, RAISED)
        assert (await place.ask(ca, RAISED, client=client))[0] == 200
