"""Several Valkeys that belong together: a cluster, and a primary with replicas and sentinels."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from demo.folders import give_away
from demo.process import free_port
from demo.servers import Valkey

SLOTS = 16384
# After which nodes or sentinels take a server for away.
AWAY_MILLISECONDS = 1000
# Where none goes away: on a busy machine one that is well may answer late.
PATIENT_MILLISECONDS = 60_000
DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.02
PRIMARY = "mymaster"


class _Set(ABC):
    """Servers that are started and ended together; one that is down may be started again."""

    def __init__(self, servers: Sequence[Valkey]) -> None:
        self.servers = list(servers)

    @property
    def ports(self) -> list[int]:
        """The ports of those that may hold keys."""
        return [server.port for server in self.servers]

    def kill(self) -> None:
        """End all of them."""
        for server in self.servers:
            server.kill()

    def empty(self) -> None:
        """Forget all keys, once all is well: a busy machine may just have kept them from one another."""
        eventually(self.whole)
        for server in self.servers:
            self.ask(server, "FLUSHALL")

    def ask(self, server: Valkey, *command: str | int) -> Any:  # noqa: ANN401
        """One command's answer, by one server."""
        with Redis(port=server.port, decode_responses=True) as client:
            return client.execute_command(*command)

    def lose(self, primary: Valkey) -> None:
        """Kill it, once its replicas have what it holds by now."""
        offset = self.ask(primary, "INFO", "replication")["master_repl_offset"]
        of_it = [each for each in self.servers if each.running and self._copies(each) == primary.port]
        eventually(lambda: all(self._offset(replica) >= offset for replica in of_it))
        primary.kill()

    def _offset(self, replica: Valkey) -> int:
        return int(self.ask(replica, "INFO", "replication")["slave_repl_offset"])

    def replace(self, lost: Valkey, key: str) -> None:
        """Wait until another one is the primary, let that one run again, and wait until all is well."""
        eventually(lambda: self.owner(key) is not lost)
        lost.resume()
        lost.start()
        eventually(self.whole)

    @abstractmethod
    def be_patient(self) -> None:
        """Take nobody for away from now on who only answers late."""

    @abstractmethod
    def owner(self, key: str) -> Valkey:
        """The primary that has the slot of a key, as the others see it that run."""

    @abstractmethod
    def whole(self) -> bool:
        """Whether everything that runs knows of everything, and replicas have their primary's data."""

    def _copies(self, server: Valkey) -> int | None:
        """The port of the primary that it is a replica of."""
        port: int | None = self.ask(server, "INFO", "replication").get("master_port")
        return port

    def at(self, port: int) -> Valkey:
        """The server that listens there."""
        return next(server for server in self.servers if server.port == int(port))


