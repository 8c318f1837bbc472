//! Names by DNS: PTR records of addresses, and addresses of the targets' names.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{
        ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts,
    },
    net::runtime::TokioRuntimeProvider,
    proto::rr::RData,
};

use crate::NetError;

/// How long one name server has to answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Look-ups on the way to one server at once.
const IN_FLIGHT: usize = 1024;
/// The most names of one address that are kept.
const NAMES: usize = 16;

/// Asks name servers.
#[derive(Clone)]
pub struct Resolver {
    config: ResolverConfig,
}

impl Resolver {
    /// The system's name servers.
    ///
    /// # Errors
    /// The system's configuration cannot be read or names no server.
    pub fn system() -> Result<Self, NetError> {
        let (config, _) = hickory_resolver::system_conf::read_system_conf()
            .map_err(|error| NetError::NoNameServers { cause: error.to_string() })?;
        if config.name_servers().is_empty() {
            return Err(NetError::NoNameServers { cause: "none is configured".into() });
        }
        Ok(Self { config })
    }

    /// These name servers, by UDP and TCP.
    pub fn servers(servers: &[SocketAddr]) -> Self {
        let server = |at: &SocketAddr| {
            let connections = [ProtocolConfig::Udp, ProtocolConfig::Tcp]
                .into_iter()
                .map(|protocol| {
                    let mut connection = ConnectionConfig::new(protocol);
                    connection.port = at.port();
                    connection
                })
                .collect();
            NameServerConfig::new(at.ip(), true, connections)
        };
        Self { config: ResolverConfig::from_parts(None, Vec::new(), servers.iter().map(server).collect()) }
    }

    /// A running resolver, within an async runtime.
    ///
    /// With `hosts`, the system's hosts file comes before the servers.
    pub(crate) fn start(&self, hosts: bool) -> Result<TokioResolver, NetError> {
        let mut options = ResolverOpts::default();
        options.timeout = TIMEOUT;
        options.attempts = 1;
        options.use_hosts_file = if hosts { ResolveHosts::Always } else { ResolveHosts::Never };
        options.try_tcp_on_error = false;
        options.max_active_requests = IN_FLIGHT;
        TokioResolver::builder_with_config(self.config.clone(), TokioRuntimeProvider::default())
            .with_options(options)
            .build()
            .map_err(|error| NetError::NoNameServers { cause: error.to_string() })
    }

    /// The IPv4 addresses of a target's name, sorted, at least one: from the system's hosts file, else from the
    /// servers, where a short name is tried with the system's search list.
    ///
    /// # Errors
    /// The servers do not answer or know no IPv4 address of it.
    pub async fn resolve_name(&self, name: &str) -> Result<Vec<Ipv4Addr>, NetError> {
        let failed = |cause: String| NetError::Name { name: name.to_owned(), cause };
        let found = self.start(true)?.ipv4_lookup(name).await.map_err(|error| failed(error.to_string()))?;
        let mut addresses: Vec<_> = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::A(address) => Some(address.0),
                _ => None,
            })
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() { Err(failed("it has none".into())) } else { Ok(addresses) }
    }
}

/// The names of an address, sorted; empty when it has none or the servers did not say.
pub(crate) async fn names_of(resolver: &TokioResolver, address: Ipv4Addr) -> Vec<String> {
    let Ok(found) = resolver.reverse_lookup(IpAddr::V4(address)).await else { return Vec::new() };
    let mut names: Vec<_> = found
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::PTR(name) => Some(name.0.to_string().trim_end_matches('.').to_owned()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(NAMES);
    names
}
