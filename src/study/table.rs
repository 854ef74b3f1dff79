//! The files of the study: a line that says what was asked, a line of column names, and a line a result. Cells hold no comma.

use std::collections::BTreeMap;
use std::fmt::Write;

/// A file of results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What was asked, in words: the first line, after `# `.
    pub about: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Cells, one list a line.
    pub rows: Vec<Vec<String>>,
}

/// The beginning of a file: what was asked, and the columns.
pub fn head(about: &str, columns: &str) -> String {
    format!("# {about}\n{columns}\n")
}

/// `text` as a cell: commas, quotes, percent signs and control characters as `%` and two hexadecimal digits a byte.
pub fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ',' | '"' | '%') || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A number as a cell: `digits` decimals at most, none that say nothing.
pub fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    match text {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// The cells of a line of `columns` columns, or what is wrong with it. Those after the first `words` are numbers or empty, but
/// for a last column called `reason`.
pub fn cells(line: &str, columns: &[String], words: usize) -> Result<Vec<String>, String> {
    let cells: Vec<String> = line.split(',').map(str::to_owned).collect();
    if cells.len() != columns.len() {
        return Err(format!("it has {} cells instead of {}", cells.len(), columns.len()));
    }
    for (cell, name) in cells.iter().zip(columns).skip(words) {
        let number = cell.parse::<f64>().is_ok_and(f64::is_finite);
        if !cell.is_empty() && name != "reason" && !number {
            return Err(format!("\"{cell}\" in the column {name} is no number"));
        }
    }
    Ok(cells)
}

impl Table {
    /// Reads a whole file, of whose columns the first `words` hold words; the error names the line.
    pub fn parse(text: &str, words: usize) -> Result<Self, String> {
        let mut lines = text.lines().enumerate();
        let about = lines.next().and_then(|(_, line)| line.strip_prefix("# "));
        let about = about.ok_or("it does not begin as a file of the study does")?.to_owned();
        let (_, columns) = lines.next().ok_or("it ends before its columns")?;
        let columns: Vec<String> = columns.split(',').map(str::to_owned).collect();
        let mut rows = Vec::new();
        for (at, line) in lines {
            rows.push(cells(line, &columns, words).map_err(|why| format!("line {}: {why}", at + 1))?);
        }
        if !text.ends_with('\n') {
            return Err(format!("line {}: it is cut short", rows.len() + 2));
        }
        Ok(Self { about, columns, rows })
    }

    /// The rows of `other` too, which must have the same columns and have been asked the same.
    pub fn join(&mut self, other: Self) -> Result<(), String> {
        if self.columns != other.columns || self.about != other.about {
            return Err(format!(
                "it was asked \"{}\", the others \"{}\"",
                other.about, self.about
            ));
        }
        self.rows.extend(other.rows);
        Ok(())
    }

    /// The lines of `other` that are not here, and how many were. `words` cells say what a line is of; two lines of the same thing
    /// may differ in the column `ms` alone, which is a matter of the machine: the first stays.
    pub fn merge(&mut self, other: Self, words: usize) -> Result<usize, String> {
        if self.columns != other.columns || self.about != other.about {
            return self.join(other).map(|()| 0);
        }
        let alike = |a: &[String], b: &[String]| {
            let cells = a.iter().zip(b).zip(&self.columns);
            cells.into_iter().all(|((a, b), column)| a == b || column == "ms")
        };
        let known: BTreeMap<&[String], &Vec<String>> = self.rows.iter().map(|row| (&row[..words], row)).collect();
        let mut fresh = Self {
            rows: Vec::new(),
            ..other
        };
        let mut twice = 0;
        let mut seen: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for row in other.rows {
            let of = &row[..words];
            let found = known.get(of).copied();
            match found.or_else(|| seen.get(of).map(|&at| &fresh.rows[at])) {
                Some(found) if alike(found, &row) => twice += 1,
                Some(_) => return Err(format!("it has another result of {}", of.join(", "))),
                None => {
                    seen.insert(of.to_vec(), fresh.rows.len());
                    fresh.rows.push(row);
                }
            }
        }
        self.join(fresh)?;
        Ok(twice)
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Result<usize, String> {
        let found = self.columns.iter().position(|c| c == name);
        found.ok_or_else(|| format!("it has no column {name}"))
    }

    /// As it is written.
    pub fn text(&self) -> String {
        let mut text = head(&self.about, &self.columns.join(","));
        for row in &self.rows {
            text.push_str(&row.join(","));
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_written_and_damage_is_named_by_line() {
        let text = "# asked\nname,a,reason\nx,1.5,\ny,,no %2C number\n";
        let table = Table::parse(text, 1).unwrap();
        assert_eq!((table.rows.len(), table.text().as_str()), (2, text));
        let wrong = |text: &str| Table::parse(text, 1).unwrap_err();
        assert!(wrong("name,a\n").contains("does not begin"));
        assert!(wrong("# asked").contains("columns"));
        assert!(wrong(&text.replace("1.5", "1.5,2")).starts_with("line 3: it has 4 cells"));
        assert!(wrong(&text.replace("y,,", "y,zero,")).starts_with("line 4: \"zero\""));
        assert!(wrong(&text.replace("1.5", "NaN")).starts_with("line 3"));
        assert!(wrong(&text[..text.len() - 1]).starts_with("line 4: it is cut"));
        let mut all = table.clone();
        all.join(table.clone()).unwrap();
        assert_eq!(all.rows.len(), 4);
        let other = Table::parse("# other\nname,a,reason\n", 1).unwrap();
        assert!(all.join(other).is_err() && table.column("a") == Ok(1) && table.column("b").is_err());
    }

    #[test]
    fn the_same_result_is_kept_once_and_another_is_refused() {
        let table = |rows: &str| Table::parse(&format!("# asked\nname,a,ms,reason\n{rows}"), 1).unwrap();
        let mut all = table("x,1,5,\ny,2,5,\n");
        assert_eq!(all.merge(table("y,2,9,\nz,3,1,\nz,3,2,\n"), 1), Ok(2));
        assert_eq!(all, table("x,1,5,\ny,2,5,\nz,3,1,\n"));
        let before = all.clone();
        assert_eq!(
            all.merge(table("w,1,1,\nx,1.5,5,\n"), 1),
            Err("it has another result of x".into())
        );
        assert!(all.merge(table("w,1,1,\nw,2,1,\n"), 1).is_err());
        assert!(
            all.merge(Table::parse("# other\nname,a,ms,reason\n", 1).unwrap(), 1)
                .is_err()
        );
        assert_eq!(all, before);
    }

    #[test]
    fn cells_and_numbers_are_short() {
        assert_eq!(cell("a,b\n\"c\"%ä"), "a%2Cb%0A%22c%22%25ä");
        let all = [
            (0.1254, "0.125"),
            (1.0, "1"),
            (-0.0001, "0"),
            (12.5, "12.5"),
            (100.0, "100"),
        ];
        for (value, text) in all {
            assert_eq!(number(value, 3), text);
        }
        assert_eq!(number(1234.0, 0), "1234");
        assert_eq!(number(100.0, 0), "100");
    }
}
