//! The questions to one host about itself: conversations, one connection at a time, within what it may cost.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use headcount_model::Instant;
use headcount_probe::{self as probe, Exchange, Failure, Follow, Question, Said};

use crate::CommandId;

/// Conversations with any one host, at the most.
pub const MOST_CONVERSATIONS: u32 = 96;
/// Pages beside the first that any one web port is asked for, at the most.
pub const MOST_PAGES: usize = 3;
/// Bytes that it sends and seconds that it takes, at the most.
const MOST_BYTES: usize = 2 << 20;
const MOST_TIME: Duration = Duration::from_secs(180);
/// What of its statements is kept.
const MOST_STATEMENTS: usize = 512;
const MOST_SAID: usize = 256 << 10;
/// Datagram conversations at once: no connections, and each datagram is paced like any packet.
const DATAGRAMS_AT_ONCE: usize = 8;
/// A host with this many open TCP ports is no device that bears a single connection; after each so many
/// conversations that went well it gets one more at once.
const MANY_PORTS: usize = 8;
const WENT_WELL: u32 = 3;
const STREAMS_AT_ONCE: usize = 4;

/// One host's interview.
#[derive(Debug)]
pub(crate) struct Interview {
    pub(crate) segment: u16,
    pub(crate) queued: Option<Instant>,
    waiting: VecDeque<Question>,
    asked: BTreeSet<Question>,
    /// The pages that each port was asked for, or will be.
    pages: BTreeMap<u16, BTreeSet<String>>,
    live: BTreeMap<CommandId, Live>,
    said: BTreeSet<(u16, Said)>,
    said_bytes: usize,
    careful: bool,
    many_ports: bool,
    well: u32,
    /// It once refused or dropped a connection to a port that was open: it gets one at a time from then on.
    delicate: bool,
    conversations: u32,
    bytes: usize,
    until: Instant,
    spent: bool,
}

/// A conversation under way.
#[derive(Debug)]
struct Live {
    question: Question,
    stream: bool,
    /// None until the connection stands.
    exchange: Option<Exchange>,
    context: probe::Context,
    /// It was told something by the host.
    answered: bool,
}

/// What to do next for a host.
#[derive(Debug)]
pub(crate) enum Next {
    /// Begin this conversation.
    Begin(Question),
    /// Write this.
    Send(CommandId),
    /// Close this; it is over.
    HangUp(CommandId),
    /// Look again then.
    Wait(Instant),
    /// Nothing is left.
    Done,
}

/// What came of something that was taken in.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// What was said.
    pub(crate) said: Vec<Heard>,
    /// The port's first sign of life: a connection that stands, a datagram that came back.
    pub(crate) spoke: Option<Question>,
}

/// A statement and how it came.
#[derive(Debug)]
pub(crate) struct Heard {
    /// The question that it answers.
    pub(crate) question: Question,
    /// What was said.
    pub(crate) said: Said,
    /// It came with a web server's first page, and may call for other pages.
    pub(crate) first_page: bool,
}

