//! The second generation of SMB: MS-SMB2.

use crate::{
    little::{u16_at, u32_at},
    ntlm,
};

/// Start of every message.
pub(super) const MAGIC: &[u8] = b"\xfeSMB";
/// The dialect of a server that wants to be asked again (section 2.2.4).
pub(super) const ANY: u16 = 0x02ff;

const HEADER: usize = 64;
const NEGOTIATE: u16 = 0;
const SESSION_SETUP: u16 = 1;
const MORE_PROCESSING_REQUIRED: u32 = 0xc000_0016;
const SIGNING_ENABLED: u16 = 1;
const SIGNING_REQUIRED: u16 = 2;
const DIALECTS: [(u16, &str); 5] =
    [(0x0202, "2.0.2"), (0x0210, "2.1"), (0x0300, "3.0"), (0x0302, "3.0.2"), (0x0311, "3.1.1")];

/// The usual name of a dialect.
pub(super) fn dialect_name(dialect: u16) -> Option<&'static str> {
    DIALECTS.iter().find(|(number, _)| *number == dialect).map(|(_, name)| *name)
}

fn header(command: u16, id: u64) -> Vec<u8> {
    // The first message costs no credit yet (section 3.2.4.1.5).
    let charge = u8::from(command != NEGOTIATE);
    let mut header = MAGIC.to_vec();
    header.extend([64, 0, charge, 0]);
    header.extend([0; 4]);
    header.extend(command.to_le_bytes());
    // One credit is asked for; flags, next command.
    header.extend([1, 0]);
    header.extend([0; 8]);
    header.extend(id.to_le_bytes());
    // Process, tree, session, signature.
    header.resize(HEADER, 0);
    header
}

/// Offers every dialect (section 2.2.3).
pub(super) fn negotiate(random: &[u8; 32]) -> Vec<u8> {
    let mut message = header(NEGOTIATE, 1);
    message.extend([36, 0, DIALECTS.len() as u8, 0, SIGNING_ENABLED as u8, 0, 0, 0]);
    // No capabilities; a client's identifier.
    message.extend([0; 4]);
    message.extend(&random[..16]);
    let dialects = message.len() + 8;
    let contexts = (dialects + 2 * DIALECTS.len()).next_multiple_of(8);
    message.extend((contexts as u32).to_le_bytes());
    message.extend([2, 0, 0, 0]);
    for (dialect, _) in DIALECTS {
        message.extend(dialect.to_le_bytes());
    }
    message.resize(contexts, 0);
    // Integrity before authentication: one hash, SHA-512, and a salt (section 2.2.3.1.1).
    message.extend([1, 0, 38, 0, 0, 0, 0, 0, 1, 0, 32, 0, 1, 0]);
    message.extend(random);
    message.resize(message.len().next_multiple_of(8), 0);
    // Encryption: AES-128 in GCM and CCM (section 2.2.3.1.2).
    message.extend([2, 0, 6, 0, 0, 0, 0, 0, 2, 0, 2, 0, 1, 0]);
    message
}

/// What a server answers to a negotiation (section 2.2.4).
pub(super) struct Negotiated {
    pub(super) dialect: u16,
    pub(super) signing: &'static str,
}

impl Negotiated {
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        let (NEGOTIATE, 0, body) = answer(message)? else { return None };
        let mode = u16_at(body, 2)?;
        let signing = if mode & SIGNING_REQUIRED != 0 { "required" } else { "enabled" };
        Some(Self { dialect: u16_at(body, 4)?, signing })
    }
}

/// Asks for a challenge (section 2.2.5).
pub(super) fn session_setup(id: u64) -> Vec<u8> {
    const BODY: usize = 24;
    let token = ntlm::spnego_negotiate();
    let mut message = header(SESSION_SETUP, id);
    message.extend([25, 0, 0, SIGNING_ENABLED as u8]);
    // Capabilities, channel.
    message.extend([0; 8]);
    message.extend(((HEADER + BODY) as u16).to_le_bytes());
    message.extend((token.len() as u16).to_le_bytes());
    // No earlier session.
    message.extend([0; 8]);
    message.extend(token);
    message
}

/// The token in the answer to that (section 2.2.6).
pub(super) fn challenge(message: &[u8]) -> Option<&[u8]> {
    let (SESSION_SETUP, MORE_PROCESSING_REQUIRED, body) = answer(message)? else { return None };
    let (start, length) = (usize::from(u16_at(body, 4)?), usize::from(u16_at(body, 6)?));
    message.get(start..)?.get(..length)
}

/// Command, status and body of an answer.
fn answer(message: &[u8]) -> Option<(u16, u32, &[u8])> {
    if !message.starts_with(MAGIC) {
        return None;
    }
    Some((u16_at(message, 12)?, u32_at(message, 8)?, message.get(HEADER..)?))
}
