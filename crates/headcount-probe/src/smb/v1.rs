//! The first generation of SMB: MS-CIFS and MS-SMB.

use crate::{
    Out,
    little::{u16_at, u32_at, utf16_line},
    ntlm,
};

const MAGIC: &[u8] = b"\xffSMB";
const HEADER: usize = 32;
const NEGOTIATE: u8 = 0x72;
const SESSION_SETUP_ANDX: u8 = 0x73;
const MORE_PROCESSING_REQUIRED: u32 = 0xc000_0016;
const EXTENDED_SECURITY: u32 = 1 << 31;
/// Case-insensitive and canonical paths.
const FLAGS: u8 = 0x18;
/// Unicode, NT status codes, extended security, long names.
const FLAGS2: u16 = 0xc801;

fn header(command: u8) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend([command, 0, 0, 0, 0, FLAGS]);
    header.extend(FLAGS2.to_le_bytes());
    // Process high, signature, reserved, tree.
    header.extend([0; 12]);
    header.extend([0xff, 0xff]);
    // Process, user, multiplex.
    header.extend([1, 0, 0, 0, 0, 0]);
    header
}

/// The question that a server of either generation understands (MS-SMB2, section 3.2.4.2.2.1).
pub(super) fn negotiate() -> Vec<u8> {
    const DIALECTS: &[u8] = b"\x02NT LM 0.12\0\x02SMB 2.002\0\x02SMB 2.???\0";
    let mut message = header(NEGOTIATE);
    message.push(0);
    message.extend((DIALECTS.len() as u16).to_le_bytes());
    message.extend(DIALECTS);
    message
}

/// The answer to it of a server that knows only the first generation (MS-CIFS, section 2.2.4.52.2).
pub(super) struct Negotiated {
    pub(super) signing: &'static str,
    pub(super) extended_security: bool,
}

impl Negotiated {
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        const REQUIRED: u8 = 8;
        const ENABLED: u8 = 4;
        let (NEGOTIATE, 0, words) = answer(message)? else { return None };
        if words.len() < 34 || u16_at(words, 0)? != 0 {
            return None;
        }
        let mode = *words.get(2)?;
        let signing = match mode {
            _ if mode & REQUIRED != 0 => "required",
            _ if mode & ENABLED != 0 => "enabled",
            _ => "disabled",
        };
        Some(Self { signing, extended_security: u32_at(words, 19)? & EXTENDED_SECURITY != 0 })
    }
}

/// Asks for a challenge (MS-SMB, section 2.2.4.6.1).
pub(super) fn session_setup() -> Vec<u8> {
    /// Unicode, NT SMBs, NT status codes.
    const CAPABILITIES: u32 = EXTENDED_SECURITY | 0x54;
    let token = ntlm::spnego_negotiate();
    let mut message = header(SESSION_SETUP_ANDX);
    message.extend([12, 0xff, 0, 0, 0]);
    // Largest message, outstanding requests, virtual circuit.
    for number in [16_644_u16, 1, 0] {
        message.extend(number.to_le_bytes());
    }
    message.extend([0; 4]);
    message.extend((token.len() as u16).to_le_bytes());
    message.extend([0; 4]);
    message.extend(CAPABILITIES.to_le_bytes());
    let mut bytes = token;
    // Text begins at an even offset; the names of our system and of our software are left empty.
    let even = (message.len() + 2 + bytes.len()) % 2;
    bytes.extend(std::iter::repeat_n(0, even + 4));
    message.extend((bytes.len() as u16).to_le_bytes());
    message.extend(bytes);
    message
}

/// Says what the answer to that says (MS-SMB, section 2.2.4.6.2).
pub(super) fn say_challenge(message: &[u8], out: &mut Out) {
    let Some((SESSION_SETUP_ANDX, MORE_PROCESSING_REQUIRED, words)) = answer(message) else { return };
    let Some(length) = u16_at(words, 6).map(usize::from) else { return };
    let start = HEADER + 1 + words.len() + 2;
    let Some((token, text)) = message.get(start..).and_then(|bytes| bytes.split_at_checked(length)) else {
        return;
    };
    ntlm::say(token, out);
    let text = text.get((start + length) % 2..).unwrap_or_default();
    let (system, rest) = utf16_line(text);
    let (software, _) = utf16_line(rest);
    out.say("smb.native_os", system);
    out.say("smb.native_lm", software);
}

/// Command, status and words of an answer.
fn answer(message: &[u8]) -> Option<(u8, u32, &[u8])> {
    if !message.starts_with(MAGIC) {
        return None;
    }
    let (command, status) = (*message.get(4)?, u32_at(message, 5)?);
    let words = usize::from(*message.get(HEADER)?) * 2;
    Some((command, status, message.get(HEADER + 1..)?.get(..words)?))
}
