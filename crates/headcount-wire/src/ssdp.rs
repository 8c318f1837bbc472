//! The search request of UPnP discovery (UPnP Device Architecture 2.0, section 1.3.2).

use std::net::Ipv4Addr;

/// Port of discovery.
pub const PORT: u16 = 1900;
/// Group of discovery.
pub const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
/// Search target: every root device, once each.
pub const ROOT_DEVICE: &str = "upnp:rootdevice";

/// A search for `st`: a search target such as [`ROOT_DEVICE`]. Devices answer within one second. Control characters in
/// `st` are left out, so that it stays one header line.
pub fn m_search(st: &str) -> Vec<u8> {
    let st: String = st.chars().filter(|c| !c.is_control()).collect();
    format!(
        "M-SEARCH * HTTP/1.1\r\nHOST: {GROUP}:{PORT}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {st}\r\n\
         CPFN.UPNP.ORG: headcount\r\n\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_one_request() {
        assert_eq!(
            m_search("upnp:root\r\ndevice"),
            b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
              ST: upnp:rootdevice\r\nCPFN.UPNP.ORG: headcount\r\n\r\n"
        );
    }
}
