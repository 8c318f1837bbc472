//! Whether two spellings mean the same.

use std::collections::BTreeSet;

use crate::Library;

/// Words of makers' names that tell none apart.
const EMPTY_WORDS: [&str; 17] = [
    "ab",
    "ag",
    "co",
    "communications",
    "company",
    "corp",
    "corporation",
    "electronics",
    "gmbh",
    "inc",
    "international",
    "ltd",
    "networks",
    "sa",
    "systems",
    "technologies",
    "technology",
];

/// Lower case, words of letters and digits.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// The same maker: one name, by the makers' table, or one that the other one begins with.
pub(super) fn same_vendor(library: &Library, a: &str, b: &str) -> bool {
    let (a, b) = (maker(library, a), maker(library, b));
    let begins = |long: &[String], short: &[String]| {
        long.starts_with(short) && short.iter().map(String::len).sum::<usize>() > 2
    };
    a == b || begins(&a, &b) || begins(&b, &a)
}

fn maker(library: &Library, name: &str) -> Vec<String> {
    let all = words(library.vendor(name).unwrap_or(name));
    let telling: Vec<String> =
        all.iter().filter(|word| *word != "the" && !EMPTY_WORDS.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

/// The same product: the words of one are among those of the other one.
pub(super) fn same_product(given: &str, wanted: &str) -> bool {
    let (have, want) = (words(given), words(wanted));
    if have.is_empty() {
        return false;
    }
    let squeezed = have.concat() == want.concat();
    let (have, want): (BTreeSet<String>, BTreeSet<String>) =
        (have.into_iter().collect(), want.into_iter().collect());
    squeezed || want.is_subset(&have) || (have.is_subset(&want) && have.iter().any(|word| word.len() > 2))
}

/// The same version: one, or one that the other one says more exactly.
pub(super) fn same_version(given: &str, wanted: &str) -> bool {
    let (have, want) = (words(given), words(wanted));
    !have.is_empty() && (have.starts_with(&want) || want.starts_with(&have))
}
