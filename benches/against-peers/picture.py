#!/usr/bin/env python3
"""Measures the time to the full picture of a LAN of real daemons: headcount beside nmap.

The hosts are the scripts of tests/services, each in a network namespace with an address of its own; nothing leads out.
Both tools ask the same TCP ports (headcount's default ones) of the same /24, in a new order each round. nmap's UDP
ports are those that headcount asks without any other sign. Prints a table in Markdown (medians) and the raw lines.
Needs root, iproute2 and GNU time; daemons that are not installed are left out and named.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import lan
import measure

UDP = "53,123,137,161,623,1900,3702,5060,5353,5683"


def headcount(options, _ports, out):
    """The command of headcount."""
    return [options.headcount, "scan", lan.NETWORK, "--careful", "--no-dns", "--no-log", "--quiet", "--json", str(out)]


def nmap(_options, ports, out):
    """The command of nmap: versions, UDP and the system, with the speed that its manual suggests for a LAN."""
    return ["nmap", "-n", "-sS", "-sU", "-sV", "-O", "-T4", "-p", f"T:{ports},U:{UDP}", "-oX", str(out), lan.NETWORK]


def named_by_headcount(out):
    """Per address: what names the software, what names the device."""
    named = {}
    for device in json.loads(out.read_text(encoding="utf-8"))["devices"]:
        values = {}
        for attribute in device.get("attributes", []):
            values.setdefault(attribute["name"], attribute["value"])
        software = values.get("service.product")
        thing = values.get("device.type") or values.get("device.product") or values.get("device.vendor")
        for interface in device["interfaces"]:
            for address in interface["addresses"]:
                named[address["address"]] = (software, thing)
    return named


def named_by_nmap(out):
    """The same of nmap: the product of a service; the type of a device that a service gave away."""
    named = {}
    for host in xml.etree.ElementTree.parse(out).getroot().iter("host"):
        address = host.find("address[@addrtype='ipv4']").get("addr")
        services = [s for port in host.iter("port") for s in port.iter("service")]
        software = next((s.get("product") for s in services if s.get("product")), None)
        thing = next((s.get("devicetype") for s in services if s.get("devicetype")), None)
        named[address] = (software, thing)
    return named


TOOLS = {"headcount": (headcount, named_by_headcount), "nmap -sS -sU -sV -O": (nmap, named_by_nmap)}


def measured(options, network, tool, ports, directory):
    """Runs one tool once."""
    command, named_by = TOOLS[tool]
    out, times = directory / "out", directory / "times"
    out.unlink(missing_ok=True)
    lan.run("ip", "-n", network.scanner, "neighbour", "flush", "dev", lan.INTERFACE)
    before = measure.packets_sent(network.scanner)
    done = subprocess.run(
        ["/usr/bin/time", "-f", "%e %U %S %M", "-o", times, "timeout", str(options.timeout),
         "ip", "netns", "exec", network.scanner, *command(options, ports, out)],
        check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    sent = measure.packets_sent(network.scanner) - before
    wall, user, system, peak = map(float, times.read_text(encoding="utf-8").split("\n")[-2].split())
    if done.returncode != 0:
        print(f"{tool} ended with {done.returncode} after {wall} s: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return {"tool": tool, "wall_s": wall, "ended": done.returncode}
    hosts = {service.address: service.name for service in network.hosts}
    named = {address: names for address, names in named_by(out).items() if address in hosts}
    return {"tool": tool, "ended": 0, "there": len(hosts), "found": len(named),
            "software": sorted(hosts[a] for a, (software, _) in named.items() if software),
            "device": sorted(hosts[a] for a, (_, thing) in named.items() if thing),
            "either": sum(bool(software or thing) for software, thing in named.values()),
            "wall_s": wall, "cpu_s": round(user + system, 2), "packets": sent, "peak_kb": int(peak)}


def report(rows, missing):
    """The table and the raw lines."""
    print("| tool | found | software named | device named | either | wall s | CPU s | packets sent | peak MiB |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    walls = {}
    for tool in TOOLS:
        mine = [row for row in rows if row["tool"] == tool and row["ended"] == 0]
        if not mine:
            print(f"| {tool} | did not end in time |")
            continue
        middle = {key: statistics.median(row[key] for row in mine) for key in ("wall_s", "cpu_s", "packets", "peak_kb")}
        walls[tool] = middle["wall_s"]
        worst = min(mine, key=lambda row: row["either"])
        print(f"| {tool} | {worst['found']}/{worst['there']} | {len(worst['software'])} | {len(worst['device'])} "
              f"| {worst['either']} | {middle['wall_s']:.1f} | {middle['cpu_s']:.1f} | {middle['packets']:.0f} "
              f"| {middle['peak_kb'] / 1024:.1f} |")
    if len(walls) == 2:
        first, second = walls.values()
        print(f"\nnmap takes {second / first:.1f} times as long.")
    about = measure.machine()
    print(f"\n{about['processor']}, {about['cores']} cores, {about['memory_gib']} GiB, Linux {about['kernel']}, "
          f"{about['date']}, load {about['load']:.1f}; nmap {measure.version('nmap')}.")
    if missing:
        print(f"Not installed: {', '.join(missing)}.")
    print("\n```json\n" + "\n".join(json.dumps({**about, **row}) for row in rows) + "\n```")


def main():
    """Rounds, in an order that turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headcount", default=str(lan.ROOT / "target" / "release" / "headcount"),
                        help="the program, a release build")
    parser.add_argument("--runs", type=int, default=3, help="rounds")
    parser.add_argument("--timeout", type=int, default=900, help="seconds that one measurement may take")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("network namespaces and raw sockets need root")
    for needed in ("ip", "ss", "nmap", "/usr/bin/time", options.headcount):
        if not shutil.which(needed):
            sys.exit(f"{needed} is missing")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        with lan.Lan(directory) as network:
            # The first scan only tells the ports; it is not counted.
            warm = directory / "warm"
            lan.run("ip", "netns", "exec", network.scanner, *headcount(options, "", warm))
            ports = json.loads(warm.read_text(encoding="utf-8"))["run"]["ports"]
            for number in range(options.runs):
                for tool in list(TOOLS)[:: -1 if number % 2 else 1]:
                    rows.append({**measured(options, network, tool, ports, directory), "round": number + 1})
                    print(f"round {number + 1}, {tool}: {rows[-1]['wall_s']} s", file=sys.stderr)
            missing = network.missing
    report(rows, missing)


if __name__ == "__main__":
    main()
