//! What a host is asked once it is known to be there: one file per protocol.
//!
//! A protocol is a static [`Probe`] (what it sends, why a normal client sends that, what it yields, how safe it is,
//! its budget) and a [`Conversation`]: a pure state machine that is told what happened on its connection and says
//! what to send and what was said. It has no clock, no socket and no randomness of its own, and its result does not
//! depend on how the network cut the stream. [`Exchange`] runs one under its budget, whatever the peer does.
//!
//! A new protocol is one file and one line of [`ALL`].

mod exchange;
mod probe;
mod select;

mod airplay;
mod bjnp;
mod cast;
mod coap;
mod dahua;
mod dns_version;
mod esphome;
mod fetch;
mod first_read;
mod ftp;
mod head;
mod html;
mod http;
mod http_favicon;
mod imap;
mod ipmi;
mod ipp;
mod kasa;
mod ldap;
mod lines;
mod little;
mod llmnr;
mod mdns;
mod memcached;
mod mndp;
mod mqtt;
mod mysql;
mod netbios;
mod nntp;
mod ntlm;
mod ntp;
mod plist;
mod pop3;
mod postgres;
mod rdp;
mod redis;
mod roku;
mod rtsp;
mod sadp;
mod sip;
mod sip_tcp;
mod smb;
mod smtp;
mod snmp;
mod snmp_community;
mod sonos;
mod ssdp;
mod ssh;
mod telnet;
mod tls;
mod tls_legacy;
mod ubiquiti;
mod upnp;
mod url;
mod vnc;
mod wsd;
mod xml;

#[cfg(test)]
mod transcript;

pub use exchange::{Exchange, Heard, Step};
pub use probe::{
    Budget, Carrier, Context, Conversation, End, Failure, Follow, Group, Out, Probe, Safety, Said, TlsFacts,
};
pub use select::{Host, Question, is_quiet_port, may_follow, questions};
pub use tls::describe as describe_tls;

/// Every probe, by name.
pub static ALL: &[&Probe] = &[
    &airplay::PROBE,
    &bjnp::PROBE,
    &cast::PROBE,
    &coap::PROBE,
    &dahua::PROBE,
    &dns_version::PROBE,
    &esphome::PROBE,
    &first_read::PROBE,
    &ftp::PROBE,
    &http::PROBE,
    &http_favicon::PROBE,
    &imap::PROBE,
    &ipmi::PROBE,
    &ipp::PROBE,
    &kasa::PROBE,
    &ldap::PROBE,
    &llmnr::PROBE,
    &llmnr::BY_TCP,
    &mdns::PROBE,
    &memcached::PROBE,
    &mndp::PROBE,
    &mqtt::PROBE,
    &mysql::PROBE,
    &netbios::PROBE,
    &nntp::PROBE,
    &ntp::PROBE,
    &pop3::PROBE,
    &postgres::PROBE,
    &rdp::PROBE,
    &redis::PROBE,
    &roku::PROBE,
    &rtsp::PROBE,
    &sadp::PROBE,
    &sip::PROBE,
    &sip_tcp::PROBE,
    &smb::PROBE,
    &smtp::PROBE,
    &snmp::PROBE,
    &snmp_community::PROBE,
    &sonos::PROBE,
    &ssdp::PROBE,
    &ssh::PROBE,
    &telnet::PROBE,
    &tls_legacy::PROBE,
    &ubiquiti::PROBE,
    &upnp::PROBE,
    &vnc::PROBE,
    &wsd::PROBE,
    &wsd::DEVICES,
];

/// The probe of that name.
pub fn named(name: &str) -> Option<&'static Probe> {
    ALL.iter().copied().find(|probe| probe.name == name)
}

#[cfg(test)]
mod tests;
