//! What the curves say of the imputers that they were measured with.

use std::collections::{BTreeMap, BTreeSet};

use super::Table;
use super::degrade::{LEVELS, name};
use super::sample::{self, Estimate, bootstrap, mean};
use crate::attribution::{self, Family};
use crate::metric::stats::spearman;

/// Columns of a file of curves that hold words: picture, method, imputer, order.
pub const CURVE_WORDS: usize = 4;
/// Columns of a file of maps that hold words: picture, method, label.
pub const MAP_WORDS: usize = 3;
/// Columns of a file of maps.
pub const MAP_COLUMNS: &str = "picture,method,label,p0,l0,energy,pointing,forward,backward,ms";
/// The orders, as they are written.
pub const ORDERS: [&str; 2] = ["morf", "lerf"];
/// The control that blurs the map of another method.
pub const BLURRED: &str = "blurred";
/// The method that it blurs.
pub const SHARP: &str = "gradient";
/// The control that draws numbers.
pub const RANDOM: &str = "random";

/// Columns of a file of curves: probability and logit of the class after each removed share, in percent.
pub fn curve_columns(percents: &[usize]) -> String {
    let mut columns = vec!["picture,method,imputer,order".to_owned()];
    for letter in ["p", "l"] {
        columns.extend(percents.iter().map(|p| format!("{letter}{p}")));
    }
    columns.push("reason".to_owned());
    columns.join(",")
}

/// Curves of the pictures that are complete, with what is known of the maps.
pub struct Study {
    /// Pictures with every method and order of each of `imputers`.
    pub pictures: Vec<String>,
    /// Methods, degraded ones among them.
    pub methods: Vec<String>,
    /// Imputers that were measured on more than half of the pictures that any was.
    pub imputers: Vec<String>,
    /// The others.
    pub left_out: Vec<String>,
    /// Removed shares, in percent.
    pub percents: Vec<usize>,
    /// Pictures of which something is missing.
    pub incomplete: usize,
    /// Probability at each share, by picture, method, imputer and order.
    curves: Vec<Vec<Vec<[Vec<f64>; 2]>>>,
    /// Share of positive relevance inside the known object, by picture and method; empty where it is not known.
    energy: Vec<Vec<Option<f64>>>,
    /// Whether the maximum lies in it.
    pointing: Vec<Vec<Option<f64>>>,
    /// Probability of the whole picture.
    whole: Vec<f64>,
}

type Cells<'a> = BTreeMap<(&'a str, &'a str, &'a str, usize), Vec<f64>>;

impl Study {
    /// From the files.
    ///
    /// # Errors
    /// Columns that are missing, an order that is none, in words that name the line.
    pub fn new(curves: &Table, maps: &Table) -> Result<Self, String> {
        let percent = |c: &String| c.strip_prefix('p').and_then(|p| p.parse::<usize>().ok());
        let at: Vec<(usize, usize)> = curves
            .columns
            .iter()
            .enumerate()
            .filter_map(|(i, c)| Some((i, percent(c)?)))
            .collect();
        if at.is_empty() {
            return Err("it has no column of probabilities".into());
        }
        let mut cells: Cells<'_> = BTreeMap::new();
        let mut names: [BTreeMap<&str, usize>; 3] = Default::default();
        for (line, row) in curves.rows.iter().enumerate() {
            let order = ORDERS.iter().position(|o| *o == row[3]);
            let order = order.ok_or_else(|| format!("line {}: \"{}\" is no order", line + 3, row[3]))?;
            for (names, name) in names.iter_mut().zip(row) {
                let next = names.len();
                names.entry(name).or_insert(next);
            }
            let values: Option<Vec<f64>> = at.iter().map(|&(i, _)| row[i].parse().ok()).collect();
            if let Some(values) = values {
                cells.insert((&row[0], &row[1], &row[2], order), values);
            }
        }
        let [pictures, methods, imputers] = names.map(in_order);
        let complete = |picture: &str, imputer: &str| {
            let has = |m: &&str| (0..2).all(|o| cells.contains_key(&(picture, *m, imputer, o)));
            methods.iter().all(has)
        };
        let of = |imputer: &str| pictures.iter().filter(|p| complete(p, imputer)).count();
        let most = imputers.iter().map(|i| of(i)).max().unwrap_or(0);
        let (imputers, left_out): (Vec<&str>, Vec<&str>) = imputers.iter().partition(|i| 2 * of(i) > most);
        let all = pictures.len();
        let whole = |p: &&str| imputers.iter().all(|i| complete(p, i));
        let pictures: Vec<&str> = pictures.into_iter().filter(whole).collect();
        let facts: BTreeMap<(&str, &str), &Vec<String>> = maps
            .rows
            .iter()
            .map(|row| ((row[0].as_str(), row[1].as_str()), row))
            .collect();
        let [whole, energy, pointing] = ["p0", "energy", "pointing"].map(|c| maps.column(c));
        let (whole, energy, pointing) = (whole?, energy?, pointing?);
        let fact = |p: &str, m: &str, column: usize| facts.get(&(p, m)).and_then(|row| row[column].parse::<f64>().ok());
        let of_maps = |column: usize| -> Vec<Vec<Option<f64>>> {
            pictures
                .iter()
                .map(|p| methods.iter().map(|m| fact(p, m, column)).collect())
                .collect()
        };
        let curve = |p: &str, m: &str, i: &str, o: usize| cells[&(p, m, i, o)].clone();
        Ok(Self {
            curves: pictures
                .iter()
                .map(|p| {
                    let method = |m: &&str| {
                        imputers
                            .iter()
                            .map(|i| [curve(p, m, i, 0), curve(p, m, i, 1)])
                            .collect()
                    };
                    methods.iter().map(method).collect()
                })
                .collect(),
            energy: of_maps(energy),
            pointing: of_maps(pointing),
            whole: pictures
                .iter()
                .map(|p| methods.iter().find_map(|m| fact(p, m, whole)).unwrap_or(f64::NAN))
                .collect(),
            incomplete: all - pictures.len(),
            percents: at.iter().map(|&(_, p)| p).collect(),
            pictures: owned(&pictures),
            methods: owned(&methods),
            imputers: owned(&imputers),
            left_out: owned(&left_out),
        })
    }

