use std::net::Ipv4Addr;

use headcount_model::{
    Address, AddressSet, Attribute, ClonedKey, Completeness, Counters, Device, DuplicateAddress, Endpoint,
    Evidence, Exposure, Findings, FoldReason, Grade, HostName, Interface, Known, MacAddr, Method, MethodUse,
    NameSource, Observation, Phantom, PhantomKind, PortState, PortSummary, Presence, Privilege, Rates, Raw,
    Reason, Rival, Run, Scope, Seen, SegmentKind, SegmentRecord, Service, Skipped, Statement, Timestamp,
    Transport,
};
use serde_json::Value;

use crate::*;

const START: i64 = 1_795_000_000_123_456;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(START + seconds * 1_000_000)
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn mac(text: &str) -> MacAddr {
    text.parse().unwrap()
}

fn set(text: &str) -> AddressSet {
    headcount_model::targets_in_text(text)
        .map(|(_, target)| match target {
            Ok(headcount_model::TargetSpec::Range(range)) => range,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn segment(id: u16, kind: SegmentKind, interface: &str, addresses: &str, counts: [u64; 3]) -> SegmentRecord {
    let addresses = set(addresses);
    SegmentRecord {
        id,
        kind,
        interface: interface.to_owned(),
        gateway: (kind == SegmentKind::Routed).then(|| ip("192.168.10.1")),
        source: Some(ip("192.168.10.5")),
        source_mac: Some(mac("3c:52:82:00:00:05")),
        asked: addresses.len(),
        addresses,
        present: counts[0],
        phantoms: counts[1],
        unreachable: counts[2],
        passes: 2,
        control_loss: (kind != SegmentKind::Local).then_some(0.004),
        controls_asked: 250,
        miss_chance: (kind != SegmentKind::Local).then_some(0.000_016),
        complete: true,
    }
}

pub(crate) fn example_run() -> Run {
    Run {
        id: "20261118T110640-2a".to_owned(),
        version: "0.1.0".to_owned(),
        command: ["headcount", "scan", "192.168.10.0/24", "10.20.0.0/28"].map(str::to_owned).to_vec(),
        host: Some("audit-pc".to_owned()),
        privilege: Privilege::Raw,
        seed: 42,
        started: at(0),
        ended: at(12),
        scope: Scope { allowed: set("192.168.10.0/24 10.20.0.0/28"), excluded: set("192.168.10.66") },
        methods: vec![
            MethodUse { method: Method::Arp, purpose: "who is on the segment".to_owned() },
            MethodUse { method: Method::IcmpEcho, purpose: "who answers".to_owned() },
            MethodUse { method: Method::TcpSyn, purpose: "which ports are open".to_owned() },
        ],
        skipped: vec![Skipped {
            method: Method::Dns,
            why: "--no-dns was given; devices have no names".to_owned(),
        }],
        ports: "22,80,443,8080".parse().unwrap(),
        udp_ports: "53,161".parse().unwrap(),
        rates: Rates {
            profile: "standard".to_owned(),
            total: 1000.0,
            per_host: 40.0,
            broadcast: 100.0,
            backed_off: 1,
        },
        segments: vec![
            segment(0, SegmentKind::Attached, "eth0", "192.168.10.0/24", [4, 0, 0]),
            segment(1, SegmentKind::Routed, "eth0", "10.20.0.0/28", [2, 7, 2]),
            segment(2, SegmentKind::Local, "eth0", "192.168.10.5", [1, 0, 0]),
        ],
        counters: Counters { sent: 3456, received: 321, dropped: 3, ..Counters::default() },
        completeness: Completeness { complete: true, why: None, miss_chance: Some(0.000_016) },
    }
}

pub(crate) struct Sketch<'a> {
    pub(crate) segment: u16,
    pub(crate) mac: Option<&'a str>,
    pub(crate) maker: Option<&'a str>,
    pub(crate) addresses: &'a [&'a str],
    pub(crate) names: &'a [&'a str],
    pub(crate) reasons: &'a [(Method, Reason)],
    pub(crate) open: &'a [(u16, &'a str)],
    pub(crate) closed: &'a str,
}

