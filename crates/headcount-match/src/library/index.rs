//! Which entries of a field a value may match, without trying them one by one.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::format::{Bytes, Entry, Matcher};

/// The most patterns that are tried on one value. A real value calls for a few; a hostile one that holds what
/// thousands cannot match without gets no further than this.
const MOST_TRIED: usize = 512;

/// The entries of a field, and what finds them.
#[derive(Debug)]
pub(super) struct Index {
    entries: Vec<Entry>,
    /// Whole values, and the entries that want them.
    whole: Words,
    /// Starts of values.
    starts: Words,
    /// Starts of values of which only the longest counts.
    longest: Words,
    /// Object identifiers.
    oids: Vec<(Bytes, u32)>,
    /// Finds the texts that patterns cannot match without.
    scanner: Option<AhoCorasick>,
    /// The entries behind each text.
    wanted_by: Vec<u32>,
    /// Patterns without such a text.
    always: Vec<u32>,
    /// Whether any entry asks for a page.
    asks: bool,
}

/// Texts, sorted; those whose case does not matter, in lower case, apart.
#[derive(Debug, Default)]
struct Words {
    exact: Vec<(Bytes, u32)>,
    folded: Vec<(Bytes, u32)>,
    /// The lengths that occur, longest first.
    lengths: Vec<usize>,
}

impl Words {
    fn add(&mut self, words: &super::format::Words, number: u32) {
        for word in &words.any {
            if words.ignore_case {
                self.folded.push((word.to_ascii_lowercase().into(), number));
            } else {
                self.exact.push((word.clone(), number));
            }
        }
    }

    fn finish(&mut self) {
        self.exact.sort();
        self.folded.sort();
        let lengths: BTreeSet<usize> =
            self.exact.iter().chain(&self.folded).map(|(word, _)| word.len()).collect();
        self.lengths = lengths.into_iter().rev().collect();
    }

    /// The entries that want exactly `value`; `folded` is the same in lower case.
    fn find(&self, value: &[u8], folded: &[u8], found: &mut BTreeSet<u32>) {
        found.extend(equal(&self.exact, value));
        found.extend(equal(&self.folded, folded));
    }

    /// The entries that want a start of `value`: all of them, or only those of the longest start.
    fn find_starts(&self, value: &[u8], folded: &[u8], only_longest: bool, found: &mut BTreeSet<u32>) {
        for len in &self.lengths {
            if let (Some(start), Some(folded)) = (value.get(..*len), folded.get(..*len)) {
                let before = found.len();
                self.find(start, folded, found);
                if only_longest && found.len() > before {
                    return;
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }
}

fn equal<'w>(words: &'w [(Bytes, u32)], value: &[u8]) -> impl Iterator<Item = u32> + use<'w> {
    let start = words.partition_point(|(word, _)| word.as_ref() < value);
    let count = words.get(start..).unwrap_or_default().partition_point(|(word, _)| word.as_ref() <= value);
    words.get(start..start + count).unwrap_or_default().iter().map(|(_, number)| *number)
}

impl Index {
    /// Builds what finds `entries`.
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let mut index = Self {
            entries: Vec::new(),
            whole: Words::default(),
            starts: Words::default(),
            longest: Words::default(),
            oids: Vec::new(),
            scanner: None,
            wanted_by: Vec::new(),
            always: Vec::new(),
            asks: entries.iter().any(|entry| !entry.asks.is_empty()),
        };
        let mut needles: Vec<Bytes> = Vec::new();
        for (number, entry) in (0_u32..).zip(&entries) {
            let needed = match &entry.matcher {
                Matcher::Equals(words) => {
                    index.whole.add(words, number);
                    continue;
                }
                Matcher::Prefix(words) => {
                    index.starts.add(words, number);
                    continue;
                }
                Matcher::LongestPrefix(words) => {
                    index.longest.add(words, number);
                    continue;
                }
                Matcher::OidPrefix(oid) => {
                    index.oids.push((oid.as_bytes().to_vec().into(), number));
                    continue;
                }
                Matcher::Contains(words) => &words.any,
                Matcher::Pattern(pattern) => &pattern.needles,
            };
            if needed.is_empty() {
                index.always.push(number);
            }
            needles.extend_from_slice(needed);
            index.wanted_by.extend(needed.iter().map(|_| number));
        }
        index.oids.sort();
        [&mut index.whole, &mut index.starts, &mut index.longest].into_iter().for_each(Words::finish);
        index.scanner = scanner(&needles);
        if index.scanner.is_none() {
            index.always.append(&mut index.wanted_by);
        }
        index.entries = entries;
        index
    }

    /// All entries.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether any entry asks for a page.
    pub(super) const fn asks(&self) -> bool {
        self.asks
    }

    /// How many entries there are.
    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries that match `value`, in their order.
    pub(super) fn matching(&self, value: &[u8]) -> Vec<&Entry> {
        let mut found = BTreeSet::new();
        self.look_up(value, &mut found);
        let mut tried: BTreeSet<u32> = self.always.iter().copied().collect();
        if let Some(scanner) = &self.scanner {
            let wanted = scanner.find_overlapping_iter(value).map(|hit| hit.pattern().as_usize());
            tried.extend(wanted.filter_map(|needle| self.wanted_by.get(needle)));
        }
        let entry = |number: &u32| self.entries.get(*number as usize);
        let matched = tried
            .iter()
            .take(MOST_TRIED)
            .filter(|number| entry(number).is_some_and(|e| e.matcher.matches(value)));
        found.extend(matched);
        let mut groups = BTreeSet::new();
        // Of a group only the first speaks.
        found
            .iter()
            .filter_map(entry)
            .filter(|entry| entry.first_of.is_empty() || groups.insert(entry.first_of.as_ref()))
            .collect()
    }

    fn look_up(&self, value: &[u8], found: &mut BTreeSet<u32>) {
        if !(self.whole.is_empty() && self.starts.is_empty() && self.longest.is_empty()) {
            let folded = value.to_ascii_lowercase();
            self.whole.find(value, &folded, found);
            self.starts.find_starts(value, &folded, false, found);
            let mut longest = BTreeSet::new();
            self.longest.find_starts(value, &folded, true, &mut longest);
            found.append(&mut longest);
        }
        if !self.oids.is_empty() {
            found.extend(self.longest_oid(value));
        }
    }

    fn longest_oid(&self, value: &[u8]) -> impl Iterator<Item = u32> {
        let mut oid = value.strip_prefix(b".").unwrap_or(value);
        loop {
            let mut entries = equal(&self.oids, oid).peekable();
            if entries.peek().is_some() {
                return Some(entries).into_iter().flatten();
            }
            match oid.iter().rposition(|byte| *byte == b'.') {
                Some(dot) => oid = oid.get(..dot).unwrap_or_default(),
                None => return None.into_iter().flatten(),
            }
        }
    }
}

fn scanner(needles: &[Bytes]) -> Option<AhoCorasick> {
    if needles.is_empty() {
        return None;
    }
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(needles)
        .ok()
}
