//! Fingerprints on one core: the library's index against trying every pattern of a field.
//!
//! Run with `cargo bench --bench identify`. One element is one observation: the library's own examples.

use std::{collections::BTreeMap, hint::black_box};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headcount_match::{Entry, Library, Said, identify};

/// The observations, by field.
type Rows = BTreeMap<String, Vec<Vec<u8>>>;

/// Fields whose entries are patterns, with all examples of each, and every entry, to be tried one by one.
fn rows(library: &Library) -> (Rows, BTreeMap<String, Vec<Entry>>) {
    let (mut rows, mut entries) = (Rows::new(), BTreeMap::new());
    for (field, _) in library.fields() {
        let of_field = library.entries(field);
        let examples = of_field
            .iter()
            .flat_map(|(_, notes)| notes.examples.iter().map(|example| example.input.to_vec()));
        let examples: Vec<_> = examples.collect();
        if !examples.is_empty() {
            rows.insert(field.to_owned(), examples);
            entries.insert(field.to_owned(), of_field.into_iter().map(|(entry, _)| entry).collect());
        }
    }
    (rows, entries)
}

fn matching(c: &mut Criterion) {
    let library = Library::embedded();
    let (rows, entries) = rows(&library);
    let count: usize = rows.values().map(Vec::len).sum();
    let mut group = c.benchmark_group("matching");
    group.throughput(Throughput::Elements(count as u64)).sample_size(10);
    group.bench_function("library", |b| {
        b.iter(|| {
            for (field, values) in &rows {
                values.iter().for_each(|value| drop(black_box(library.matches(field, value))));
            }
        });
    });
    group.bench_function("every_pattern", |b| {
        b.iter(|| {
            for (field, values) in &rows {
                for value in values {
                    let all = entries.get(field).into_iter().flatten();
                    black_box(all.filter(|entry| entry.matcher.matches(value)).count());
                }
            }
        });
    });
    group.bench_function("identify", |b| {
        b.iter(|| {
            for (field, values) in &rows {
                for value in values {
                    black_box(identify(&library, &[Said { endpoint: None, field, value }]));
                }
            }
        });
    });
    group.finish();
}

/// What a run pays before it knows anything.
fn opening(c: &mut Criterion) {
    c.bench_function("open", |b| b.iter(|| black_box(Library::embedded()).vocabulary().types.len()));
    let said = [("http.server", "Hikvision-Webs"), ("snmp.sysobjectid", "1.3.6.1.4.1.9.1.1208")];
    let said = said.map(|(field, value)| Said { endpoint: None, field, value: value.as_bytes() });
    c.bench_function("open_and_identify_one", |b| {
        b.iter(|| black_box(identify(&Library::embedded(), &said)));
    });
}

criterion_group!(benches, matching, opening);
criterion_main!(benches);