impl Sketch<'_> {
    pub(crate) fn device(&self) -> Device {
        let mac = self.mac.map(mac);
        let address = ip(self.addresses[0]);
        let presence = self.reasons.iter().zip(1..).map(|((method, reason), second)| Presence {
            address,
            method: *method,
            reason: *reason,
            known: reason.known().unwrap_or(Known::Answered),
            port: None,
            at: at(second),
        });
        let service = |(port, name): &(u16, &str)| Service {
            address,
            transport: Transport::Tcp,
            port: *port,
            name: (!name.is_empty()).then(|| (*name).to_owned()),
            product: None,
            version: None,
            vendor: None,
            state: PortState::Open,
            reason: Reason::SynAck,
            method: Method::TcpSyn,
            ttl: Some(64),
            rtt_us: Some(900),
            at: at(3),
        };
        let ports = (!self.closed.is_empty()).then(|| PortSummary {
            address,
            transport: Transport::Tcp,
            state: PortState::Closed,
            reason: Reason::Rst,
            count: self.closed.parse::<headcount_model::PortSet>().unwrap().len() as u32,
            ports: self.closed.parse().unwrap(),
        });
        let interface = Interface {
            segment: self.segment,
            mac,
            maker: self.maker.map(str::to_owned),
            locally_administered: mac.is_some_and(MacAddr::is_locally_administered),
            addresses: self.addresses.iter().map(|a| Address { address: ip(a), rtt_us: Some(412) }).collect(),
        };
        let name = |name: &&str| HostName { name: (*name).to_owned(), source: NameSource::Ptr, address };
        Device {
            id: mac.map_or_else(|| address.to_string(), |mac| mac.to_string()),
            this_machine: self.segment == 2,
            interfaces: vec![interface],
            names: self.names.iter().map(name).collect(),
            presence: presence.collect(),
            services: self.open.iter().map(service).collect(),
            ports: ports.into_iter().collect(),
            attributes: Vec::new(),
            exposures: Vec::new(),
            statements: Vec::new(),
            folded: Vec::new(),
            accepts_every_port: false,
            first_heard: at(1),
            last_heard: at(9),
        }
    }
}

/// A storage device that said what it is.
pub(crate) fn identified() -> Device {
    const ARP: (Method, Reason) = (Method::Arp, Reason::ArpReply);
    const ECHO: (Method, Reason) = (Method::IcmpEcho, Reason::EchoReply);
    const OPEN: (Method, Reason) = (Method::TcpSyn, Reason::SynAck);
    let mut device = Sketch {
        segment: 0,
        mac: Some("00:11:32:ab:cd:ef"),
        maker: Some("Synology Incorporated"),
        addresses: &["192.168.10.20", "192.168.10.21"],
        names: &["backup.office.example.", "storage-and-backup-1.servers.office.example."],
        reasons: &[ARP, ECHO, OPEN],
        open: MANY_PORTS,
        closed: "",
    }
    .device();
    let endpoint = Some(Endpoint { address: ip("192.168.10.20"), transport: Transport::Tcp, port: 80 });
    let evidence = |field: &str, id: &str, value: &str, certainty| Evidence {
        fingerprint: format!("{field}/{id}"),
        field: field.to_owned(),
        value: Raw::from(value),
        certainty,
        endpoint,
    };
    let title = || evidence("http.title", "diskstation", "backup - Synology DiskStation", 0.9);
    let attribute = |name: &str, value: &str, confidence, evidence| Attribute {
        name: name.to_owned(),
        value: value.to_owned(),
        confidence,
        endpoint: None,
        evidence: vec![evidence],
        rivals: Vec::new(),
    };
    device.attributes = vec![
        attribute("device.model", "DS920+", 0.42, evidence("upnp.modelname", "ds", "DS920+", 0.42)),
        attribute("device.product", "DiskStation", 0.9, title()),
        Attribute {
            rivals: vec![Rival {
                value: "server".to_owned(),
                confidence: 0.06,
                evidence: vec![evidence("ssh", "openssh", "OpenSSH_8.2", 0.4)],
            }],
            ..attribute("device.type", "nas", 0.93, title())
        },
        attribute(
            "device.vendor",
            "Synology",
            0.97,
            evidence("http.server", "synology", "nginx (Synology)", 0.9),
        ),
        attribute("device.version", "=7.1", 0.8, title()),
        attribute("os.product", "DSM", 0.9, title()),
    ];
    let exposure = |id: &str, grade, title: &str| Exposure {
        id: id.to_owned(),
        grade,
        title: title.to_owned(),
        confidence: 0.9,
        endpoint,
        evidence: vec![evidence("http.body", "first-boot", "Welcome! Set up your DiskStation", 0.95)],
        remedy: "Finish the set-up and give the administrator a password of your own.".to_owned(),
        controls: vec!["A.5.17".to_owned(), "A.8.9".to_owned()],
    };
    device.exposures = vec![
        exposure("synology-setup", Grade::FactoryState, "Set-up not finished"),
        exposure("synology-admin", Grade::KnownDefault, "The model is delivered with a known account"),
    ];
    device.statements = vec![Statement {
        endpoint: Endpoint { address: ip("192.168.10.20"), transport: Transport::Tcp, port: 80 },
        probe: "http".to_owned(),
        field: "http.title".to_owned(),
        value: Raw::from("backup - Synology DiskStation"),
        at: at(6),
    }];
    device.folded = vec![FoldReason {
        key: "ssh.hostkey.sha256".to_owned(),
        value: "0f1e2d3c".to_owned(),
        addresses: vec![ip("192.168.10.20"), ip("192.168.10.21")],
    }];
    device.services[3].product = Some("nginx".to_owned());
    device
}

