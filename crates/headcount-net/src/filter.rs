//! The filter in the kernel that lets in only what can answer a sweep, as a classic BPF program.
//!
//! Sources: the Linux kernel's `Documentation/networking/filter.rst` for the instructions and ancillary loads;
//! RFC 791 and RFC 826 for the headers.

use std::ops::RangeInclusive;

/// One instruction, as `struct sock_filter` lays it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// The operation.
    pub(crate) code: u16,
    /// How many instructions to skip when a comparison holds.
    pub(crate) jt: u8,
    /// How many to skip when it does not.
    pub(crate) jf: u8,
    /// Its number: a constant or an offset.
    pub(crate) k: u32,
}

/// `A = be32(k)`, or an ancillary value.
pub(crate) const LD_W: u16 = 0x20;
/// `A = be16(k)`.
pub(crate) const LD_H: u16 = 0x28;
/// `A = byte(k)`.
pub(crate) const LD_B: u16 = 0x30;
/// `A = be16(X + k)`.
pub(crate) const LD_H_X: u16 = 0x48;
/// `A = byte(X + k)`.
pub(crate) const LD_B_X: u16 = 0x50;
/// `X = 4 * (byte(k) & 15)`: the length of an IPv4 header.
pub(crate) const LDX_MSH: u16 = 0xb1;
/// `A &= k`.
pub(crate) const AND: u16 = 0x54;
/// Jump by `A == k`.
pub(crate) const JEQ: u16 = 0x15;
/// Jump by `A > k`.
pub(crate) const JGT: u16 = 0x25;
/// Jump by `A >= k`.
pub(crate) const JGE: u16 = 0x35;
/// Jump by `A & k != 0`.
pub(crate) const JSET: u16 = 0x45;
/// End: keep `k` bytes of the frame, zero for none.
pub(crate) const RET: u16 = 0x06;
/// Whether the frame came with a VLAN tag, which the kernel has moved out of its bytes (SKF_AD_OFF + 48).
pub(crate) const VLAN_TAG_PRESENT: u32 = 0xffff_f000 + 48;

/// The most bytes of a frame that are read: a jumbo frame's tail says nothing about who sent it.
pub(crate) const SNAP: u32 = 2048;

/// Where a jump goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Next,
    At(&'static str),
}

/// A program under construction, with names for places.
#[derive(Default)]
struct Assembler {
    lines: Vec<(u16, To, To, u32)>,
    labels: Vec<(&'static str, usize)>,
}

impl Assembler {
    fn label(&mut self, name: &'static str) -> &mut Self {
        self.labels.push((name, self.lines.len()));
        self
    }

    fn op(&mut self, code: u16, k: u32) -> &mut Self {
        self.jump(code, k, To::Next, To::Next)
    }

    fn jump(&mut self, code: u16, k: u32, yes: To, no: To) -> &mut Self {
        self.lines.push((code, yes, no, k));
        self
    }

    /// The program, unless a name is missing or lies behind or too far ahead: jumps only go forward.
    fn assemble(&self) -> Option<Vec<Instruction>> {
        let skip = |at: usize, to: To| match to {
            To::Next => Some(0),
            To::At(name) => {
                let (_, target) = self.labels.iter().find(|(label, _)| *label == name)?;
                u8::try_from(target.checked_sub(at + 1)?).ok()
            }
        };
        let line = |(at, (code, yes, no, k)): (usize, &(u16, To, To, u32))| {
            Some(Instruction { code: *code, jt: skip(at, *yes)?, jf: skip(at, *no)?, k: *k })
        };
        self.lines.iter().enumerate().map(line).collect()
    }
}

/// The filter: ARP; ICMP echo replies, unreachable and time exceeded; TCP and UDP to `ports`. No frame with a VLAN
/// tag (it belongs to the sub-interface) and no fragment but the first (it has no ports).
///
/// A program that was put together wrongly comes out empty, which lets nothing in; a test rules that out.
pub(crate) fn answers_to(ports: &RangeInclusive<u16>) -> Vec<Instruction> {
    use To::{At, Next};
    let mut program = Assembler::default();
    program
        .op(LD_W, VLAN_TAG_PRESENT)
        .jump(JEQ, 0, Next, At("drop"))
        .op(LD_H, 12)
        .jump(JEQ, 0x0806, At("keep"), Next)
        .jump(JEQ, 0x0800, Next, At("drop"))
        .op(LD_B, 14)
        .op(AND, 0xf0)
        .jump(JEQ, 0x40, Next, At("drop"))
        .op(LD_H, 20)
        .jump(JSET, 0x1fff, At("drop"), Next)
        .op(LDX_MSH, 14)
        .op(LD_B, 23)
        .jump(JEQ, 1, At("icmp"), Next)
        .jump(JEQ, 6, At("ports"), Next)
        .jump(JEQ, 17, At("ports"), At("drop"))
        .label("icmp")
        .op(LD_B_X, 14)
        .jump(JEQ, 0, At("keep"), Next)
        .jump(JEQ, 3, At("keep"), Next)
        .jump(JEQ, 11, At("keep"), At("drop"))
        .label("ports")
        .op(LD_H_X, 16)
        .jump(JGE, u32::from(*ports.start()), Next, At("drop"))
        .jump(JGT, u32::from(*ports.end()), At("drop"), At("keep"))
        .label("keep")
        .op(RET, SNAP)
        .label("drop")
        .op(RET, 0);
    program.assemble().unwrap_or_else(|| vec![Instruction { code: RET, jt: 0, jf: 0, k: 0 }])
}

#[cfg(test)]
mod tests;
