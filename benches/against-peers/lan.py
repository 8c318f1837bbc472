"""A LAN of real daemons in network namespaces: each script of tests/services is a host with an address of its own.

The bridge, the hosts and the scanner are namespaces of their own; nothing leads out of them.
"""

import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ROOT / "tests" / "services"
NETWORK = "10.92.0.0/24"
SCANNER = "10.92.0.200"
INTERFACE = "eth0"

# Each daemon has a /run of its own, so that it meets no other one's pid file and leaves none.
PRELUDE = 'mount -t tmpfs -o mode=755 tmpfs /run && cd "$1" && exec sh "$2"'


@dataclasses.dataclass
class Service:
    """One script: what it needs and what it opens."""
    name: str
    script: pathlib.Path
    address: str
    needs: list
    tcp: set
    udp: set


def run(*command, check=True):
    """Runs a command to its end and gives its standard output."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def services():
    """Every script in the order of its name, with the address that its place gives it."""
    found = []
    for number, script in enumerate(sorted(SERVICES.glob("*.sh"))):
        head = dict(line[2:].split(": ", 1) for line in script.read_text(encoding="utf-8").splitlines()
                    if line.startswith("# ") and ": " in line)
        ports = {kind: {int(port) for port in head.get(kind, "").split()} for kind in ("tcp", "udp")}
        found.append(Service(script.stem, script, f"10.92.0.{11 + number}", head["needs"].split(), **ports))
    return found


def program(name):
    """Whether a program is in PATH or among the system's daemons."""
    places = os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"]
    return any((pathlib.Path(place) / name).is_file() for place in places if place)


def listening(namespace):
    """The ports that the namespace's own kernel lists: TCP that listens, UDP that is bound."""
    ports = {}
    for kind, flag in (("tcp", "-tlnH"), ("udp", "-ulnH")):
        lines = run("ip", "netns", "exec", namespace, "ss", flag).splitlines()
        local = [line.split()[3] for line in lines]
        ports[kind] = {int(address.rsplit(":", 1)[1]) for address in local if not address.startswith("127.")}
    return ports


class Lan:
    """The LAN, up from `with` to its end."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.prefix = f"headcount-bench-{os.getpid()}-"
        self.scanner = self.prefix + "scanner"
        self.switch = self.prefix + "switch"
        self.namespaces = []
        self.processes = []
        self.hosts = []
        self.missing = []

    def __enter__(self):
        try:
            self.add(self.switch)
            run("ip", "-n", self.switch, "link", "add", "lan", "type", "bridge", "mcast_snooping", "0")
            run("ip", "-n", self.switch, "link", "set", "lan", "up")
            self.join(self.scanner, SCANNER, 200)
            for number, service in enumerate(services()):
                if all(program(name) for name in service.needs):
                    self.start(service, 11 + number)
                else:
                    self.missing.append(service.name)
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for namespace in self.namespaces:
            for pid in run("ip", "netns", "pids", namespace, check=False).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        for process in self.processes:
            process.wait()
        for namespace in self.namespaces:
            run("ip", "netns", "del", namespace, check=False)

    def add(self, namespace):
        """A namespace without IPv6."""
        run("ip", "netns", "add", namespace)
        self.namespaces.append(namespace)
        run("ip", "netns", "exec", namespace, "sh", "-c", "for f in all default; do "
            "echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done 2>/dev/null; ip link set lo up")

    def join(self, namespace, address, number):
        """A new namespace on the bridge."""
        self.add(namespace)
        run("ip", "-n", namespace, "link", "add", INTERFACE, "address", f"02:92:00:00:00:{number:02x}", "type", "veth",
            "peer", "name", f"port{number}", "netns", self.switch)
        run("ip", "-n", self.switch, "link", "set", f"port{number}", "master", "lan", "up")
        run("ip", "-n", namespace, "link", "set", INTERFACE, "up")
        run("ip", "-n", namespace, "address", "add", f"{address}/24", "dev", INTERFACE)

    def start(self, service, number):
        """A host and what runs on it."""
        namespace = self.prefix + service.name
        self.join(namespace, service.address, number)
        directory = self.directory / service.name
        directory.mkdir()
        with open(self.directory / f"{service.name}.log", "wb") as log:
            self.processes.append(subprocess.Popen(
                ["ip", "netns", "exec", namespace, "sh", "-c", PRELUDE, "sh", directory, service.script],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "ADDRESS": service.address}))
        self.hosts.append(service)

    def wait(self, seconds=60):
        """Until each kernel lists the ports that the script says."""
        limit = time.monotonic() + seconds
        waiting = list(self.hosts)
        while waiting:
            waiting = [s for s in waiting if not self.up(s)]
            if waiting and time.monotonic() > limit:
                sys.exit("does not listen: " + ", ".join(
                    f"{s.name} ({(self.directory / (s.name + '.log')).read_text(errors='replace')[-400:].strip()})"
                    for s in waiting))
            time.sleep(0.1)

    def up(self, service):
        """Whether a host listens as its script says."""
        open_ = listening(self.prefix + service.name)
        return service.tcp <= open_["tcp"] and service.udp <= open_["udp"]
