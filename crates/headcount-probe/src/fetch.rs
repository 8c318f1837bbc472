//! One request over HTTP, one answer, whatever is made of it.

use crate::{Context, Conversation, End, Out, head::Answer, url};

/// How every request names its sender.
pub(crate) const USER_AGENT: &str = concat!("headcount/", env!("CARGO_PKG_VERSION"), " (network inventory)");

type Read = Box<dyn FnOnce(&Answer, &mut Out) + Send>;

/// A request and what to make of its answer.
pub(crate) struct Fetch {
    request: Vec<u8>,
    answer: Answer,
    /// Whether the head is all that is wanted.
    head_only: bool,
    read: Option<Read>,
}

impl Fetch {
    /// Sends `request`, keeps at most `most` bytes of the answer's body and hands it to `read` once, when it is whole
    /// or when no more of it comes. An answer of nothing is not handed over.
    pub(crate) fn whole(
        request: Vec<u8>,
        most: usize,
        read: impl FnOnce(&Answer, &mut Out) + Send + 'static,
    ) -> Box<dyn Conversation> {
        Box::new(Self { request, answer: Answer::new(most), head_only: false, read: Some(Box::new(read)) })
    }

    /// The same for a question that the answer's head answers.
    pub(crate) fn head(
        request: Vec<u8>,
        read: impl FnOnce(&Answer, &mut Out) + Send + 'static,
    ) -> Box<dyn Conversation> {
        Box::new(Self { request, answer: Answer::new(1 << 10), head_only: true, read: Some(Box::new(read)) })
    }

    fn tell(&mut self, out: &mut Out) {
        if let Some(read) = self.read.take().filter(|_| !self.answer.is_blank()) {
            read(&self.answer, out);
        }
        out.done();
    }
}

impl Conversation for Fetch {
    fn opened(&mut self, out: &mut Out) {
        out.send(std::mem::take(&mut self.request));
    }

    fn received(&mut self, bytes: &[u8], out: &mut Out) {
        self.answer.push(bytes);
        if self.answer.is_over() || self.head_only && self.answer.has_head() {
            self.tell(out);
        }
    }

    fn ended(&mut self, end: End, out: &mut Out) {
        self.answer.finish(end == End::Closed);
        self.tell(out);
    }
}

/// A GET as a browser's, without a word about compression: nothing here unpacks (RFC 9110, section 9.3.1).
pub(crate) fn get(context: &Context, path: &str) -> Vec<u8> {
    request(context, "GET", path, "Accept: */*\r\n")
}

/// A request's head. `more` are whole header lines.
pub(crate) fn request(context: &Context, method: &str, path: &str, more: &str) -> Vec<u8> {
    let path = url::sendable(path);
    let default = if context.tls { 443 } else { 80 };
    let port = if context.port == default { String::new() } else { format!(":{}", context.port) };
    let (host, agent) = (context.host, USER_AGENT);
    format!("{method} {path} HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: {agent}\r\n{more}Connection: close\r\n\r\n")
        .into_bytes()
}
