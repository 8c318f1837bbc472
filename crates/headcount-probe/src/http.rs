//! A web page, and where it sends the reader; or a page that a fingerprint asked for.

use crate::{
    Budget, Carrier, Context, Conversation, Follow, Out, Probe, Safety,
    fetch::{Fetch, get},
    head::{Answer, Head, realm},
    html::{self, Page},
    url::{self, Place},
};

/// HTTP: one page. A page that a fingerprint asks for is asked by the same probe, with that path: all that is said of
/// it is its path and its body, so that it cannot be mistaken for the first.
pub(crate) static PROBE: Probe = Probe {
    name: "http",
    title: "web page",
    carrier: Carrier::Stream,
    ports: &[
        80, 81, 3000, 5000, 5800, 5985, 7001, 7547, 8000, 8006, 8008, 8080, 8081, 8082, 8088, 8123, 8181,
        8888, 9000, 9090, 9200, 10000, 32400, 49152,
    ],
    tls_ports: &[443, 4443, 5001, 5986, 8443, 8834, 9443],
    multicast: None,
    sends: "one GET for /; at most three redirects that stay on the host; the icon that the page names; pages that a \
            fingerprint of what was said asks for",
    normal: "what a browser sends when a person types the address, before any login",
    source: "RFC 9110, section 9.3.1; RFC 9112",
    yields: &[
        "http.status",
        "http.server",
        "http.title",
        "http.auth_realm",
        "http.www_authenticate",
        "http.set_cookie",
        "http.generator",
        "http.x_powered_by",
        "http.location",
        "http.body",
        "http.page",
    ],
    safety: Safety::Safe,
    budget: Budget::PAGE,
    begin,
};

/// Bytes of a page that are looked at.
const LONGEST_PAGE: usize = 128 << 10;
/// A script on a page larger than this is not what the page is for.
const LONGEST_FORWARDER: usize = 4 << 10;

fn begin(context: &Context) -> Box<dyn Conversation> {
    let request = get(context, &context.path);
    let context = context.clone();
    let read = if url::is_page(&context.path) { page } else { tell };
    Fetch::whole(request, LONGEST_PAGE, move |answer, out| read(&context, answer, out))
}

/// What a page that was asked for says: its path, a line feed, and the start of its body.
fn page(context: &Context, answer: &Answer, out: &mut Out) {
    let body = answer.body();
    if answer.head().status() == Some(200) && !body.is_empty() && !answer.is_packed() {
        out.say("http.page", [url::sendable(&context.path).as_bytes(), b"\n", body].concat());
    }
}

fn tell(context: &Context, answer: &Answer, out: &mut Out) {
    let head = answer.head();
    let markup = answer.body().trim_ascii_start().starts_with(b"<");
    if head.start.is_empty() && !markup {
        // Another protocol, perhaps TLS: an alert or a handshake record.
        if matches!(answer.body(), [0x15 | 0x16, 3, ..]) && !context.tls {
            out_of_clear(context, out);
        }
        return;
    }
    say_head(head, out);
    let readable = !answer.is_packed();
    let page = if readable { html::read(answer.body()) } else { Page::default() };
    if readable {
        let charset = Charset::of(answer);
        out.say("http.title", charset.utf8(&page.title));
        out.say("http.generator", charset.utf8(&page.generator));
        out.say("http.body", answer.body());
    }
    if wants_tls(context, answer) {
        return out_of_clear(context, out);
    }
    if let Some(target) = target(answer, &page) {
        out.say("http.location", head.first("location").unwrap_or(&target));
        if let Some(follow) = url::redirect(context, PROBE.name, &target) {
            return out.follow(follow);
        }
    }
    if markup && readable {
        icon(context, &page, out);
    }
}

