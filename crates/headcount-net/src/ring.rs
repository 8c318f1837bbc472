//! The ring that the kernel writes received frames into (TPACKET_V3, the Linux kernel's
//! `Documentation/networking/packet_mmap.rst`).
#![expect(unsafe_code, reason = "memory shared with the kernel")]

use std::{
    io, mem,
    os::fd::{AsRawFd, BorrowedFd},
    ptr::{self, NonNull},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::{NetError, sys};

/// Bytes of the whole ring. With small blocks it holds a quarter of a second of trickling replies, each of which
/// closes a block of its own after [`RETIRE_MS`].
const RING_BYTES: usize = 2 << 20;
/// Bytes of a block at least; the page size may ask for more.
const BLOCK_BYTES: usize = 8 << 10;
/// The kernel hands a block over after this many milliseconds, full or not.
const RETIRE_MS: u32 = 1;
/// Only used to compute the count of frames that the kernel wants to be told.
const FRAME_BYTES: usize = 2048;

/// The receiving ring of one packet socket. It must not outlive the socket's use, but may be unmapped after the
/// socket is closed.
pub(crate) struct Ring {
    map: NonNull<u8>,
    bytes: usize,
    block_bytes: usize,
    blocks: usize,
    /// The block that the kernel fills next.
    next: usize,
}

// SAFETY: the mapping belongs to this value alone and is reached through `&mut self` only.
unsafe impl Send for Ring {}

impl Ring {
    /// Makes and maps the ring of a packet socket that is not bound yet.
    pub(crate) fn attach(fd: BorrowedFd<'_>) -> Result<Self, NetError> {
        let block_bytes = BLOCK_BYTES.max(sys::page_size());
        let blocks = (RING_BYTES / block_bytes).max(2);
        let bytes = block_bytes * blocks;
        let version = libc::tpacket_versions::TPACKET_V3 as libc::c_int;
        sys::set_option(fd, libc::SOL_PACKET, libc::PACKET_VERSION, &version)
            .map_err(|e| NetError::system("use version 3 of the packet ring", e))?;
        let request = libc::tpacket_req3 {
            tp_block_size: block_bytes as u32,
            tp_block_nr: blocks as u32,
            tp_frame_size: FRAME_BYTES as u32,
            tp_frame_nr: (bytes / FRAME_BYTES) as u32,
            tp_retire_blk_tov: RETIRE_MS,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        sys::set_option(fd, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)
            .map_err(|e| NetError::system("make a packet ring", e))?;
        // SAFETY: a fresh mapping of the socket's ring, whose size the kernel has just accepted.
        let map = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        if map == libc::MAP_FAILED {
            return Err(NetError::last("map the packet ring"));
        }
        let map = NonNull::new(map.cast::<u8>());
        let map = map.ok_or_else(|| NetError::system("map the packet ring", io::Error::other("at zero")))?;
        Ok(Self { map, bytes, block_bytes, blocks, next: 0 })
    }

    /// Hands the frames of the next finished block to `take`, each with the wall clock's time of its arrival, and
    /// gives the block back to the kernel. Returns how many there were; `None` when no block is finished.
    pub(crate) fn read_block(&mut self, mut take: impl FnMut(Duration, &[u8])) -> Option<usize> {
        // SAFETY: `next` is below `blocks`, so the block lies within the mapping, aligned to a page.
        let block = unsafe { self.map.add(self.next * self.block_bytes) };
        let description = block.cast::<libc::tpacket_block_desc>();
        // SAFETY: every block begins with its description, whose status the kernel and this thread hand over by
        // atomic stores; the kernel's layout keeps it aligned.
        let status = unsafe { AtomicU32::from_ptr(&raw mut (*description.as_ptr()).hdr.bh1.block_status) };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the kernel has handed the block over and does not write to it until it gets it back.
        let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr().cast_const(), self.block_bytes) };
        let count = walk(bytes, &mut take);
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.blocks;
        Some(count)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `attach` made; no reference into it is left.
        unsafe { libc::munmap(self.map.as_ptr().cast(), self.bytes) };
    }
}

/// Walks the frames of a finished block, trusting no offset further than the block reaches.
fn walk(block: &[u8], take: &mut impl FnMut(Duration, &[u8])) -> usize {
    let header = mem::offset_of!(libc::tpacket_block_desc, hdr);
    let word = |at: usize| block.get(at..).and_then(|b| b.first_chunk()).map(|b| u32::from_ne_bytes(*b));
    let half = |at: usize| block.get(at..).and_then(|b| b.first_chunk()).map(|b| u16::from_ne_bytes(*b));
    let field = |offset: usize| word(header + offset).unwrap_or(0) as usize;
    let frames = field(mem::offset_of!(libc::tpacket_hdr_v1, num_pkts));
    let mut at = field(mem::offset_of!(libc::tpacket_hdr_v1, offset_to_first_pkt));
    let mut taken = 0;
    for _ in 0..frames {
        let frame = || {
            let seconds = word(at + mem::offset_of!(libc::tpacket3_hdr, tp_sec))?;
            let nanos = word(at + mem::offset_of!(libc::tpacket3_hdr, tp_nsec))?;
            let len = word(at + mem::offset_of!(libc::tpacket3_hdr, tp_snaplen))? as usize;
            let start = at + usize::from(half(at + mem::offset_of!(libc::tpacket3_hdr, tp_mac))?);
            Some((Duration::new(u64::from(seconds), nanos), block.get(start..start.checked_add(len)?)?))
        };
        let Some((time, bytes)) = frame() else { break };
        take(time, bytes);
        taken += 1;
        let step = word(at + mem::offset_of!(libc::tpacket3_hdr, tp_next_offset)).unwrap_or(0);
        if step == 0 {
            break;
        }
        at += step as usize;
    }
    taken
}
