//! The ports of the devices that headcount is for, most telling first.

use headcount_model::{PortSet, Transport};

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Web pages and interfaces.
    Web,
    /// Shells, desktops, management.
    Remote,
    /// Cameras and recorders.
    Camera,
    /// Printers; known by name only, nothing is ever written to them.
    Printing,
    /// Telephones and conference systems.
    Voice,
    /// Building automation and home devices.
    Building,
    /// Industrial control.
    Industry,
    /// File sharing and directories.
    File,
    /// Databases and messaging.
    Database,
    /// Names, mail, time: what networks need.
    Network,
}

/// A TCP port worth asking.
#[derive(Clone, Copy, Debug)]
pub struct KnownPort {
    /// The port.
    pub port: u16,
    /// Its service's usual name.
    pub name: &'static str,
    /// What it is for.
    pub group: Group,
}

/// Ports that a printer prints from whatever is written to them. The gate lets no byte of payload through to them.
pub const NEVER_WRITTEN: &[(u16, u16)] = &[(515, 515), (9100, 9107), (9112, 9116)];

/// Whether nothing may be written to `port`.
pub fn is_never_written(port: u16) -> bool {
    NEVER_WRITTEN.iter().any(|(first, last)| (*first..=*last).contains(&port))
}

/// The default TCP ports.
pub fn default_ports() -> PortSet {
    TCP.iter().map(|known| known.port).collect()
}

/// The first `count` of the default TCP ports, most telling first.
pub fn top_ports(count: usize) -> PortSet {
    TCP.iter().take(count).map(|known| known.port).collect()
}

/// The TCP ports that find hosts behind a router: one of these answers on nearly every device, open or closed.
pub fn discovery_ports() -> PortSet {
    top_ports(12)
}

/// The usual name of a port's service.
pub fn service_name(transport: Transport, port: u16) -> Option<&'static str> {
    match transport {
        Transport::Tcp => TCP.iter().find(|known| known.port == port).map(|known| known.name),
        Transport::Udp => {
            crate::payload::PORTS.iter().find(|(known, _)| *known == port).map(|(_, name)| *name)
        }
    }
}

const fn known(port: u16, name: &'static str, group: Group) -> KnownPort {
    KnownPort { port, name, group }
}

use Group::{Building, Camera, Database, File, Industry, Network, Printing, Remote, Voice, Web};

