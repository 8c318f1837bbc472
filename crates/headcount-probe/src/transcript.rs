//! Transcripts: what was sent and received, and what that must say, however the stream was cut.

use std::net::Ipv4Addr;

use headcount_model::Instant;

use crate::{Carrier, Context, Exchange, Follow, Probe, Step};

/// One line of a transcript.
#[derive(Clone, Debug)]
pub(crate) enum Line<'a> {
    /// The probe sends exactly this.
    Sends(&'a [u8]),
    /// The probe sends something that the next answer does not depend on (it holds random bytes).
    SendsAny,
    /// The peer sends this.
    Receives(&'a [u8]),
    /// Nothing comes for as long as the probe waits.
    Quiet,
    /// The peer closes.
    Closes,
}

/// Where transcripts take place unless they say otherwise.
pub(crate) fn context(port: u16) -> Context {
    Context {
        host: Ipv4Addr::new(192, 0, 2, 7),
        port,
        tls: false,
        path: String::new(),
        community: Some("public".to_owned()),
        random: std::array::from_fn(|i| i as u8),
    }
}

/// What came of a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) said: Vec<(String, String)>,
    pub(crate) follows: Vec<Follow>,
    /// Whether the conversation was over at the end of the transcript.
    pub(crate) done: bool,
}

impl Outcome {
    fn take(&mut self, exchange: &mut Exchange) {
        let heard = exchange.heard();
        // Text as it is, other bytes escaped.
        let value = |raw: &headcount_model::Raw| match std::str::from_utf8(&raw.0) {
            Ok(text) => text.to_owned(),
            Err(_) => raw.0.escape_ascii().to_string(),
        };
        self.said.extend(heard.said.iter().map(|said| (said.field.to_owned(), value(&said.value))));
        self.follows.extend(heard.follows);
    }
}

/// Plays the transcript whole, then cut at every byte, then byte by byte; each must say the same. For datagrams it
/// also plays every answer truncated at every byte, which must not panic. Gives what was said.
pub(crate) fn play(probe: &'static Probe, context: &Context, lines: &[Line<'_>]) -> Outcome {
    let whole = play_cut(probe, context, lines, &|bytes| vec![bytes.to_vec()]);
    let longest =
        lines.iter().map(|line| if let Line::Receives(bytes) = line { bytes.len() } else { 0 }).max();
    match probe.carrier {
        Carrier::Stream => {
            for at in 1..longest.unwrap_or(0) {
                let halves = |bytes: &[u8]| {
                    let (a, b) = bytes.split_at(at.min(bytes.len()));
                    vec![a.to_vec(), b.to_vec()]
                };
                assert_eq!(play_cut(probe, context, lines, &halves), whole, "{}: cut at {at}", probe.name);
            }
            let bytes = |bytes: &[u8]| bytes.iter().map(|byte| vec![*byte]).collect();
            assert_eq!(play_cut(probe, context, lines, &bytes), whole, "{}: byte by byte", probe.name);
        }
        Carrier::Datagram => {
            for at in 0..longest.unwrap_or(0) {
                let mut exchange = Exchange::begin(probe, context.clone(), Instant::ZERO);
                for line in lines {
                    if let Line::Receives(bytes) = line {
                        exchange.received(Instant::ZERO, &bytes[..at.min(bytes.len())]);
                    }
                }
            }
        }
    }
    for (field, _) in &whole.said {
        assert!(yields(probe, field), "{} says {field}, which its description does not yield", probe.name);
    }
    whole
}

fn yields(probe: &Probe, field: &str) -> bool {
    probe.yields.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => field.starts_with(start),
        None => *known == field,
    })
}

fn play_cut(
    probe: &'static Probe,
    context: &Context,
    lines: &[Line<'_>],
    cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>,
) -> Outcome {
    let mut now = Instant::ZERO;
    let mut exchange = Exchange::begin(probe, context.clone(), now);
    let mut outcome = Outcome::default();
    for line in lines {
        match line {
            Line::Sends(expected) => match exchange.step(now) {
                Step::Send(sent) => assert_eq!(
                    sent.escape_ascii().to_string(),
                    expected.escape_ascii().to_string(),
                    "{} sends otherwise",
                    probe.name
                ),
                other => panic!("{} does not send {}: {other:?}", probe.name, expected.escape_ascii()),
            },
            Line::SendsAny => {
                let step = exchange.step(now);
                assert!(matches!(step, Step::Send(_)), "{} does not send: {step:?}", probe.name);
            }
            Line::Receives(bytes) => {
                for part in cut(bytes) {
                    exchange.received(now, &part);
                }
            }
            Line::Quiet => {
                let Step::Wait(until) = exchange.step(now) else { panic!("{} does not wait", probe.name) };
                now = until;
                exchange.tick(now);
            }
            Line::Closes => exchange.closed(),
        }
        outcome.take(&mut exchange);
    }
    outcome.done = exchange.step(now) == Step::Done;
    outcome
}

/// Fields and values in the form in which outcomes give them.
pub(crate) fn said(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
}