fn say_head(head: &Head, out: &mut Out) {
    if let Some(status) = head.status() {
        out.say("http.status", status.to_string());
    }
    for (field, name) in [("http.server", "server"), ("http.x_powered_by", "x-powered-by")] {
        head.all(name).take(4).for_each(|value| out.say(field, value));
    }
    for challenge in head.all("www-authenticate").take(8) {
        out.say("http.www_authenticate", challenge);
        out.say("http.auth_realm", realm(challenge).unwrap_or_default());
    }
    head.all("set-cookie").take(16).for_each(|cookie| out.say("http.set_cookie", without_secret(cookie)));
}

/// A cookie's name and attributes. Its value is a session's and its dates are today's: neither tells the device.
fn without_secret(cookie: &[u8]) -> Vec<u8> {
    let mut parts = cookie.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let mut kept =
        parts.next().unwrap_or_default().split(|byte| *byte == b'=').next().unwrap_or_default().to_vec();
    kept.push(b'=');
    let starts =
        |part: &[u8], name: &[u8]| part.get(..name.len()).is_some_and(|part| part.eq_ignore_ascii_case(name));
    for part in
        parts.filter(|part| !part.is_empty() && !starts(part, b"expires") && !starts(part, b"max-age"))
    {
        kept.extend_from_slice(b"; ");
        kept.extend_from_slice(part);
    }
    kept
}

/// Where the answer sends the reader: a redirect, a refresh, or a small page that is nothing but a script.
fn target(answer: &Answer, page: &Page) -> Option<Vec<u8>> {
    let head = answer.head();
    let redirect = matches!(head.status(), Some(300..=399));
    let location = head.first("location").filter(|_| redirect).map(<[u8]>::to_vec);
    let refresh = || head.first("refresh").map(html::refresh_target).filter(|target| !target.is_empty());
    let meta = || Some(page.refresh.clone()).filter(|target| !target.is_empty());
    let forwards = !page.script.is_empty() && !page.form && answer.body().len() <= LONGEST_FORWARDER;
    location.or_else(refresh).or_else(meta).or_else(|| forwards.then(|| page.script.clone()))
}

/// Whether a server says that it only speaks inside TLS.
fn wants_tls(context: &Context, answer: &Answer) -> bool {
    let start = answer.body().get(..1024).unwrap_or(answer.body());
    let says = |words: &[u8]| start.windows(words.len()).any(|part| part.eq_ignore_ascii_case(words));
    let status = answer.head().status();
    let refused = status == Some(400)
        && (says(b"to https port") || says(b"to an https server") || says(b"ssl-enabled"));
    !context.tls && (refused || status == Some(426))
}

/// The same page inside TLS.
fn out_of_clear(context: &Context, out: &mut Out) {
    let place = Place { tls: true, port: context.port, path: url::sendable(&context.path) };
    if let Some(follow) = url::onward(context, PROBE.name, place) {
        out.follow(follow);
    }
}

fn icon(context: &Context, page: &Page, out: &mut Out) {
    let named = if page.icon.is_empty() { &b"/favicon.ico"[..] } else { &page.icon };
    let here = |place: &Place| (place.tls, place.port) == (context.tls, context.port);
    if let Some(Place { tls, port, path }) = url::resolve(context, named).filter(here) {
        out.follow(Follow { probe: "http-favicon", port, tls, path });
    }
}

/// How a page's text is encoded, as far as that can be undone here; all else keeps its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Charset {
    Latin1,
    Other,
}

impl Charset {
    /// What the head or the start of the page declares.
    fn of(answer: &Answer) -> Self {
        let declared = answer.head().first("content-type").unwrap_or_default();
        let start = answer.body().get(..1024).unwrap_or(answer.body());
        let says = |text: &[u8], name: &str| {
            text.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name.as_bytes()))
        };
        let latin = |text: &[u8]| says(text, "iso-8859-1") || says(text, "windows-1252");
        if latin(declared) || latin(start) { Self::Latin1 } else { Self::Other }
    }

    fn utf8(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Latin1 if std::str::from_utf8(text).is_err() => {
                text.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()
            }
            _ => text.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests;
