//! SPDX licence expressions, as far as crates and npm packages use them.

use anyhow::{Result, bail};

/// Licences under which others' work may be part of what ships, in order of preference where there is a choice.
const ALLOWED: [&str; 13] = [
    "Apache-2.0",
    "MIT",
    "0BSD",
    "BSD-3-Clause",
    "BSD-2-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "MIT-0",
    "Apache-2.0 WITH LLVM-exception",
];

/// The licences that are taken of an expression: one of each choice, all of each conjunction.
pub fn chosen(expression: &str) -> Result<Vec<String>> {
    // `MIT/Apache-2.0` is how crates spelled a choice before SPDX.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let found = choice(&words, &mut at)?;
    if at != words.len() {
        bail!("\"{expression}\" is no licence expression");
    }
    let Some(mut licences) = found else {
        bail!("\"{expression}\" is not among the allowed licences")
    };
    licences.sort();
    licences.dedup();
    Ok(licences)
}

/// `None` is an expression that no allowed choice meets.
type Taken = Option<Vec<String>>;

fn choice(words: &[&str], at: &mut usize) -> Result<Taken> {
    let mut best = conjunction(words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        let other = conjunction(words, at)?;
        if rank(&other) < rank(&best) {
            best = other;
        }
    }
    Ok(best)
}

fn rank(taken: &Taken) -> usize {
    let place = |l: &String| ALLOWED.iter().position(|a| a == l).unwrap_or(ALLOWED.len());
    taken.as_ref().map_or(usize::MAX, |all| {
        all.len() * 100 + all.iter().map(place).max().unwrap_or(0)
    })
}

fn conjunction(words: &[&str], at: &mut usize) -> Result<Taken> {
    let mut all = term(words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        let more = term(words, at)?;
        all = all.zip(more).map(|(a, b)| [a, b].concat());
    }
    Ok(all)
}

fn term(words: &[&str], at: &mut usize) -> Result<Taken> {
    let Some(&word) = words.get(*at) else {
        bail!("a licence expression ends too early")
    };
    *at += 1;
    if word == "(" {
        let inner = choice(words, at)?;
        if words.get(*at) != Some(&")") {
            bail!("a licence expression lacks a closing parenthesis");
        }
        *at += 1;
        return Ok(inner);
    }
    let mut name = word.to_owned();
    if words.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    Ok(ALLOWED.contains(&name.as_str()).then(|| vec![name]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_resolve_to_allowed_licences() {
        let cases: [(&str, Option<&[&str]>); 9] = [
            ("MIT OR Apache-2.0", Some(&["Apache-2.0"])),
            ("Apache-2.0/MIT", Some(&["Apache-2.0"])),
            ("LGPL-3.0 OR BSD-3-Clause", Some(&["BSD-3-Clause"])),
            (
                "(MIT OR Apache-2.0) AND Unicode-3.0",
                Some(&["Apache-2.0", "Unicode-3.0"]),
            ),
            (
                "Apache-2.0 WITH LLVM-exception",
                Some(&["Apache-2.0 WITH LLVM-exception"]),
            ),
            ("LGPL-2.1", None),
            ("MIT AND GPL-3.0", None),
            ("(MIT", None),
            ("", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(
                chosen(expression).ok(),
                expected.map(|e| e.iter().map(|&s| s.to_owned()).collect()),
                "{expression}"
            );
        }
    }
}