class ValkeyCluster(_Set):
    """A Redis Cluster: primaries, which share the slots, then as many replicas, or none."""

    def __init__(self, folder: Path, primaries: int, *, replicas: bool = False) -> None:
        count = primaries * (1 + replicas)
        super().__init__([_node(folder / f"node-{number}") for number in range(count)])
        self._primaries, self._replicas = self.servers[:primaries], self.servers[primaries:]

    @property
    def url(self) -> str:
        """The address of all nodes."""
        return f"redis+cluster://{','.join(f'127.0.0.1:{port}' for port in self.ports)}/"

    def start(self) -> None:
        """Start all nodes, and wait until the cluster works and every replica is one."""
        for server in self.servers:
            server.start()
        share = -(-SLOTS // len(self._primaries))
        for number, server in enumerate(self._primaries):
            last = min(SLOTS, (number + 1) * share) - 1
            self.ask(server, "CLUSTER ADDSLOTSRANGE", number * share, last)
            self.ask(server, "CLUSTER SET-CONFIG-EPOCH", number + 1)
        first = ("127.0.0.1", self.ports[0], self.servers[0].options["cluster-port"])
        for server in self.servers[1:]:
            self.ask(server, "CLUSTER MEET", *first)
        for replica, primary in zip(self._replicas, self._primaries, strict=False):
            eventually(partial(self._knows, replica, primary))
            self.ask(replica, "CLUSTER REPLICATE", self.name(primary))
        eventually(self.whole)

    def be_patient(self) -> None:
        """Take nobody for away from now on who only answers late. A node that begins so begins late."""
        for server in self.servers:
            self.ask(server, "CONFIG SET", "cluster-node-timeout", PATIENT_MILLISECONDS)

    def _knows(self, server: Valkey, other: Valkey) -> bool:
        return self.name(other) in str(self.ask(server, "CLUSTER NODES"))

    def name(self, server: Valkey) -> str:
        """By which the nodes know one another."""
        return str(self.ask(server, "CLUSTER MYID"))

    def whole(self) -> bool:
        """Whether all nodes see the same slots served, all of them, replicas have their primary's data."""
        running = [server for server in self.servers if server.running]
        fine = all(self.ask(each, "CLUSTER INFO")["cluster_state"] == "ok" for each in running)
        agree = len({self._shares(each) for each in running}) == 1
        return fine and agree and all(_follows(self.ask(each, "INFO", "replication")) for each in running)

    def _shares(self, server: Valkey) -> frozenset[tuple[str, ...]]:
        """Which slots each primary has, and since which epoch, as one node sees it."""
        nodes: dict[str, dict[str, Any]] = self.ask(server, "CLUSTER NODES")
        return frozenset(
            (node["node_id"], node["epoch"], str(node["slots"])) for node in nodes.values() if node["slots"]
        )

    def owner(self, key: str) -> Valkey:
        """The primary that has the slot of a key, as the others see it that run."""
        slot = key_slot(key.encode())
        for server in self.servers:
            if server.running:
                for first, last, primary, *_ in self.ask(server, "CLUSTER SLOTS"):
                    if first <= slot <= last:
                        return self.at(primary[1])
        raise AssertionError(f"nobody has slot {slot}")

    def move(self, key: str) -> None:
        """Give the slot of a key, and what is in it, to another primary: clients meet ASK and MOVED."""
        slot, source = key_slot(key.encode()), self.owner(key)
        target = next(each for each in self._owners() if each is not source)
        self.ask(target, "CLUSTER SETSLOT", slot, "IMPORTING", self.name(source))
        self.ask(source, "CLUSTER SETSLOT", slot, "MIGRATING", self.name(target))
        while keys := self.ask(source, "CLUSTER GETKEYSINSLOT", slot, 10):
            self.ask(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "REPLACE", "KEYS", *keys)
        for server in (target, source, *self._owners()):
            self.ask(server, "CLUSTER SETSLOT", slot, "NODE", self.name(target))
        # One that has not heard of the other's epoch yet takes too low a one at the next move, and loses it.
        eventually(self.whole)

    def give_up(self, key: str) -> None:
        """Take the slot of a key from its primary, which is the last to hear who has it then."""
        slot, source = key_slot(key.encode()), self.owner(key)
        target = next(each for each in self._owners() if each is not source)
        # Of two that claim a slot, all believe the one of the higher epoch.
        self.ask(target, "CLUSTER BUMPEPOCH")
        self.ask(target, "CLUSTER SETSLOT", slot, "NODE", self.name(target))
        self.ask(source, "CLUSTER DELSLOTS", slot)

    def _owners(self) -> list[Valkey]:
        """All primaries."""
        alive = next(server for server in self.servers if server.running)
        found = {primary[1] for _, _, primary, *_ in self.ask(alive, "CLUSTER SLOTS")}
        return [server for server in self.servers if server.port in found]


class Sentinel(Valkey):
    """One of those that watch a primary."""

    name: ClassVar = "sentinel"

    def __init__(self, folder: Path, watched: int, quorum: int) -> None:
        super().__init__(folder)
        self._watched, self._quorum = watched, quorum

    def _command(self) -> list[str | Path]:
        file = self.folder / "sentinel.conf"
        if not file.exists():
            file.write_text(
                f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
                f"sentinel monitor {PRIMARY} 127.0.0.1 {self._watched} {self._quorum}\n"
                f"sentinel down-after-milliseconds {PRIMARY} {AWAY_MILLISECONDS}\n"
                f"sentinel failover-timeout {PRIMARY} 10000\n"
            )
            give_away(file)
        return [self.program, file, "--sentinel"]


class ValkeySentinels(_Set):
    """A primary with replicas, and sentinels that make one of those the primary when it is away."""

    def __init__(self, folder: Path, *, replicas: int = 0, sentinels: int = 1) -> None:
        first = _one(folder / "server-0")
        others = [_one(folder / f"server-{number + 1}") for number in range(replicas)]
        super().__init__([first, *others])
        quorum = sentinels // 2 + 1
        self.sentinels = [
            Sentinel(folder / f"sentinel-{number}", first.port, quorum) for number in range(sentinels)
        ]

    @property
    def url(self) -> str:
        """The address of the primary's database 0."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{PRIMARY}/0"

    def start(self) -> None:
        """Start all of them, and wait until the sentinels know one another and all replicas."""
        for server in self.servers:
            server.start()
        for replica in self.servers[1:]:
            self.ask(replica, "REPLICAOF", "127.0.0.1", self.ports[0])
        for sentinel in self.sentinels:
            sentinel.start()
        eventually(self.whole)

    def be_patient(self) -> None:
        """Take nobody for away from now on who only answers late."""
        for sentinel in self.sentinels:
            self.ask(sentinel, "SENTINEL SET", PRIMARY, "down-after-milliseconds", PATIENT_MILLISECONDS)

    def kill(self) -> None:
        """End all of them."""
        for sentinel in self.sentinels:
            sentinel.kill()
        super().kill()

    def whole(self) -> bool:
        """Whether every sentinel knows all others and all replicas, and those have their primary's data."""
        known = [self.ask(each, "SENTINEL MASTER", PRIMARY) for each in self.sentinels]
        others, replicas = len(self.sentinels) - 1, len(self.servers) - 1
        fine = all((each["num-other-sentinels"], each["num-slaves"]) == (others, replicas) for each in known)
        running = [server for server in self.servers if server.running]
        return fine and all(_follows(self.ask(each, "INFO", "replication")) for each in running)

    def owner(self, key: str) -> Valkey:  # noqa: ARG002
        """The primary. While sentinels disagree, one that came back, empty, might be used again."""
        asking = ("SENTINEL GET-MASTER-ADDR-BY-NAME", PRIMARY)
        ports = {self.ask(sentinel, *asking)[1] for sentinel in self.sentinels}
        if len(ports) > 1:
            raise RedisError("the sentinels do not agree yet")
        return self.at(ports.pop())


def _node(folder: Path) -> Valkey:
    options = {
        "cluster-enabled": "yes",
        "cluster-port": str(free_port()),
        "cluster-node-timeout": str(AWAY_MILLISECONDS),
        "cluster-replica-validity-factor": "0",
        "repl-diskless-sync-delay": "0",
    }
    return Valkey(folder, options=options)


def _one(folder: Path) -> Valkey:
    return Valkey(folder, options={"repl-diskless-sync-delay": "0"})


def _follows(replication: dict[str, Any]) -> bool:
    return bool(replication.get("master_link_status", "up") == "up")


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; while a server does not answer, it does not."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            if condition():
                return
        except (RedisError, OSError):
            pass
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(POLL_SECONDS)
