//! `headcount doctor`: what this machine and user can do, what is lost, and how to get it.

use std::fmt::Write as _;

use headcount_net::{Ability, Capabilities, Interface, InterfaceKind};

use crate::{
    exit::{self, Failure},
    session_output,
};

/// Looks, and prints what it finds.
pub(super) fn run() -> Result<u8, Failure> {
    let can = headcount_net::capabilities().map_err(Failure::failed)?;
    let interfaces = headcount_net::interfaces().map_err(Failure::failed)?;
    session_output::print(&report(&can, &interfaces))?;
    Ok(exit::OK)
}

fn report(can: &Capabilities, interfaces: &[Interface]) -> String {
    let mut text = format!("headcount {}\n\n", env!("CARGO_PKG_VERSION"));
    let effective = match can.effective.len() {
        0 => "none".to_owned(),
        // Root's whole list says no more than its length does.
        many @ 9.. => {
            format!("{many}, cap_net_raw {}", if has_net_raw(can) { "among them" } else { "not among them" })
        }
        _ => can.effective.join(", "),
    };
    let _ = writeln!(text, "User id {}; capabilities in effect: {effective}\n", can.user);
    ability(
        &mut text,
        "raw frames",
        &can.raw_frames,
        "ARP, ICMP echo and TCP SYN by raw frames: the full sweep",
        "ARP is left to the kernel (slower, attached segments only), ports are asked by whole connections",
    );
    ability(
        &mut text,
        "echo",
        &can.echo,
        "ICMP echo by datagram sockets, without root",
        "without raw frames, hosts behind routers that answer nothing but echo are missed",
    );
    ability(
        &mut text,
        "neighbour table",
        &can.neighbours,
        "MAC addresses of attached hosts, without root",
        "without raw frames, no MAC address is known",
    );
    ability(
        &mut text,
        "namespaces",
        &can.namespaces,
        "`headcount demo` over a real interface",
        "`headcount demo` runs in pure simulation",
    );
    if let Some((soft, hard)) = can.descriptors {
        let _ = writeln!(
            text,
            "  open files        {soft} at once, may be raised to {hard}; a run without raw frames uses up to 512"
        );
    }
    text.push_str("\nInterfaces\n");
    for interface in interfaces {
        let mac = interface.mac.map_or_else(|| "-".to_owned(), |mac| mac.to_string());
        let state = if interface.up { "up" } else { "down" };
        let networks: Vec<String> = interface.networks.iter().map(ToString::to_string).collect();
        let networks = if networks.is_empty() { "no IPv4 address".to_owned() } else { networks.join(", ") };
        let _ = writeln!(
            text,
            "  {:<16} {:<9} {state:<5} {mac:<18} {networks}",
            interface.name,
            kind(interface.kind)
        );
    }
    text
}

fn ability(text: &mut String, name: &str, ability: &Ability, gives: &str, lost: &str) {
    match ability {
        Ability::Yes => {
            let _ = writeln!(text, "  {name:<16}  yes: {gives}");
        }
        Ability::No { why, way_out } => {
            let _ = writeln!(
                text,
                "  {name:<16}  no: {why}\n{:20}lost: {lost}\n{:20}to get it: {way_out}",
                "", ""
            );
        }
    }
}

fn has_net_raw(can: &Capabilities) -> bool {
    can.effective.iter().any(|capability| capability == "cap_net_raw")
}

fn kind(kind: InterfaceKind) -> &'static str {
    match kind {
        InterfaceKind::Ethernet => "ethernet",
        InterfaceKind::Loopback => "loopback",
        InterfaceKind::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_the_way_to_get_it() {
        let no = Ability::No { why: "not permitted".into(), way_out: "run as root".into() };
        let can = Capabilities {
            raw_frames: no,
            echo: Ability::Yes,
            neighbours: Ability::Yes,
            namespaces: Ability::Yes,
            effective: Vec::new(),
            user: 1000,
            descriptors: Some((1024, 4096)),
        };
        let text = report(&can, &[]);
        assert!(text.contains("raw frames        no: not permitted"), "{text}");
        assert!(text.contains("to get it: run as root") && text.contains("lost: ARP is left to the kernel"));
    }
}