    fn kind(&self, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
        (0..self.methods.len()).filter(|&m| wanted(&self.methods[m])).collect()
    }

    /// The methods that explain: neither controls nor degraded.
    pub fn explanations(&self) -> Vec<usize> {
        self.kind(|id| attribution::find(id).is_ok_and(|m| m.meta().family != Family::Control))
    }

    /// Explanations and controls, none degraded.
    pub fn whole_maps(&self) -> Vec<usize> {
        self.kind(|id| attribution::find(id).is_ok())
    }

    fn method(&self, id: &str) -> Option<usize> {
        self.methods.iter().position(|m| m == id)
    }

    /// Mean probability over the shares, of one picture.
    fn area(&self, picture: usize, method: usize, imputer: usize, order: usize) -> f64 {
        let curve = &self.curves[picture][method][imputer][order];
        curve.iter().sum::<f64>() / curve.len() as f64
    }

    /// How far one imputer ranks methods alike in both orders: minus Spearman's correlation of the mean probabilities, at each
    /// share, averaged. 1: what falls fastest when it is removed first stays highest when it is removed last.
    pub fn consistency(&self, imputer: usize, methods: &[usize]) -> Option<Estimate> {
        bootstrap(self.pictures.len(), "consistency", |drawn| {
            mean((0..self.percents.len()).filter_map(|k| {
                let of = |order: usize| -> Vec<f64> {
                    let at = |m: usize| {
                        drawn
                            .iter()
                            .map(move |&p| self.curves[p][m][imputer][order][k])
                            .sum::<f64>()
                    };
                    methods.iter().map(|&m| at(m)).collect()
                };
                spearman(&of(0), &of(1)).map(|r| -r)
            }))
        })
    }

    /// How far one imputer ranks methods as their maps' share inside the known object does: Spearman's correlation, the mean
    /// of both orders.
    pub fn agreement(&self, imputer: usize, methods: &[usize], truth: Truth) -> Option<Estimate> {
        let known = match truth {
            Truth::Energy => &self.energy,
            Truth::Pointing => &self.pointing,
        };
        bootstrap(self.pictures.len(), "agreement", |drawn| {
            let inside: Vec<f64> = methods
                .iter()
                .map(|&m| mean(drawn.iter().filter_map(|&p| known[p][m])))
                .collect::<Option<_>>()?;
            let by = |order: usize| -> Option<f64> {
                let sign = if order == 0 { -1.0 } else { 1.0 };
                let scores: Vec<f64> = methods
                    .iter()
                    .map(|&m| sign * drawn.iter().map(|&p| self.area(p, m, imputer, order)).sum::<f64>())
                    .collect();
                spearman(&scores, &inside)
            };
            Some(f64::midpoint(by(0)?, by(1)?))
        })
    }

