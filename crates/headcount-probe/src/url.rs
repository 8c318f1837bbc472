//! Where an answer points to, as far as that is the same host.
//!
//! A path that a redirect led to carries in its fragment how many redirects led there; fragments are never sent. The
//! first page has an empty path, so a path without a fragment is that of a page that somebody asked for by name.

use crate::{ALL, Carrier, Context, Follow, is_quiet_port};

/// Redirects in a row that are followed.
const MOST_REDIRECTS: u8 = 3;
/// Bytes of a reference that are looked at; longer ones are not followed.
const LONGEST: usize = 1024;

/// A place on the same host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) tls: bool,
    pub(crate) port: u16,
    /// Path and query.
    pub(crate) path: String,
}

/// Whether a path is that of a page that was asked for by name.
pub(crate) fn is_page(path: &str) -> bool {
    !path.is_empty() && !path.contains('#')
}

/// The path and query to send for `path`: no fragment, no byte that a request line cannot hold.
pub(crate) fn sendable(path: &str) -> String {
    let path = path.split('#').next().unwrap_or_default();
    let mut sent = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        sent.push('/');
    }
    for byte in path.bytes().take(LONGEST) {
        match byte {
            0x21..=0x7e => sent.push(char::from(byte)),
            _ => sent.push_str(&format!("%{byte:02X}")),
        }
    }
    sent
}

/// The same question at the place that `reference` points to, one redirect further; none if that is another host, the
/// place itself, a port that something else owns, or a redirect too many.
pub(crate) fn redirect(context: &Context, probe: &'static str, reference: &[u8]) -> Option<Follow> {
    let place = resolve(context, reference)?;
    let here = Place { tls: context.tls, port: context.port, path: sendable(&context.path) };
    if place == here {
        return None;
    }
    onward(context, probe, place)
}

/// The same question at another place, one redirect further.
pub(crate) fn onward(context: &Context, probe: &'static str, place: Place) -> Option<Follow> {
    let taken = context.path.split_once('#').and_then(|(_, count)| count.parse().ok()).unwrap_or(0u8);
    let elsewhere = place.port != context.port && is_foreign(place.port);
    if taken >= MOST_REDIRECTS || elsewhere {
        return None;
    }
    Some(Follow { probe, port: place.port, tls: place.tls, path: format!("{}#{}", place.path, taken + 1) })
}

/// Whether a port belongs to a protocol that no web page is asked from, whoever points to it.
fn is_foreign(port: u16) -> bool {
    let owned = |probe: &&&crate::Probe| probe.carrier == Carrier::Stream && probe.name != "http";
    let web = ALL
        .iter()
        .any(|probe| probe.name == "http" && [probe.ports, probe.tls_ports].concat().contains(&port));
    is_quiet_port(port) || !web && ALL.iter().filter(owned).any(|probe| probe.ports.contains(&port))
}

/// Resolves a reference (RFC 3986, section 5) against the page that `context` asked for; none if it leads to another
/// host or is no web address.
pub(crate) fn resolve(context: &Context, reference: &[u8]) -> Option<Place> {
    let text = std::str::from_utf8(reference).ok()?.trim();
    if text.len() > LONGEST || text.bytes().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    let text = text.split('#').next().unwrap_or_default();
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    let (tls, rest) = match (lower.starts_with("http://"), lower.starts_with("https://")) {
        (true, _) => (false, text.get(7..)?),
        (_, true) => (true, text.get(8..)?),
        _ if text.starts_with("//") => (context.tls, text.get(2..)?),
        _ => return relative(context, text),
    };
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let (host, port) = match authority.split_once(':') {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
        None => (authority, None),
    };
    let default = if tls { 443 } else { 80 };
    let same = host.parse() == Ok(context.host);
    same.then(|| Place { tls, port: port.unwrap_or(default), path: without_dots(&sendable(path)) })
}

fn relative(context: &Context, text: &str) -> Option<Place> {
    let scheme = text.find(':').is_some_and(|colon| !text[..colon].contains(['/', '?']));
    if scheme || text.is_empty() {
        return None;
    }
    let base = sendable(&context.path);
    let base = base.split('?').next().unwrap_or_default();
    let directory = base.rsplit_once('/').map_or("", |(directory, _)| directory);
    let path = match text.as_bytes().first() {
        Some(b'/') => text.to_owned(),
        Some(b'?') => format!("{base}{text}"),
        _ => format!("{directory}/{text}"),
    };
    Some(Place { tls: context.tls, port: context.port, path: without_dots(&sendable(&path)) })
}

/// Without `.` and `..` (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let (path, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
    let mut kept: Vec<&str> = Vec::new();
    let last = path.rsplit('/').next().unwrap_or_default();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    if matches!(last, "." | "..") {
        kept.push("");
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript;

    fn at(path: &str) -> Context {
        Context { path: path.to_owned(), ..transcript::context(80) }
    }

    #[test]
    fn resolves_what_stays_on_the_host() {
        for (base, reference, tls, port, path) in [
            ("", "/login.html", false, 80, "/login.html"),
            ("/a/b?c", "d.cgi?e=f", false, 80, "/a/d.cgi?e=f"),
            ("/a/b#1", "?x", false, 80, "/a/b?x"),
            ("/a/b/", "../../../c/./d/..", false, 80, "/c/"),
            ("", "https://192.0.2.7", true, 443, "/"),
            ("", "HTTPS://192.0.2.7:8443/x#y", true, 8443, "/x"),
            ("", "//192.0.2.7:/x", false, 80, "/x"),
            ("", " http://192.0.2.7:8080?q ", false, 8080, "/?q"),
            ("", "/a b\u{e9}", false, 80, "/a%20b%C3%A9"),
        ] {
            let place = resolve(&at(base), reference.as_bytes());
            assert_eq!(place, Some(Place { tls, port, path: path.to_owned() }), "{reference}");
        }
    }

    #[test]
    fn leaves_other_hosts_and_schemes_alone() {
        for reference in [
            "http://192.0.2.8/",
            "http://example.org/",
            "//192.0.2.8/",
            "http://192.0.2.7@192.0.2.8/",
            "javascript:x()",
            "http://u:p@192.0.2.7/",
            "mailto:a@b",
            "",
            "#top",
            "http://192.0.2.7:0/",
            "http://192.0.2.7:99999/",
            "/a\r\nX: y",
            "/\u{1b}[2J",
        ] {
            assert_eq!(resolve(&at(""), reference.as_bytes()), None, "{reference:?}");
        }
        assert_eq!(resolve(&at(""), b"/\xff"), None);
        assert_eq!(resolve(&at(""), "/x".repeat(LONGEST).as_bytes()), None);
    }

    #[test]
    fn redirects_end_and_never_lead_to_ports_of_others() {
        let mut context = at("");
        for taken in 1..=MOST_REDIRECTS {
            let follow = redirect(&context, "http", format!("/{taken}").as_bytes()).unwrap();
            assert_eq!(follow.path, format!("/{taken}#{taken}"));
            context.path = follow.path;
        }
        assert_eq!(redirect(&context, "http", b"/more"), None);
        for port in [9100, 515, 502, 21, 102, 9116] {
            assert_eq!(
                redirect(&at(""), "http", format!("http://192.0.2.7:{port}/").as_bytes()),
                None,
                "{port}"
            );
        }
        assert_eq!(redirect(&at("/x#1"), "http", b"/x"), None);
    }

    #[test]
    fn only_what_a_request_line_holds_is_sent() {
        assert_eq!(sendable(""), "/");
        assert_eq!(sendable("a b\r\nX: y#3"), "/a%20b%0D%0AX:%20y");
    }
}