const MANY_PORTS: &[(u16, &str)] = &[
    (21, "ftp"),
    (22, "ssh"),
    (53, "domain"),
    (80, "http"),
    (139, "netbios-ssn"),
    (443, "https"),
    (445, "microsoft-ds"),
    (548, "afp"),
    (631, "ipp"),
    (873, "rsync"),
    (2049, "nfs"),
    (3306, "mysql"),
    (5000, "upnp"),
    (5001, ""),
    (6690, ""),
    (8080, "http-alt"),
    (8443, "https-alt"),
    (32400, "plex"),
];

fn example_devices() -> Vec<Device> {
    const ARP: (Method, Reason) = (Method::Arp, Reason::ArpReply);
    const ECHO: (Method, Reason) = (Method::IcmpEcho, Reason::EchoReply);
    const OPEN: (Method, Reason) = (Method::TcpSyn, Reason::SynAck);
    const RST: (Method, Reason) = (Method::TcpSyn, Reason::Rst);
    let base = Sketch {
        segment: 0,
        mac: None,
        maker: None,
        addresses: &["10.20.0.4"],
        names: &[],
        reasons: &[ARP],
        open: &[],
        closed: "",
    };
    let mut phone = Sketch {
        mac: Some("da:a1:19:00:10:02"),
        addresses: &["192.168.10.31"],
        closed: "22,80,443,8080",
        reasons: &[ARP, RST],
        ..base
    }
    .device();
    phone.ports[0].state = PortState::Filtered;
    let mut honeypot = Sketch { segment: 1, addresses: &["10.20.0.9"], reasons: &[OPEN], ..base }.device();
    honeypot.accepts_every_port = true;
    vec![
        Sketch { segment: 1, reasons: &[ECHO, OPEN], open: &[(443, "https")], ..base }.device(),
        honeypot,
        Sketch {
            mac: Some("00:00:0c:12:34:56"),
            maker: Some("Cisco Systems, Inc"),
            addresses: &["192.168.10.1"],
            names: &["gw.office.example."],
            reasons: &[ARP, ECHO, OPEN, RST],
            open: &[(22, "ssh"), (443, "https")],
            ..base
        }
        .device(),
        Sketch {
            segment: 2,
            mac: Some("3c:52:82:00:00:05"),
            maker: Some("Hewlett Packard"),
            addresses: &["192.168.10.5"],
            names: &["audit-pc"],
            reasons: &[(Method::Interface, Reason::LocalAddress)],
            ..base
        }
        .device(),
        identified(),
        phone,
    ]
}

