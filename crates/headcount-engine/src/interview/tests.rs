use headcount_model::Transport;

use super::*;

fn web(port: u16, tls: bool, path: &str) -> Question {
    Question { probe: "http", transport: Transport::Tcp, port, tls, path: path.to_owned() }
}

fn interview(questions: Vec<Question>) -> Interview {
    Interview::new(0, questions, 1, true, Instant::ZERO)
}

/// What is left to be asked: ports and paths, in turn.
fn left(interview: &Interview) -> Vec<(u16, bool, &str)> {
    interview.waiting.iter().map(|one| (one.port, one.tls, one.path.as_str())).collect()
}

#[test]
fn a_port_is_asked_for_few_pages_each_once() {
    let (clear, inside) = (web(80, false, ""), web(443, true, ""));
    let mut interview = interview(vec![clear.clone()]);
    for path in ["/a", "/b", "/a", "/c", "/d"] {
        interview.ask_page(&clear, path.to_owned());
    }
    assert_eq!(left(&interview), [(80, false, ""), (80, false, "/a"), (80, false, "/b"), (80, false, "/c")]);
    // Once asked it is not asked again, not even inside TLS; another port is a port of its own.
    for question in ["", "/a", "/b", "/c"].map(|path| web(80, false, path)) {
        interview.skip(&question);
    }
    interview.ask_page(&clear, "/a".to_owned());
    interview.ask_page(&web(80, true, ""), "/a".to_owned());
    interview.ask_page(&inside, "/a".to_owned());
    assert_eq!(left(&interview), [(443, true, "/a")]);
}

#[test]
fn no_page_is_asked_for_where_nothing_is_written() {
    let mut interview = interview(Vec::new());
    for port in [9100, 515, 502, 4001, 104, 44_818] {
        interview.ask_page(&web(port, false, ""), "/a".to_owned());
    }
    for path in ["", "a", "/a#1", "/a b", "/a\r\nX: y"] {
        interview.ask_page(&web(80, false, ""), path.to_owned());
    }
    assert!(interview.is_done(), "{:?}", left(&interview));
}

#[test]
fn pages_are_left_out_when_the_host_has_cost_what_it_may() {
    let mut interview = interview(Vec::new());
    interview.ask_page(&web(80, false, ""), "/a".to_owned());
    interview.bytes = MOST_BYTES;
    assert!(matches!(interview.next(Instant::ZERO, &mut News::default()), Next::Done));
    assert!(interview.take_spent());
}

#[test]
fn only_what_comes_with_a_first_page_may_call_for_others() {
    let heard = |question: Question| {
        let mut interview = interview(Vec::new());
        let mut news = News::default();
        interview.live.insert(
            CommandId(1),
            Live {
                question: question.clone(),
                stream: true,
                exchange: None,
                context: probe::Context {
                    host: std::net::Ipv4Addr::new(192, 0, 2, 7),
                    port: question.port,
                    tls: question.tls,
                    path: question.path.clone(),
                    community: None,
                    random: [0; 32],
                },
                answered: false,
            },
        );
        let facts = probe::TlsFacts { version: 0x0303, cipher: 0x1301, chain: Vec::new() };
        interview.opened(Instant::ZERO, CommandId(1), Some(&facts), &mut news);
        interview.received(Instant::ZERO, CommandId(1), b"HTTP/1.1 200 OK\r\n\r\n", &mut news);
        interview.closed(CommandId(1), &mut news);
        assert!(news.said.iter().any(|one| one.question.probe == "tls"));
        news.said.iter().map(|one| one.first_page).collect::<BTreeSet<bool>>()
    };
    assert_eq!(heard(web(443, true, "")), [true].into());
    assert_eq!(heard(web(443, true, "/login.html#1")), [true].into());
    assert_eq!(heard(web(443, true, "/asked")), [false].into());
    assert_eq!(heard(Question { probe: "ldap", ..web(636, true, "") }), [false].into());
}
