//! Reading and writing big-endian fields at offsets a parser has already checked.

use std::{net::Ipv4Addr, ops::Range};

use headcount_model::MacAddr;

/// Big-endian fields of a slice that is known to hold them; panics like slice indexing otherwise.
#[inline]
pub(crate) fn read_u16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

#[inline]
pub(crate) fn read_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[inline]
pub(crate) fn read_ipv4(bytes: &[u8], field: Range<usize>) -> Ipv4Addr {
    Ipv4Addr::from_bits(read_u32(bytes, field.start))
}

#[inline]
pub(crate) fn read_mac(bytes: &[u8], field: Range<usize>) -> MacAddr {
    let mut mac = [0; 6];
    mac.copy_from_slice(&bytes[field]);
    MacAddr(mac)
}

#[inline]
pub(crate) fn write_u16(bytes: &mut [u8], field: Range<usize>, value: u16) {
    bytes[field].copy_from_slice(&value.to_be_bytes());
}

#[inline]
pub(crate) fn write_u32(bytes: &mut [u8], field: Range<usize>, value: u32) {
    bytes[field].copy_from_slice(&value.to_be_bytes());
}