pub(crate) fn example() -> Document {
    let findings = Findings {
        phantoms: vec![
            Phantom {
                segment: 1,
                what: PhantomKind::ResetsForAll,
                mac: None,
                address: ip("10.20.0.13"),
                not_counted: 7,
            },
            Phantom {
                segment: 1,
                what: PhantomKind::AcceptsEveryPort,
                mac: None,
                address: ip("10.20.0.9"),
                not_counted: 0,
            },
        ],
        duplicate_addresses: vec![DuplicateAddress {
            segment: 0,
            address: ip("192.168.10.31"),
            macs: vec![mac("da:a1:19:00:10:02"), mac("f0:18:98:00:00:07")],
        }],
        cloned_keys: vec![ClonedKey {
            field: "tls.key".to_owned(),
            value: "0f1e2d3c4b5a69788796a5b4c3d2e1f0".to_owned(),
            addresses: vec![ip("192.168.10.1"), ip("192.168.10.20")],
        }],
    };
    Document::new(example_run(), example_devices(), findings)
}

/// Everything that a text from the network may try.
pub(crate) const HOSTILE: &str =
    "=cmd|'/c calc'!A0\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\",\u{202e}gpj\u{2028}\u{9b}31m<script>\0\u{200b}";

fn hostile() -> Document {
    let mut document = example();
    for cloned in &mut document.findings.cloned_keys {
        (cloned.field, cloned.value) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    }
    let run = &mut document.run;
    for text in [&mut run.id, &mut run.version, &mut run.rates.profile, &mut document.generator] {
        *text = HOSTILE.to_owned();
    }
    run.host = Some(HOSTILE.to_owned());
    run.command = vec![HOSTILE.to_owned()];
    run.methods[0].purpose = HOSTILE.to_owned();
    run.skipped[0].why = HOSTILE.to_owned();
    run.completeness = Completeness { complete: false, why: Some(HOSTILE.to_owned()), miss_chance: None };
    for segment in &mut run.segments {
        segment.interface = HOSTILE.to_owned();
    }
    for device in &mut document.devices {
        device.id = HOSTILE.to_owned();
        for interface in &mut device.interfaces {
            interface.maker = Some(HOSTILE.to_owned());
        }
        let address = device.interfaces[0].addresses[0].address;
        device.names = vec![HostName { name: HOSTILE.to_owned(), source: NameSource::Ptr, address }];
        for attribute in &mut device.attributes {
            attribute.value = HOSTILE.to_owned();
        }
        for exposure in &mut device.exposures {
            (exposure.id, exposure.title) = (HOSTILE.to_owned(), HOSTILE.to_owned());
            (exposure.remedy, exposure.controls) = (HOSTILE.to_owned(), vec![HOSTILE.to_owned()]);
        }
        for statement in &mut device.statements {
            statement.value = Raw(b"\xff\x1b[2J".to_vec());
        }
        for service in &mut device.services {
            service.name = Some(HOSTILE.to_owned());
        }
    }
    document
}

