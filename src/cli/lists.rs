//! What there is.

use lucarne::protocol::{Catalogue, CriterionEntry, ImputerEntry, MethodEntry, MetricEntry, WireParam, WireValue};

use super::failure::Failure;
use super::models::bundled;
use super::output::{print_json, print_table};

/// The bundled networks.
pub fn models(json: bool) -> Result<(), Failure> {
    let all = bundled()?;
    if json {
        return print_json(&all.iter().map(|b| &b.card).collect::<Vec<_>>());
    }
    let mut rows = Vec::new();
    for b in &all {
        rows.push(vec![b.card.id.clone(), b.card.summary.clone()]);
        rows.push(vec![
            String::new(),
            format!("{}, {}", b.folder.join(&b.card.file).display(), b.card.source.licence),
        ]);
    }
    print_table(&rows);
    Ok(())
}

/// The methods.
pub fn methods(json: bool) -> Result<(), Failure> {
    let all = Catalogue::new().methods;
    let row = |m: &MethodEntry| Row {
        id: m.id.clone(),
        summary: m.summary.clone(),
        facts: vec![
            m.family.clone(),
            listed("needs", &m.needs),
            listed("keeps", &m.axioms),
            when(m.signed, "signed"),
            when(m.stochastic, "random"),
        ],
        params: m.params.clone(),
    };
    list(&all, json, "--param", row)
}

/// The metrics.
pub fn metrics(json: bool) -> Result<(), Failure> {
    let all = Catalogue::new().metrics;
    let row = |m: &MetricEntry| Row {
        id: m.id.clone(),
        summary: format!("{} ({} is better)", m.summary, m.direction),
        facts: vec![
            m.category.clone(),
            m.range.clone(),
            listed("needs", &m.needs),
            when(!m.imputer.is_empty(), &format!("imputer {} by default", m.imputer)),
            listed("hangs most on", &m.sensitive),
            when(m.stochastic, "random"),
        ],
        params: m.params.clone(),
    };
    list(&all, json, "--param", row)
}

/// The imputers.
pub fn imputers(json: bool) -> Result<(), Failure> {
    let all = Catalogue::new().imputers;
    let row = |m: &ImputerEntry| Row {
        id: m.id.clone(),
        summary: m.summary.clone(),
        facts: vec![
            when(m.needs_kept, "fills from kept pixels"),
            when(m.stochastic, "random"),
        ],
        params: m.params.clone(),
    };
    list(&all, json, "--imputer-param", row)
}

/// The criteria of removal.
pub fn criteria(json: bool) -> Result<(), Failure> {
    let all = Catalogue::new().criteria;
    let row = |c: &CriterionEntry| Row {
        id: c.id.clone(),
        summary: format!("{} ({} is better)", c.summary, c.better),
        facts: vec![c.formula.clone(), c.range.clone()],
        params: Vec::new(),
    };
    list(&all, json, "", row)
}

/// An entry as listed.
struct Row {
    id: String,
    summary: String,
    /// Short facts; empty ones are left out.
    facts: Vec<String>,
    params: Vec<WireParam>,
}

fn listed(what: &str, words: &[String]) -> String {
    when(!words.is_empty(), &format!("{what} {}", words.join(", ")))
}

fn when(said: bool, text: &str) -> String {
    if said { text.to_owned() } else { String::new() }
}

fn list<T: serde::Serialize>(all: &[T], json: bool, flag: &str, row: impl Fn(&T) -> Row) -> Result<(), Failure> {
    if json {
        return print_json(&all);
    }
    let mut rows = Vec::new();
    for entry in all.iter().map(row) {
        rows.push(vec![entry.id, entry.summary]);
        let facts: Vec<String> = entry.facts.into_iter().filter(|fact| !fact.is_empty()).collect();
        if !facts.is_empty() {
            rows.push(vec![String::new(), facts.join("; ")]);
        }
        rows.extend(entry.params.iter().map(|p| vec![String::new(), parameter(flag, p)]));
    }
    print_table(&rows);
    Ok(())
}

/// `flag name=default (range) help`.
fn parameter(flag: &str, param: &WireParam) -> String {
    let default = match &param.default {
        WireValue::Flag(v) => v.to_string(),
        WireValue::Number(v) => v.to_string(),
        WireValue::Text(v) => v.clone(),
    };
    let range = match (param.min, param.max) {
        (Some(min), Some(max)) => format!("{} {min} to {max}", param.kind),
        _ if param.choices.is_empty() => param.kind.clone(),
        _ => param.choices.join(", "),
    };
    format!("{flag} {}={default}  ({range}) {}", param.name, param.doc)
}
