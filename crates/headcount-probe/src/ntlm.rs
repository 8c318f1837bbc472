//! The first two messages of NTLM: a client that names nobody, and a server that says who it is (MS-NLMP, sections
//! 2.2.1.1, 2.2.1.2 and 2.2.2.1). The third would carry a name and a proof; it is never made.

use headcount_wire::ber;

use crate::{
    Out,
    little::{u16_at, u32_at, utf16},
};

/// The fields that [`say`] can say.
pub(crate) const FIELD: &str = "ntlm.*";

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
const UNICODE: u32 = 1;
const OEM: u32 = 1 << 1;
const REQUEST_TARGET: u32 = 1 << 2;
const NTLM: u32 = 1 << 9;
const ALWAYS_SIGN: u32 = 1 << 15;
const EXTENDED_SESSION_SECURITY: u32 = 1 << 19;
const VERSION: u32 = 1 << 25;
const KEY_128: u32 = 1 << 29;
const KEY_56: u32 = 1 << 31;

/// The negotiate message, with neither domain nor workstation.
fn negotiate() -> Vec<u8> {
    const FLAGS: u32 = UNICODE
        | OEM
        | REQUEST_TARGET
        | NTLM
        | ALWAYS_SIGN
        | EXTENDED_SESSION_SECURITY
        | VERSION
        | KEY_128
        | KEY_56;
    let mut message = SIGNATURE.to_vec();
    message.extend(1_u32.to_le_bytes());
    message.extend(FLAGS.to_le_bytes());
    message.extend([0; 16]);
    // Version 6.1 without a build, revision 15 of NTLM (section 2.2.2.10).
    message.extend([6, 1, 0, 0, 0, 0, 0, 15]);
    message
}

/// The negotiate message in the initial token of SPNEGO (RFC 4178, section 4.2.1).
pub(crate) fn spnego_negotiate() -> Vec<u8> {
    const SPNEGO: [u8; 6] = [0x2b, 6, 1, 5, 5, 2];
    const NTLMSSP: [u8; 10] = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10];
    let mut out = Vec::new();
    ber::write_nested(&mut out, 0x60, |out| {
        ber::write_bytes(out, ber::OBJECT_IDENTIFIER, &SPNEGO);
        ber::write_nested(out, 0xa0, |out| {
            ber::write_nested(out, ber::SEQUENCE, |out| {
                ber::write_nested(out, 0xa0, |out| {
                    ber::write_nested(out, ber::SEQUENCE, |out| {
                        ber::write_bytes(out, ber::OBJECT_IDENTIFIER, &NTLMSSP);
                    });
                });
                ber::write_nested(out, 0xa2, |out| ber::write_bytes(out, ber::OCTET_STRING, &negotiate()));
            });
        });
    });
    out
}

/// Says what a challenge in `token` says of its server; the token may wrap it in SPNEGO.
pub(crate) fn say(token: &[u8], out: &mut Out) {
    let Some(start) = token.windows(SIGNATURE.len()).position(|window| window == SIGNATURE) else { return };
    let challenge = token.get(start..).unwrap_or_default();
    if u32_at(challenge, 8) != Some(2) {
        return;
    }
    let flags = u32_at(challenge, 20).unwrap_or_default();
    if flags & UNICODE != 0
        && let Some(target) = buffer(challenge, 12)
    {
        out.say("ntlm.target", utf16(target));
    }
    if let Some(info) = buffer(challenge, 40) {
        say_info(info, out);
    }
    if flags & VERSION != 0
        && let Some([major, minor, low, high]) = challenge.get(48..).and_then(|rest| rest.first_chunk())
        && *major != 0
    {
        out.say("ntlm.os_build", format!("{major}.{minor}.{}", u16::from_le_bytes([*low, *high])));
    }
}