/// The default TCP ports, most telling first. Names are IANA's (Service Name and Transport Protocol Port Number
/// Registry) or the makers' own.
pub const TCP: &[KnownPort] = &[
    known(80, "http", Web),
    known(443, "https", Web),
    known(22, "ssh", Remote),
    known(445, "microsoft-ds", File),
    known(3389, "ms-wbt-server", Remote),
    known(23, "telnet", Remote),
    known(8080, "http-alt", Web),
    known(554, "rtsp", Camera),
    known(135, "epmap", Remote),
    known(9100, "jetdirect", Printing),
    known(62078, "iphone-sync", Remote),
    known(5060, "sip", Voice),
    known(21, "ftp", File),
    known(139, "netbios-ssn", File),
    known(8443, "https-alt", Web),
    known(53, "domain", Network),
    known(631, "ipp", Printing),
    known(515, "printer", Printing),
    known(5900, "vnc", Remote),
    known(25, "smtp", Network),
    known(111, "sunrpc", File),
    known(2049, "nfs", File),
    known(1883, "mqtt", Building),
    known(5000, "upnp", Web),
    known(8000, "http-alt2", Web),
    known(8008, "http-cast", Web),
    known(8009, "castv2", Web),
    known(7000, "airplay", Web),
    known(502, "modbus", Industry),
    known(102, "iso-tsap", Industry),
    known(44818, "ethernet-ip", Industry),
    known(8081, "http-alt3", Web),
    known(8888, "http-alt4", Web),
    known(81, "http-alt5", Web),
    known(88, "kerberos", File),
    known(389, "ldap", File),
    known(636, "ldaps", File),
    known(548, "afp", File),
    known(873, "rsync", File),
    known(3306, "mysql", Database),
    known(5432, "postgresql", Database),
    known(1433, "ms-sql", Database),
    known(1521, "oracle", Database),
    known(27017, "mongodb", Database),
    known(6379, "redis", Database),
    known(11211, "memcached", Database),
    known(9200, "elasticsearch", Database),
    known(5672, "amqp", Database),
    known(8883, "mqtts", Building),
    known(110, "pop3", Network),
    known(143, "imap", Network),
    known(465, "smtps", Network),
    known(587, "submission", Network),
    known(993, "imaps", Network),
    known(995, "pop3s", Network),
    known(5061, "sips", Voice),
    known(1720, "h323", Voice),
    known(2000, "sccp", Voice),
    known(1935, "rtmp", Camera),
    known(8554, "rtsp-alt", Camera),
    known(34567, "xmeye", Camera),
    known(37777, "dahua", Camera),
    known(7001, "dw-spectrum", Camera),
    known(5985, "winrm", Remote),
    known(5986, "winrm-tls", Remote),
    known(8291, "winbox", Remote),
    known(8728, "routeros-api", Remote),
    known(2222, "ssh-alt", Remote),
    known(5901, "vnc-1", Remote),
    known(5800, "vnc-http", Remote),
    known(623, "ipmi", Remote),
    known(902, "vmware-auth", Remote),
    known(8006, "proxmox", Remote),
    known(9090, "http-admin", Web),
    known(10000, "webmin", Web),
    known(8088, "http-alt6", Web),
    known(8082, "http-alt7", Web),
    known(8181, "http-alt8", Web),
    known(9443, "https-alt2", Web),
    known(4443, "https-alt3", Web),
    known(5001, "https-nas", Web),
    known(3000, "http-app", Web),
    known(8123, "home-assistant", Building),
    known(6053, "esphome", Building),
    known(1400, "sonos", Building),
    known(8060, "roku", Building),
    known(3689, "daap", Building),
    known(49152, "upnp-alt", Building),
    known(6668, "tuya", Building),
    known(9999, "kasa", Building),
    known(1911, "niagara-fox", Building),
    known(4911, "niagara-foxs", Building),
    known(41794, "crestron", Building),
    known(20000, "dnp3", Industry),
    known(2404, "iec-104", Industry),
    known(4840, "opc-ua", Industry),
    known(1962, "pcworx", Industry),
    known(9600, "fins", Industry),
    known(5007, "melsec", Industry),
    known(18245, "ge-srtp", Industry),
    known(11740, "codesys", Industry),
    known(2455, "codesys-2", Industry),
    known(5094, "hart-ip", Industry),
    known(4001, "serial-server", Industry),
    known(4800, "moxa", Industry),
    known(104, "dicom", Industry),
    known(11112, "dicom-alt", Industry),
    known(2575, "hl7", Industry),
    known(4370, "zkteco", Building),
    known(3260, "iscsi", File),
    known(1723, "pptp", Network),
    known(179, "bgp", Network),
    known(7547, "cwmp", Network),
    known(2601, "zebra", Network),
    known(6000, "x11", Remote),
    known(8834, "nessus", Remote),
    known(9000, "http-alt9", Web),
    known(32400, "plex", Web),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_port_and_name_is_there_once() {
        let ports: BTreeSet<u16> = TCP.iter().map(|known| known.port).collect();
        let names: BTreeSet<&str> = TCP.iter().map(|known| known.name).collect();
        assert_eq!(ports.len(), TCP.len());
        assert_eq!(names.len(), TCP.len());
    }

    #[test]
    fn every_group_is_asked() {
        let groups: BTreeSet<Group> = TCP.iter().map(|known| known.group).collect();
        assert_eq!(groups.len(), 10);
        assert_eq!(top_ports(3).to_string(), "22,80,443");
    }

    #[test]
    fn printing_ports_are_never_written() {
        for port in [515, 9100, 9107, 9112, 9116] {
            assert!(is_never_written(port));
        }
        for port in [514, 631, 9099, 9108, 9117] {
            assert!(!is_never_written(port));
        }
    }
}
