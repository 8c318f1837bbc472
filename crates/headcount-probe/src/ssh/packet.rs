//! SSH's binary packets in the clear (RFC 4253, section 6) and the fields inside them (RFC 4251, section 5).

/// Longest packet that is taken (RFC 4253, section 6.1, asks for 35000).
const LONGEST: usize = 35_000;

/// A stream that holds no packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotPackets;

/// Takes a stream and gives its packets' payloads.
#[derive(Default)]
pub(super) struct Packets {
    bytes: Vec<u8>,
    start: usize,
}

impl Packets {
    /// More of the stream.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next packet that is there whole.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, NotPackets> {
        let bytes = self.bytes.get(self.start..).unwrap_or_default();
        let Some((length, rest)) = bytes.split_first_chunk() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if !(2..=LONGEST).contains(&length) {
            return Err(NotPackets);
        }
        let Some([padding, body @ ..]) = rest.get(..length) else { return Ok(None) };
        let payload = body.len().checked_sub(usize::from(*padding)).and_then(|end| body.get(..end));
        let payload = payload.ok_or(NotPackets)?.to_vec();
        self.start += 4 + length;
        Ok(Some(payload))
    }
}

/// A packet around this payload: padded to eight bytes, with four at the least.
pub(super) fn wrapped(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (8 - (payload.len() + 9) % 8) % 8;
    let length = (1 + payload.len() + padding) as u32;
    let mut packet = Vec::from(length.to_be_bytes());
    packet.push(padding as u8);
    packet.extend_from_slice(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// Appends a string: its length and its bytes.
pub(super) fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    out.extend((string.len() as u32).to_be_bytes());
    out.extend_from_slice(string);
}

/// Reads fields.
pub(super) struct Field;

impl Field {
    /// The string at the front and what follows it.
    pub(super) fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let (length, rest) = bytes.split_first_chunk()?;
        rest.split_at_checked(u32::from_be_bytes(*length) as usize)
    }
}

/// The lists of a server's KEXINIT that say what it is (RFC 4253, section 7.1); the last three in the direction to
/// the client.
pub(super) struct KexInit<'a> {
    pub(super) kex: &'a [u8],
    pub(super) cipher: &'a [u8],
    pub(super) mac: &'a [u8],
    pub(super) compression: &'a [u8],
}

impl<'a> KexInit<'a> {
    /// Reads what follows the message's number.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (_cookie, mut rest) = bytes.split_first_chunk::<16>()?;
        let mut list = || {
            let (list, after) = Field::string(rest)?;
            rest = after;
            Some(list)
        };
        let (kex, _host_keys, _, cipher, _, mac, _, compression) =
            (list()?, list()?, list()?, list()?, list()?, list()?, list()?, list()?);
        Some(Self { kex, cipher, mac, compression })
    }
}
