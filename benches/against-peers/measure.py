#!/usr/bin/env python3
"""Measures headcount beside arp-scan, nmap, fping and masscan on one simulated network.

Makes two network namespaces joined by a veth pair: in one the project's simulator plays a network, in the other the
tools sweep it, one after the other, in a new order each round. Nothing leads out of either. Prints a table in
Markdown (medians over the rounds; the worst round for what was found) and, below it, one line of JSON a measurement.
Needs root, iproute2 and GNU time; tools that are not installed are named as such.
"""

import argparse
import contextlib
import datetime
import ipaddress
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

INTERFACE = "eth0"
ROOT = pathlib.Path(__file__).resolve().parents[2]

# How each tool sweeps {network} for hosts that are there, with its own defaults unless the name says otherwise.
# masscan's own default of 100 packets a second is raised to headcount's, and it waits for ever where it finds no router;
# it sends its ARP requests to the router that is named, so that is everybody.
TOOLS = [
    ("headcount", "{headcount} scan {network} --discover-only --no-dns --no-log --quiet --json {out}"),
    ("headcount, fast", "{headcount} scan {network} --discover-only --no-dns --profile fast --json {out}"),
    ("arp-scan", "arp-scan -I {interface} -x -N {network}"),
    ("nmap -sn", "nmap -sn -n -oG {out} {network}"),
    ("fping", "fping -a -q -g {network}"),
    ("masscan --arpscan", "masscan --arpscan {network} -e {interface} --adapter-ip {own} "
     "--router-mac ff-ff-ff-ff-ff-ff --rate 1000 --wait 2 -oL {out}"),
]

# A frame a quarter second that means nothing (EtherType 0x88b5: local experiments). No link is quite silent, and on one
# that is, masscan 1.3.2 never ends: it looks at its clock only when something has arrived.
MURMUR = """
import socket, sys, time
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind((sys.argv[1], 0))
while True:
    link.send(bytes.fromhex("ffffffffffff" "020000000007" "88b5") + bytes(46))
    time.sleep(0.25)
"""


def run(*command, check=True):
    """Runs a command to its end and gives its standard output."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


@contextlib.contextmanager
def namespaces():
    """Two namespaces joined by a veth pair, without IPv6; yields the scanner's name and the player's."""
    names = [f"headcount-bench-{os.getpid()}-{role}" for role in ("scanner", "player")]
    try:
        for name in names:
            run("ip", "netns", "add", name)
            run("ip", "netns", "exec", name, "sh", "-c", "for f in all default; do "
                "echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done 2>/dev/null; ip link set lo up")
        scanner, player = names
        run("ip", "-n", scanner, "link", "add", INTERFACE, "type", "veth", "peer", "name", INTERFACE, "netns", player)
        for name in names:
            run("ip", "-n", name, "link", "set", INTERFACE, "up")
        yield scanner, player
    finally:
        for name in names:
            for pid in run("ip", "netns", "pids", name, check=False).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            run("ip", "netns", "del", name, check=False)


@contextlib.contextmanager
def playing(options, player, seed, directory):
    """A simulated network for one measurement; yields its true addresses."""
    truth = directory / "truth"
    truth.unlink(missing_ok=True)
    command = ["ip", "netns", "exec", player, options.headcount, "play", "--interface", INTERFACE,
               "--network", options.network, "--density", str(options.density), "--seed", str(seed), "--truth", str(truth)]
    if options.loss:
        command += ["--loss", str(options.loss)]
    if options.latency_us:
        command += ["--latency-us", str(options.latency_us)]
    with open(directory / "play.err", "w+", encoding="utf-8") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        murmur = subprocess.Popen(["ip", "netns", "exec", player, sys.executable, "-c", MURMUR, INTERFACE])
        try:
            limit = time.monotonic() + 10
            while "ready" not in (directory / "play.err").read_text(encoding="utf-8"):
                if process.poll() is not None or time.monotonic() > limit:
                    sys.exit(f"the simulator does not play: {(directory / 'play.err').read_text(encoding='utf-8')}")
                time.sleep(0.01)
            yield {line.split()[0] for line in truth.read_text(encoding="utf-8").splitlines() if line.strip()}
        finally:
            for child in (murmur, process):
                child.terminate()
                child.wait(timeout=10)


def take_address(options, scanner, truth):
    """Gives the scanner the highest address that nobody plays."""
    network = ipaddress.ip_network(options.network)
    own = next(str(a) for a in reversed(list(network.hosts())) if str(a) not in truth)
    run("ip", "-n", scanner, "address", "flush", "dev", INTERFACE)
    run("ip", "-n", scanner, "address", "add", f"{own}/{network.prefixlen}", "dev", INTERFACE)
    run("ip", "-n", scanner, "neighbour", "flush", "dev", INTERFACE)
    return own


def packets_sent(scanner):
    """Packets that left the scanner's interface so far."""
    statistics_ = json.loads(run("ip", "-n", scanner, "-s", "-j", "link", "show", INTERFACE))
    return statistics_[0]["stats64"]["tx"]["packets"]