/// Pairs of an identifier and a value (section 2.2.2.1), each said once.
fn say_info(mut info: &[u8], out: &mut Out) {
    let mut seen = [false; 6];
    while let (Some(id), Some(length)) = (u16_at(info, 0), u16_at(info, 2)) {
        let Some(value) = info.get(4..4 + usize::from(length)) else { return };
        info = info.get(4 + usize::from(length)..).unwrap_or_default();
        let field = match id {
            0 => return,
            1 => "ntlm.computer",
            2 => "ntlm.domain",
            3 => "ntlm.dns_computer",
            4 => "ntlm.dns_domain",
            5 => "ntlm.dns_tree",
            _ => continue,
        };
        if let Some(seen) = seen.get_mut(usize::from(id))
            && !std::mem::replace(seen, true)
        {
            out.say(field, utf16(value));
        }
    }
}

/// The bytes that the length and offset at `at` point to.
fn buffer(challenge: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16_at(challenge, at)?);
    let start = u32_at(challenge, at + 4)? as usize;
    challenge.get(start..)?.get(..length)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// A challenge as Windows 10 builds it.
    pub(crate) fn challenge() -> Vec<u8> {
        let target = wide("CORP");
        let mut info = Vec::new();
        for (id, value) in
            [(2, "CORP"), (1, "PC7"), (4, "corp.example"), (3, "pc7.corp.example"), (7, "abcd"), (0, "")]
        {
            let value = wide(value);
            info.extend((id as u16).to_le_bytes());
            info.extend((value.len() as u16).to_le_bytes());
            info.extend(value);
        }
        let mut message = SIGNATURE.to_vec();
        let field = |length: usize, at: usize| {
            [(length as u16).to_le_bytes(), (length as u16).to_le_bytes(), (at as u16).to_le_bytes(), [0, 0]]
                .concat()
        };
        message.extend(2_u32.to_le_bytes());
        message.extend(field(target.len(), 56));
        message.extend((UNICODE | VERSION).to_le_bytes());
        message.extend([7; 8]);
        message.extend([0; 8]);
        message.extend(field(info.len(), 56 + target.len()));
        message.extend([10, 0, 0x61, 0x4a, 0, 0, 0, 15]);
        message.extend(target);
        message.extend(info);
        message
    }

    fn heard(token: &[u8]) -> Vec<(&'static str, String)> {
        let mut out = Out::default();
        say(token, &mut out);
        out.said
            .iter()
            .map(|said| (said.field, String::from_utf8_lossy(&said.value.0).into_owned()))
            .collect()
    }

    #[test]
    fn reads_a_challenge() {
        let expected = [
            ("ntlm.target", "CORP"),
            ("ntlm.domain", "CORP"),
            ("ntlm.computer", "PC7"),
            ("ntlm.dns_domain", "corp.example"),
            ("ntlm.dns_computer", "pc7.corp.example"),
            ("ntlm.os_build", "10.0.19041"),
        ];
        assert_eq!(heard(&challenge()), expected.map(|(field, value)| (field, value.to_owned())));
        assert_eq!(heard(&[b"\xa1\x81wrapped", &challenge()[..]].concat()).len(), 6);
    }

    #[test]
    fn a_cut_or_lying_challenge_says_what_it_holds() {
        let challenge = challenge();
        for end in 0..challenge.len() {
            assert!(heard(&challenge[..end]).len() <= 6);
        }
        let mut lying = challenge.clone();
        lying[12..20].fill(0xff);
        lying[40..48].fill(0xff);
        assert_eq!(heard(&lying), [("ntlm.os_build", "10.0.19041".to_owned())]);
        assert!(heard(&negotiate()).is_empty());
    }

    #[test]
    fn the_negotiate_message_names_nobody() {
        let message = negotiate();
        assert_eq!((message.len(), &message[16..32]), (40, &[0; 16][..]));
        assert_eq!(spnego_negotiate().len(), 2 + 8 + 2 + 2 + 2 + 2 + 12 + 2 + 2 + 40);
    }
}