    /// What blurring a map changes: by how much the blurred map's score is better than its source's, the mean of both orders.
    pub fn blur(&self, imputer: usize) -> Option<Estimate> {
        let (sharp, blurred) = (self.method(SHARP)?, self.method(BLURRED)?);
        let gain = |p: usize| {
            let by = |order: usize| self.area(p, blurred, imputer, order) - self.area(p, sharp, imputer, order);
            f64::midpoint(by(1), -by(0))
        };
        sample::of_mean(&(0..self.pictures.len()).map(gain).collect::<Vec<_>>(), "blur")
    }

    /// The probability that is left, over the picture's own, while an explanation's best pixels are removed: the mean over
    /// explanations and shares.
    pub fn left(&self, imputer: usize) -> Option<Estimate> {
        let methods = self.explanations();
        let left = |p: usize| mean(methods.iter().map(|&m| self.area(p, m, imputer, 0))).map(|v| v / self.whole[p]);
        let values: Vec<f64> = (0..self.pictures.len())
            .filter_map(left)
            .filter(|v| v.is_finite())
            .collect();
        sample::of_mean(&values, "left")
    }

    /// How much more probability random pixels leave than an explanation's best ones.
    pub fn beyond_random(&self, imputer: usize) -> Option<Estimate> {
        let (methods, random) = (self.explanations(), self.method(RANDOM)?);
        let gap = |p: usize| {
            mean(
                methods
                    .iter()
                    .map(|&m| self.area(p, random, imputer, 0) - self.area(p, m, imputer, 0)),
            )
        };
        sample::of_mean(
            &(0..self.pictures.len()).filter_map(gap).collect::<Vec<_>>(),
            "beyond-random",
        )
    }

    /// Whether scores put versions of one map, scrambled more and more, in their order: Spearman's correlation a picture, the
    /// mean of both orders. Pictures on which no version differs count as 0.
    pub fn separation(&self, imputer: usize) -> Option<Estimate> {
        let source = self
            .methods
            .iter()
            .find_map(|m| m.split_once('~'))
            .map(|(source, _)| source)?;
        let mut versions = vec![self.method(source)?];
        for level in LEVELS {
            versions.push(self.method(&name(source, level))?);
        }
        let levels: Vec<f64> = (0..versions.len()).map(|k| k as f64).collect();
        let one = |p: usize| {
            let by = |order: usize| {
                let sign = if order == 0 { 1.0 } else { -1.0 };
                let scores: Vec<f64> = versions
                    .iter()
                    .map(|&m| sign * self.area(p, m, imputer, order))
                    .collect();
                spearman(&levels, &scores).unwrap_or(0.0)
            };
            f64::midpoint(by(0), by(1))
        };
        sample::of_mean(&(0..self.pictures.len()).map(one).collect::<Vec<_>>(), "separation")
    }

    /// The mean curve over pictures and explanations: share in percent, probability.
    pub fn mean_curve(&self, imputer: usize, order: usize) -> Vec<(f64, f64)> {
        let methods = self.explanations();
        let count = (self.pictures.len() * methods.len()).max(1) as f64;
        let at = |k: usize| {
            let of = |p: usize| {
                methods
                    .iter()
                    .map(|&m| self.curves[p][m][imputer][order][k])
                    .sum::<f64>()
            };
            (0..self.pictures.len()).map(of).sum::<f64>() / count
        };
        let start = (0.0, mean(self.whole.iter().copied()).unwrap_or(f64::NAN));
        let rest = self.percents.iter().enumerate().map(|(k, &p)| (p as f64, at(k)));
        [start].into_iter().chain(rest).collect()
    }

    /// Whether it is known where the objects are.
    pub fn has_truth(&self) -> bool {
        self.energy.iter().flatten().any(Option::is_some)
    }

    /// Mean share of positive relevance inside the object, and share of maxima in it, of a method.
    pub fn truth(&self, method: usize) -> Option<[f64; 2]> {
        let of = |known: &Vec<Vec<Option<f64>>>| mean(known.iter().filter_map(|p| p[method]));
        Some([of(&self.energy)?, of(&self.pointing)?])
    }
}

/// What is known to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// The share of a map's positive relevance that lies in the object.
    Energy,
    /// Whether the map's maximum does.
    Pointing,
}

