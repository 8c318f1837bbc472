//! One conversation under its budget.

use std::{fmt, mem, time::Duration};

use headcount_model::Instant;

use crate::{Carrier, Context, Conversation, End, Follow, Out, Probe, Said};

/// So many times the budget's time a conversation lasts at the most, the waits for leave to send included.
const PATIENCE: u32 = 8;

/// Runs one conversation: keeps its time and its budget, whatever the conversation or its peer does.
pub struct Exchange {
    probe: &'static Probe,
    context: Context,
    conversation: Box<dyn Conversation>,
    out: Out,
    received: usize,
    sent: usize,
    sends: u32,
    quiet: Duration,
    heard: Instant,
    deadline: Instant,
    /// When it is over even if it never got leave to send.
    latest: Instant,
    ended: bool,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this.
    Send(Vec<u8>),
    /// Wait until then, or until something comes.
    Wait(Instant),
    /// Close.
    Done,
}

/// What came of a conversation so far, since the last time it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What the host said.
    pub said: Vec<Said>,
    /// What to ask next.
    pub follows: Vec<Follow>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("probe", &self.probe.name)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl Exchange {
    /// A conversation that begins `now`, its connection standing.
    pub fn begin(probe: &'static Probe, context: Context, now: Instant) -> Self {
        let mut exchange = Self {
            probe,
            conversation: (probe.begin)(&context),
            context,
            out: Out::default(),
            received: 0,
            sent: 0,
            sends: 0,
            quiet: probe.budget.quiet,
            heard: now,
            deadline: now + probe.budget.time,
            latest: now + probe.budget.time * PATIENCE,
            ended: false,
        };
        exchange.conversation.opened(&mut exchange.out);
        exchange.settle();
        exchange
    }

    /// The probe.
    pub fn probe(&self) -> &'static Probe {
        self.probe
    }

    /// Where it takes place.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The peer sent something.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) {
        if self.ended {
            return;
        }
        self.heard = now;
        let left = self.probe.budget.received - self.received;
        let taken = bytes.get(..left).unwrap_or(bytes);
        // A datagram that does not fit is dropped whole: half of one means something else.
        let taken =
            if self.probe.carrier == Carrier::Datagram && taken.len() < bytes.len() { &[] } else { taken };
        self.received += taken.len();
        // Whoever is done listens no more, and what comes still counts.
        if !taken.is_empty() && !self.out.done {
            self.conversation.received(taken, &mut self.out);
        }
        self.settle();
        if taken.len() < bytes.len() {
            self.end(End::Spent);
        }
    }

    /// The peer closed the stream, or refused the datagram.
    pub fn closed(&mut self) {
        self.end(End::Closed);
    }

    /// Time passed.
    pub fn tick(&mut self, now: Instant) {
        let waits_for_leave = !self.out.sends.is_empty();
        if now >= if waits_for_leave { self.latest } else { self.deadline } {
            self.end(End::Spent);
        }
        if self.ended || self.out.done || waits_for_leave {
            return;
        }
        if now >= self.heard + self.quiet {
            self.heard = now;
            self.conversation.ended(End::Quiet, &mut self.out);
            let goes_on = !self.out.done && !self.out.sends.is_empty();
            self.settle();
            self.ended |= !goes_on;
        }
    }

    /// What to do next. A message that it gives is taken to be sent `now`.
    pub fn step(&mut self, now: Instant) -> Step {
        if !self.out.sends.is_empty() {
            let message = self.out.sends.remove(0);
            self.sends += 1;
            self.sent += message.len();
            // The wait for leave to send was none of the host's time.
            self.deadline = (self.deadline + now.since(self.heard)).min(self.latest);
            self.heard = now;
            return Step::Send(message);
        }
        if self.ended || self.out.done {
            self.ended = true;
            return Step::Done;
        }
        Step::Wait((self.heard + self.quiet).min(self.deadline))
    }

    /// Whether a message waits to be sent.
    pub fn wants_to_send(&self) -> bool {
        !self.out.sends.is_empty()
    }

    /// The messages that wait, which the caller has sent in another way (to a group).
    pub fn take_sends(&mut self) -> Vec<Vec<u8>> {
        mem::take(&mut self.out.sends)
    }

    /// What came of it since the last call.
    pub fn heard(&mut self) -> Heard {
        Heard { said: mem::take(&mut self.out.said), follows: mem::take(&mut self.out.follows) }
    }

    fn end(&mut self, end: End) {
        if self.ended {
            return;
        }
        if !self.out.done {
            self.conversation.ended(end, &mut self.out);
        }
        self.out.sends.clear();
        self.ended = true;
    }

    /// Cuts what the conversation wants to what it may.
    fn settle(&mut self) {
        if let Some(quiet) = self.out.quiet.take() {
            self.quiet = quiet.min(self.probe.budget.time);
        }
        let budget = self.probe.budget;
        let (mut sends, mut sent) = (self.sends, self.sent);
        let mut fits = |message: &Vec<u8>| {
            sends += 1;
            sent += message.len();
            sends <= budget.sends && sent <= budget.sent
        };
        let allowed = self.out.sends.iter().take_while(|message| fits(message)).count();
        if allowed < self.out.sends.len() {
            self.out.sends.truncate(allowed);
            self.out.done = true;
        }
    }
}