def addresses_found(name, out, stdout, network):
    """The addresses of the network that a tool reports as present."""
    if name.startswith("headcount"):
        document = json.loads(out)
        found = {address["address"] for device in document["devices"] if not device["this_machine"]
                 for interface in device["interfaces"] for address in interface["addresses"]}
    elif name.startswith("nmap"):
        found = set(re.findall(r"^Host: (\S+).*Status: Up", out, re.M))
    elif name.startswith("masscan"):
        found = set(re.findall(r"(\d+\.\d+\.\d+\.\d+)", out))
    else:
        found = set(re.findall(r"^(\d+\.\d+\.\d+\.\d+)", stdout, re.M))
    return {address for address in found if ipaddress.ip_address(address) in network}


def measure(options, scanner, name, template, truth, own, directory):
    """Runs one tool once and says what it found and what that took."""
    out, times = directory / "out", directory / "times"
    for file in (out, times):
        file.unlink(missing_ok=True)
    command = [part.format(headcount=options.headcount, network=options.network, interface=INTERFACE, own=own, out=out)
               for part in template.split()]
    before = packets_sent(scanner)
    # GNU time starts the tool from a small process of its own, so that the peak is the tool's.
    timed = ["/usr/bin/time", "-f", "%e %U %S %M", "-o", times, "timeout", str(options.timeout)]
    done = subprocess.run([*timed, "ip", "netns", "exec", scanner, *command],
                          check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    sent = packets_sent(scanner) - before
    wall, user, system, peak = map(float, times.read_text(encoding="utf-8").split("\n")[-2].split())
    text = out.read_text(encoding="utf-8") if out.exists() else ""
    # fping says by its exit code that some addresses are silent.
    if done.returncode == 124:
        print(f"{name} was ended after {options.timeout} s", file=sys.stderr)
    elif done.returncode != 0 and not name.startswith("fping"):
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    found = addresses_found(name, text, done.stdout, ipaddress.ip_network(options.network)) - {own}
    return {"tool": name, "there": len(truth), "found": len(found & truth), "invented": len(found - truth),
            "wall_s": wall, "cpu_s": round(user + system, 3), "packets": sent, "peak_kb": int(peak),
            "command": " ".join(command[:1] + template.split()[1:])}


def version(name):
    """The version that a tool gives of itself."""
    flag = "-v" if name == "fping" else "--version"
    output = subprocess.run([name, flag], check=False, capture_output=True, text=True)
    match = re.search(r"\d+\.\d[\w.]*", output.stdout + output.stderr)
    return match.group(0) if match else "unknown version"


def machine():
    """What it was measured on, as far as the system says."""
    info = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"model name\s*: (.*)", info)
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(encoding="utf-8")).group(1))
    return {"processor": model.group(1) if model else os.uname().machine, "cores": os.cpu_count(),
            "memory_gib": round(memory / 2**20, 1), "kernel": os.uname().release,
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "load": os.getloadavg()[0]}