fn in_order(names: BTreeMap<&str, usize>) -> Vec<&str> {
    let mut names: Vec<(usize, &str)> = names.into_iter().map(|(name, at)| (at, name)).collect();
    names.sort_unstable();
    let unique: BTreeSet<&str> = names.iter().map(|(_, name)| *name).collect();
    debug_assert_eq!(unique.len(), names.len());
    names.into_iter().map(|(_, name)| name).collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&n| n.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::study::table::head;

    const PERCENTS: [usize; 3] = [10, 50, 90];
    /// Maps and how good they are.
    const MAPS: [(&str, f64); 9] = [
        ("gradient", 0.5),
        ("grad-cam", 0.9),
        ("grad-cam~20", 0.7),
        ("grad-cam~40", 0.6),
        ("grad-cam~60", 0.4),
        ("grad-cam~80", 0.3),
        ("lrp", 0.8),
        ("random", 0.1),
        ("blurred", 0.6),
    ];

    /// An imputer that is right: the better the map, the lower MoRF and the higher LeRF. One that turns LeRF over. One that puts the
    /// whole answer back.
    fn tables() -> (Table, Table) {
        let mut curves = head("asked", &curve_columns(&PERCENTS));
        let mut maps = head("asked", MAP_COLUMNS);
        for p in 0..10 {
            for (map, good) in MAPS {
                let jitter = 0.001 * f64::from(p);
                for imputer in ["right", "turned", "hides"] {
                    for (order, sign) in [("morf", -1.0), ("lerf", 1.0)] {
                        let value = |k: usize| match (imputer, order) {
                            ("hides", _) => 0.8,
                            ("turned", "lerf") => 0.4 - 0.3 * good - 0.01 * k as f64 + jitter,
                            _ => 0.4 + sign * 0.3 * good - 0.01 * k as f64 + jitter,
                        };
                        let cells: Vec<String> = (0..3).map(|k| value(k).to_string()).collect();
                        let _ = writeln!(curves, "{p},{map},{imputer},{order},{},0,0,0,", cells.join(","));
                    }
                }
                let _ = writeln!(maps, "{p},{map},x,0.8,2,{good},1,1,1,5");
            }
        }
        // A picture that was stopped half-way, and an imputer that was begun.
        curves += "late,gradient,right,morf,0.1,0.1,0.1,0,0,0,\n0,gradient,begun,morf,0.1,0.1,0.1,0,0,0,\n";
        (
            Table::parse(&curves, CURVE_WORDS).unwrap(),
            Table::parse(&maps, MAP_WORDS).unwrap(),
        )
    }

    #[test]
    fn what_is_built_in_is_found() {
        let (curves, maps) = tables();
        let study = Study::new(&curves, &maps).unwrap();
        assert_eq!((study.pictures.len(), study.incomplete), (10, 1));
        assert_eq!(
            (study.imputers.join(" "), study.left_out.join(" ")),
            ("right turned hides".into(), "begun".into())
        );
        let (explain, whole) = (study.explanations(), study.whole_maps());
        assert_eq!((explain.len(), whole.len()), (3, 5));
        let value = |e: Option<Estimate>| e.unwrap().value;
        let near = |found: Option<Estimate>, expected: f64| {
            let found = value(found);
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        };
        near(study.consistency(0, &explain), 1.0);
        near(study.consistency(1, &explain), -1.0);
        assert_eq!(study.consistency(2, &explain), None, "equal scores rank nothing");
        near(study.agreement(0, &whole, Truth::Energy), 1.0);
        near(study.agreement(1, &whole, Truth::Energy), 0.0);
        assert_eq!(
            study.agreement(0, &whole, Truth::Pointing),
            None,
            "every map points right"
        );
        near(study.blur(0), 0.3 * 0.1);
        near(study.blur(1), 0.0);
        near(study.separation(0), 1.0);
        near(study.separation(1), 0.0);
        near(study.separation(2), 0.0);
        near(study.left(2), 1.0);
        let mean = 0.4 - 0.3 * (0.5 + 0.9 + 0.8) / 3.0 - 0.01 + 0.0045;
        near(study.left(0), mean / 0.8);
        near(study.beyond_random(0), 0.3 * ((0.5 + 0.9 + 0.8) / 3.0 - 0.1));
        near(study.beyond_random(2), 0.0);
        assert_eq!(study.truth(1).unwrap().map(|v| (v * 10.0).round() as i64), [9, 10]);
        let curve = study.mean_curve(0, 0);
        assert_eq!(curve.len(), 4);
        assert!((curve[0].1 - 0.8).abs() < 1e-12 && curve[1].1 > curve[3].1);
    }

    #[test]
    fn rows_that_are_none_are_named() {
        let (mut curves, maps) = tables();
        "sideways".clone_into(&mut curves.rows[4][3]);
        let error = Study::new(&curves, &maps).map(|_| ()).unwrap_err();
        assert!(error.contains("line 7") && error.contains("sideways"), "{error}");
        let none = Table::parse("# asked\npicture,method,imputer,order\n", 4).unwrap();
        assert!(Study::new(&none, &maps).is_err());
    }
}