fn text(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub(crate) fn table_of(document: &Document, width: Option<u16>) -> String {
    let options = TableOptions { color: false, width, unicode: true };
    text(|out| table(document, &options, out))
}

fn stream(document: &Document) -> String {
    let mut stream = Ndjson::new(Vec::new());
    stream.start(&document.run).unwrap();
    let names = document.devices.iter().flat_map(|device| &device.names);
    let mut observations: Vec<Observation> = names
        .take(1)
        .map(|name| Observation {
            at: at(4),
            segment: 0,
            address: name.address,
            method: Method::Dns,
            seen: Seen::Name { name: name.name.clone(), source: name.source },
        })
        .collect();
    observations.push(Observation {
        at: at(5),
        segment: 0,
        address: ip("192.168.10.1"),
        method: Method::Arp,
        seen: Seen::Present {
            reason: Reason::ArpReply,
            mac: Some(mac("00:00:0c:12:34:56")),
            ttl: None,
            rtt_us: Some(412),
        },
    });
    for observation in &observations {
        stream.observation(observation).unwrap();
    }
    String::from_utf8(stream.finish(document).unwrap()).unwrap()
}

fn errors(schema: &Value, instance: &Value) -> Vec<String> {
    jsonschema::draft202012::meta::validate(schema).unwrap();
    let validator = jsonschema::draft202012::new(schema).unwrap();
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn json_is_what_the_schema_says_and_reads_back() {
    for document in [example(), hostile()] {
        let json = text(|out| json(&document, out));
        let value: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(errors(&schema(), &value), Vec::<String>::new());
        assert_eq!(serde_json::from_str::<Document>(&json).unwrap(), document);
    }
}

#[test]
fn the_schema_refuses_what_is_no_run() {
    let schema = schema();
    let good = serde_json::to_value(example()).unwrap();
    let broken = |change: fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        errors(&schema, &value).len()
    };
    assert_eq!(broken(|v| v["later"] = Value::from(1)), 0, "unknown members are for later versions");
    assert_eq!(broken(|v| v["devices"][0]["later"] = Value::from(1)), 0);
    assert_ne!(broken(|v| v["devices"][0]["presence"][0]["reason"] = Value::from("guess")), 0);
    assert_ne!(broken(|v| v["devices"][2]["interfaces"][0]["mac"] = Value::from("00-11")), 0);
    assert_ne!(broken(|v| v["run"]["ports"] = Value::from("http")), 0);
    assert_ne!(broken(|v| v["schema"] = Value::from("one")), 0);
    assert_ne!(broken(|v| drop(v.as_object_mut().unwrap().remove("findings"))), 0);
}

#[test]
fn each_line_of_the_stream_is_a_record() {
    let schema = record_schema();
    for document in [example(), hostile()] {
        let stream = stream(&document);
        let mut kinds = Vec::new();
        for line in stream.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            assert_eq!(errors(&schema, &value), Vec::<String>::new(), "{line}");
            kinds.push(value["record"].as_str().unwrap().to_owned());
            let record: Record = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_value(&record).unwrap(), value);
        }
        kinds.dedup();
        assert_eq!(kinds, ["start", "observation", "device", "findings", "run"]);
    }
}

#[test]
fn hostile_text_reaches_no_terminal_and_no_formula() {
    let document = hostile();
    let outputs = [
        text(|out| json(&document, out)),
        stream(&document),
        text(|out| csv(&document, out)),
        table_of(&document, Some(80)),
        table_of(&document, None),
    ];
    for output in &outputs {
        let bad = output.chars().find(|c| escape::is_hidden(*c) && !matches!(c, '\n' | '\r'));
        assert_eq!(bad, None, "{output}");
    }
    let [_, _, csv, table, _] = &outputs;
    let rows = parse_csv(csv);
    let width = rows[0].len();
    assert_eq!(rows.len(), 1 + 7);
    for cell in rows.iter().skip(1).flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    assert!(rows.iter().all(|row| row.len() == width));
    assert!(table.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80));
}

#[test]
fn csv_is_rfc_4180() {
    let csv = text(|out| csv(&example(), out));
    assert!(csv.lines().count() == csv.matches("\r\n").count());
    let rows = parse_csv(&csv);
    assert_eq!(rows[0][..3], ["device", "address", "mac"]);
    assert_eq!(rows[3][3], "Cisco Systems, Inc");
    insta::assert_snapshot!(csv.replace("\r\n", "\n"));
}

#[test]
fn json_looks_like_this() {
    let mut document = example();
    document.devices.truncate(3);
    document.devices.remove(0);
    insta::assert_snapshot!(text(|out| json(&document, out)));
}

#[test]
fn the_stream_looks_like_this() {
    insta::assert_snapshot!(stream(&example()));
}

#[test]
fn the_schemas_look_like_this() {
    insta::assert_snapshot!("schema", serde_json::to_string_pretty(&schema()).unwrap());
    insta::assert_snapshot!("record_schema", serde_json::to_string_pretty(&record_schema()).unwrap());
}

/// A plain reader of RFC 4180, as a second opinion.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty());
    rows
}