impl Interview {
    pub(crate) fn new(
        segment: u16,
        questions: Vec<Question>,
        open_ports: usize,
        careful: bool,
        now: Instant,
    ) -> Self {
        Self {
            segment,
            queued: None,
            waiting: questions.into(),
            asked: BTreeSet::new(),
            pages: BTreeMap::new(),
            live: BTreeMap::new(),
            said: BTreeSet::new(),
            said_bytes: 0,
            careful,
            many_ports: open_ports >= MANY_PORTS,
            well: 0,
            delicate: false,
            conversations: 0,
            bytes: 0,
            until: now + MOST_TIME,
            spent: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.live.is_empty()
    }

    /// Questions left, as far as is known.
    pub(crate) fn left(&self) -> u64 {
        (self.waiting.len() + self.live.len()) as u64
    }

    /// Whether it was cut short because the host had cost what it may; true once.
    pub(crate) fn take_spent(&mut self) -> bool {
        std::mem::take(&mut self.spent)
    }

    fn streams_at_once(&self) -> usize {
        let more = if self.many_ports && !self.delicate { self.well / WENT_WELL } else { 0 };
        (1 + more as usize).min(STREAMS_AT_ONCE)
    }

    /// What to do next. Conversations that have waited long enough are told so.
    pub(crate) fn next(&mut self, now: Instant, news: &mut News) -> Next {
        self.keep_budget(now);
        let mut wake = Instant::FAR;
        let ids: Vec<CommandId> = self.live.keys().copied().collect();
        for id in ids {
            let Some(Live { exchange: Some(exchange), .. }) = self.live.get_mut(&id) else { continue };
            exchange.tick(now);
            let sends = exchange.wants_to_send();
            let step = (!sends).then(|| exchange.step(now));
            self.gather(id, news);
            match step {
                None => return Next::Send(id),
                Some(probe::Step::Wait(at)) => wake = wake.min(at),
                Some(_) => {
                    self.forget(id);
                    return Next::HangUp(id);
                }
            }
        }
        if let Some(question) = self.pick() {
            return Next::Begin(question);
        }
        if self.is_done() { Next::Done } else { Next::Wait(wake) }
    }

    fn keep_budget(&mut self, now: Instant) {
        let over = self.conversations >= MOST_CONVERSATIONS || self.bytes >= MOST_BYTES || now >= self.until;
        if over && !self.waiting.is_empty() {
            self.waiting.clear();
            self.spent = true;
        }
    }

    /// The first waiting question for which there is room; it stays until it is begun or skipped.
    fn pick(&self) -> Option<Question> {
        let streams = self.live.values().filter(|live| live.stream).count();
        let datagrams = self.live.len() - streams;
        let room = |question: &&Question| match is_stream(question) {
            true => streams < self.streams_at_once(),
            false => datagrams < DATAGRAMS_AT_ONCE,
        };
        self.waiting.iter().find(room).cloned()
    }

    /// The question may not be asked.
    pub(crate) fn skip(&mut self, question: &Question) {
        self.waiting.retain(|waiting| waiting != question);
        self.asked.insert(question.clone());
    }

    /// The question is asked now, by the command `id`.
    pub(crate) fn begun(&mut self, now: Instant, id: CommandId, question: Question, context: probe::Context) {
        self.skip(&question);
        self.conversations += 1;
        let stream = is_stream(&question);
        let probe = probe::named(question.probe);
        // A datagram conversation needs no connection.
        let exchange = probe.filter(|_| !stream).map(|probe| Exchange::begin(probe, context.clone(), now));
        self.live.insert(id, Live { question, stream, exchange, context, answered: false });
    }

    /// Whether a conversation has a connection.
    pub(crate) fn is_stream(&self, id: CommandId) -> bool {
        self.live.get(&id).is_some_and(|live| live.stream)
    }

    /// The port of a conversation.
    pub(crate) fn port(&self, id: CommandId) -> Option<u16> {
        self.live.get(&id).map(|live| live.question.port)
    }

    /// The next message of a conversation, taken to be sent now.
    pub(crate) fn message(&mut self, now: Instant, id: CommandId) -> Option<Vec<u8>> {
        match self.live.get_mut(&id)?.exchange.as_mut()?.step(now) {
            probe::Step::Send(message) => Some(message),
            probe::Step::Wait(_) | probe::Step::Done => None,
        }
    }

    /// The connection stands.
    pub(crate) fn opened(
        &mut self,
        now: Instant,
        id: CommandId,
        tls: Option<&probe::TlsFacts>,
        news: &mut News,
    ) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let question = live.question.clone();
        news.spoke = Some(question.clone());
        if let Some(probe) = probe::named(question.probe).filter(|_| live.exchange.is_none()) {
            live.exchange = Some(Exchange::begin(probe, live.context.clone(), now));
        }
        if let Some(facts) = tls {
            let first_page = question.is_first_page();
            let tls = Question { probe: "tls", ..question };
            for said in probe::describe_tls(facts) {
                self.keep(&tls, said, first_page, news);
            }
        }
        self.gather(id, news);
    }