def row(name, rows):
    """One line of the table: medians, and the worst round for what was found."""
    middle = {key: statistics.median(r[key] for r in rows) for key in ("wall_s", "cpu_s", "packets", "peak_kb")}
    worst = min(rows, key=lambda r: r["found"] / r["there"])
    missed = sum(r["there"] - r["found"] for r in rows)
    recall = 100 * (1 - missed / sum(r["there"] for r in rows))
    return (f"| {name} | {worst['found']}/{worst['there']} | {recall:.2f} % | {max(r['invented'] for r in rows)} "
            f"| {middle['wall_s']:.2f} | {middle['cpu_s']:.2f} | {middle['packets']:.0f} "
            f"| {middle['peak_kb'] / 1024:.1f} |")


def report(options, tools, missing, rows):
    """The table, what it was measured on, and the raw lines."""
    about = machine()
    print(f"{options.network}, {options.density} % of the addresses taken, loss {options.loss} % each way, "
          f"latency {options.latency_us} µs, {options.runs} rounds.\n")
    print("| tool | found, worst round | recall | invented | wall s | CPU s | packets sent | peak MiB |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, _ in tools:
        print(row(name, [r for r in rows if r["tool"] == name]))
    peers = {template.split()[0] for name, template in tools if not name.startswith("headcount")}
    print(f"\n{about['processor']}, {about['cores']} cores, {about['memory_gib']} GiB, Linux {about['kernel']}, "
          f"{about['date']}, load {about['load']:.1f}; " + ", ".join(f"{p} {version(p)}" for p in sorted(peers)) + ".")
    if missing:
        print(f"Not installed: {', '.join(missing)}.")
    lines = "\n".join(json.dumps({**about, **r, "network": options.network, "loss": options.loss}) for r in rows)
    if options.raw:
        pathlib.Path(options.raw).write_text(lines + "\n", encoding="utf-8")
    else:
        print(f"\n```json\n{lines}\n```")


def arguments():
    """What may be chosen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headcount", default=str(ROOT / "target" / "release" / "headcount"),
                        help="the program, a release build; its simulator plays the network as well")
    parser.add_argument("--network", default="10.77.0.0/24")
    parser.add_argument("--density", type=int, default=30, help="per cent of the addresses that are taken")
    parser.add_argument("--loss", type=float, default=0, help="per cent of the packets lost, each way")
    parser.add_argument("--latency-us", type=int, default=400, help="microseconds to an answer")
    parser.add_argument("--runs", type=int, default=5, help="rounds")
    parser.add_argument("--only", default="", help="tools whose name contains one of these words, parted by commas")
    parser.add_argument("--timeout", type=int, default=60, help="seconds that one measurement may take")
    parser.add_argument("--raw", help="a file for the raw lines instead of printing them")
    return parser.parse_args()


def main():
    options = arguments()
    if os.geteuid() != 0:
        sys.exit("network namespaces and the peers' raw sockets need root")
    for needed in ("ip", "/usr/bin/time", options.headcount):
        if not shutil.which(needed):
            sys.exit(f"{needed} is missing" + (": cargo build --release" if needed == options.headcount else ""))
    wanted = [word for word in options.only.split(",") if word]
    tools = [(n, t) for n, t in TOOLS if not wanted or any(word in n for word in wanted)]
    missing = [n for n, t in tools if "{" not in t.split()[0] and not shutil.which(t.split()[0])]
    tools = [(n, t) for n, t in tools if n not in missing]
    # Ends the namespaces on a polite kill as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows = []
    with namespaces() as (scanner, player), tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        for number in range(options.runs):
            turn = number % len(tools)
            for tool, template in tools[turn:] + tools[:turn]:
                with playing(options, player, number + 1, directory) as truth:
                    own = take_address(options, scanner, truth)
                    result = measure(options, scanner, tool, template, truth, own, directory)
                rows.append({**result, "round": number + 1})
                print(f"round {number + 1} of {options.runs}, {tool}: {result['found']}/{result['there']} in "
                      f"{result['wall_s']} s", file=sys.stderr)
    report(options, tools, missing, rows)


if __name__ == "__main__":
    main()