    /// The host sent something.
    pub(crate) fn received(&mut self, now: Instant, id: CommandId, bytes: &[u8], news: &mut News) {
        self.bytes += bytes.len();
        let Some(live) = self.live.get_mut(&id) else { return };
        if !live.answered {
            live.answered = true;
            self.well += u32::from(live.stream);
            news.spoke = (!live.stream).then(|| live.question.clone());
        }
        if let Some(exchange) = &mut live.exchange {
            exchange.received(now, bytes);
        }
        self.gather(id, news);
    }

    /// The host closed, or refused a datagram.
    pub(crate) fn closed(&mut self, id: CommandId, news: &mut News) {
        if let Some(Live { exchange: Some(exchange), .. }) = self.live.get_mut(&id) {
            exchange.closed();
        }
        self.gather(id, news);
        self.forget(id);
    }

    /// The connection never stood.
    pub(crate) fn failed(&mut self, id: CommandId, failure: Failure) {
        let Some(live) = self.live.remove(&id) else { return };
        match failure {
            // The port was open a moment ago: once, it is asked again, with no other connection beside it.
            Failure::Refused | Failure::TimedOut if live.stream => {
                if !std::mem::replace(&mut self.delicate, true) {
                    self.waiting.push_back(live.question);
                }
            }
            Failure::Tls => {
                let Question { port, transport, .. } = live.question;
                self.add(Question { probe: "tls-legacy", transport, port, tls: false, path: String::new() });
            }
            Failure::Refused | Failure::TimedOut | Failure::Unreachable | Failure::NotSent => {}
        }
    }

    fn forget(&mut self, id: CommandId) {
        self.live.remove(&id);
    }

    fn add(&mut self, question: Question) {
        let known = self.asked.contains(&question)
            || self.waiting.contains(&question)
            || self.live.values().any(|live| live.question == question);
        if !known && probe::may_follow(&question, self.careful) {
            self.waiting.push_back(question);
        }
    }

    /// Takes out what a conversation has heard.
    fn gather(&mut self, id: CommandId, news: &mut News) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let question = live.question.clone();
        let heard = live.exchange.as_mut().map(Exchange::heard).unwrap_or_default();
        let first_page = question.is_first_page();
        for said in heard.said {
            self.keep(&question, said, first_page, news);
        }
        heard.follows.into_iter().for_each(|follow| self.follow(follow));
    }

    /// An answer calls for another question.
    pub(crate) fn follow(&mut self, Follow { probe, port, tls, path }: Follow) {
        let transport = transport_of(probe);
        self.add(Question { probe, transport, port, tls, path });
    }

    /// What was said at `place` calls for a page there: asked for once, whether in the clear or inside TLS.
    pub(crate) fn ask_page(&mut self, place: &Question, path: String) {
        let Some(page) = Question::page(place.port, place.tls, path) else { return };
        let known = self.pages.entry(page.port).or_default();
        if known.len() < MOST_PAGES && known.insert(page.path.clone()) {
            self.add(page);
        }
    }

    fn keep(&mut self, question: &Question, said: Said, first_page: bool, news: &mut News) {
        if self.said.len() >= MOST_STATEMENTS || self.said_bytes + said.value.0.len() > MOST_SAID {
            return;
        }
        if self.said.insert((question.port, said.clone())) {
            self.said_bytes += said.value.0.len();
            news.said.push(Heard { question: question.clone(), said, first_page });
        }
    }
}

fn is_stream(question: &Question) -> bool {
    question.transport == headcount_model::Transport::Tcp
}

fn transport_of(name: &str) -> headcount_model::Transport {
    match probe::named(name).map(|probe| probe.carrier) {
        Some(probe::Carrier::Datagram) => headcount_model::Transport::Udp,
        Some(probe::Carrier::Stream) | None => headcount_model::Transport::Tcp,
    }
}

#[cfg(test)]
mod tests;
