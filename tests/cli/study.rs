//! The study as one runs it: its files, their continuation, their damage; and the committed report, made again.

use std::path::{Path, PathBuf};

use super::{fails, folder, lucarne, prints, root};

/// Two pictures with their masks.
fn gallery(name: &str) -> PathBuf {
    let folder = folder(name);
    for label in ["dog", "cat"] {
        for (part, from) in [
            ("pictures", format!("{label}.png")),
            ("masks", format!("{label}-mask.png")),
        ] {
            let to = folder.join(part).join(label);
            std::fs::create_dir_all(&to).unwrap();
            std::fs::copy(
                root().join("models/objects/samples").join(from),
                to.join("one, two.png"),
            )
            .unwrap();
        }
    }
    folder
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

fn removal(folder: &Path, more: &[&str]) -> Vec<String> {
    let (pictures, masks, out) = (path(folder, "pictures"), path(folder, "masks"), path(folder, "out"));
    let words = [
        "study",
        "removal",
        "objects",
        "--photographs",
        &pictures,
        "--masks",
        &masks,
        "--out",
        &out,
        "--methods",
        "gradient",
        "grad-cam",
        "random",
        "blurred",
        "--imputers",
        "constant",
        "uniform-noise",
        "--fractions",
        "20",
        "60",
        "--workers",
        "1",
    ];
    words.iter().chain(more).map(|&w| w.to_owned()).collect()
}

/// What it prints on success; it tells its progress on standard error.
fn says(arguments: &[String]) -> String {
    let output = lucarne(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_stopped_study_goes_on_and_damage_loses_nothing() {
    let folder = gallery("study-stopped");
    let all = removal(&folder, &[]);
    says(&all);
    let file = "out/removal/objects.csv";
    let whole = text(&folder, file);
    // Two pictures; four maps and four degraded versions of one; two imputers; two orders.
    assert_eq!(whole.lines().count(), 2 + 2 * 8 * 2 * 2);
    assert!(whole.contains("\ndog/one%2C two.png,grad-cam~80,uniform-noise,lerf,"));
    assert!(says(&all).contains("64 lines, of which 64 were there before"));
    assert_eq!(text(&folder, file), whole, "nothing is computed twice");

    // Stopped in the middle of a line.
    std::fs::write(folder.join(file), &whole[..whole.len() * 2 / 3]).unwrap();
    let output = lucarne(&all);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("was cut short"));
    assert_eq!(
        lines(&text(&folder, file)),
        lines(&whole),
        "and the same numbers come again"
    );

    // Damaged in the middle: refused by line, left as it is; without that line it goes on.
    let mut rows: Vec<&str> = whole.lines().collect();
    let good = rows[9];
    rows[9] = "dog/one, two.png,what";
    let damaged = rows.join("\n") + "\n";
    std::fs::write(folder.join(file), &damaged).unwrap();
    let error = fails(1, &all);
    assert!(
        error.contains("damaged in line 10") && error.contains("take it out"),
        "{error}"
    );
    assert_eq!(text(&folder, file), damaged);
    let error = fails(1, &["study", "tables", &path(&folder, "out")]);
    assert!(error.contains("line 10"), "{error}");
    rows.remove(9);
    std::fs::write(folder.join(file), rows.join("\n") + "\n").unwrap();
    says(&all);
    let found = text(&folder, file);
    assert!(found.lines().any(|line| line == good));
    assert_eq!(lines(&found), lines(&whole));

    // Another question does not go into the same file.
    let error = fails(1, &removal(&folder, &["--seed", "7"]));
    assert!(error.contains("asked something else"), "{error}");
}

#[test]
fn shards_make_the_whole_and_tables_read_them_together() {
    let folder = gallery("study-shards");
    let whole = removal(&folder, &[]);
    says(&whole);
    let all = text(&folder, "out/removal/objects.csv");
    let parts = |k: &str| {
        let mut arguments = removal(&folder, &["--shard", k]);
        let at = arguments.iter().position(|a| a.ends_with("/out")).unwrap();
        arguments[at] = path(&folder, "parts");
        arguments
    };
    says(&parts("1/2"));
    says(&parts("2/2"));
    let (one, two) = (
        text(&folder, "parts/removal/objects.1-of-2.csv"),
        text(&folder, "parts/removal/objects.2-of-2.csv"),
    );
    let rows = |text: &str| text.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    let mut both = [rows(&one), rows(&two)].concat();
    both.sort_unstable();
    let mut expected = rows(&all);
    expected.sort_unstable();
    assert_eq!(both, expected);

    let report = |part: &str| {
        prints(&["study", "tables", &path(&folder, part)]);
        text(&folder, &format!("{part}/report.md"))
    };
    assert_eq!(report("parts"), report("out"));
    let told = text(&folder, "out/report.md");
    assert!(
        told.contains("Pictures of objects with all curves so far: 2."),
        "{told}"
    );

    merged(&folder, &report);

    // The same rows under ten names are ten pictures.
    let many = |file: &str| {
        let whole = text(&folder, &format!("out/{file}/objects.csv"));
        let mut lines = whole.lines();
        let mut out: Vec<String> = lines.by_ref().take(2).map(str::to_owned).collect();
        let rows: Vec<&str> = lines.collect();
        out.extend((0..5).flat_map(|k| rows.iter().map(move |row| format!("{k}/{row}"))));
        std::fs::create_dir_all(folder.join("many").join(file)).unwrap();
        std::fs::write(
            folder.join("many").join(file).join("objects.csv"),
            out.join("\n") + "\n",
        )
        .unwrap();
    };
    many("removal");
    many("maps");
    prints(&["study", "tables", &path(&folder, "many")]);
    let report = text(&folder, "many/report.md");
    let opening = "10 pictures; 2 explanations, 2 controls and 4 degraded maps; 2 imputers; removed shares 20 to 60 %";
    assert!(report.contains(opening), "{report}");
    let json: serde_json::Value = serde_json::from_str(&text(&folder, "many/report.json")).unwrap();
    let figures: Vec<&str> = json["sections"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|s| s["figures"].as_array().unwrap())
        .map(|f| f["svg"].as_str().unwrap())
        .collect();
    assert!(
        figures.len() >= 5
            && figures
                .iter()
                .all(|svg| svg.starts_with("<svg") && !svg.contains("NaN"))
    );
    prints(&["study", "tables", &path(&folder, "many")]);
    assert_eq!(report, text(&folder, "many/report.md"), "the same every time");
}

/// Puts the parts of `shards_make_the_whole` together, goes on from what is packed, and refuses what does not fit.
fn merged(folder: &Path, report: &dyn Fn(&str) -> String) {
    let parts = path(folder, "parts");
    let files = |part: &str| {
        let entries = std::fs::read_dir(folder.join(part)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    };
    // Two parts that disagree are left as they are.
    let second = folder.join("parts/removal/objects.2-of-2.csv");
    let good = std::fs::read_to_string(&second).unwrap();
    let first = text(folder, "parts/removal/objects.1-of-2.csv");
    let row = first.lines().nth(2).unwrap();
    let (of, rest) = row.split_at(row.find(",morf,").unwrap() + 6);
    let other = rest.replacen(rest.split(',').next().unwrap(), "0.123", 1);
    std::fs::write(&second, format!("{good}{of}{other}\n")).unwrap();
    let error = fails(1, &["study", "merge", &parts]);
    assert!(
        error.contains("another result of") && error.contains("Nothing was changed"),
        "{error}"
    );
    assert_eq!(files("parts/removal"), ["objects.1-of-2.csv", "objects.2-of-2.csv"]);
    // The same result twice is one.
    std::fs::write(&second, format!("{good}{row}\n")).unwrap();
    let told = prints(&["study", "merge", &parts]);
    assert!(
        told.contains("removal/objects.csv.gz: 64 lines of 2 files, 1 of them twice"),
        "{told}"
    );
    assert_eq!(files("parts/removal"), ["objects.csv.gz"]);
    assert_eq!(files("parts/maps"), ["objects.csv.gz"]);
    assert_eq!(report("parts"), report("out"));
    // What is packed is there: nothing is computed again, in whatever parts.
    let arguments = |more: &[&str]| {
        let mut arguments = removal(folder, more);
        let at = arguments.iter().position(|a| a.ends_with("/out")).unwrap();
        arguments[at].clone_from(&parts);
        arguments
    };
    assert!(says(&arguments(&[])).contains("64 lines, of which 64 were there before"));
    let error = fails(1, &arguments(&["--seed", "7"]));
    assert!(error.contains("asked something else"), "{error}");
    // An imputer is taken out, and measured again; a folder of its own is added.
    prints(&["study", "merge", &parts, "--without", "uniform-noise"]);
    assert!(says(&arguments(&[])).contains("64 lines, of which 32 were there before"));
    let more = path(folder, "more");
    let told = prints(&["study", "merge", &more, &parts]);
    assert!(
        told.contains("removal/objects.csv.gz: 64 lines of 2 files, 0 of them twice"),
        "{told}"
    );
    assert_eq!(files("parts/removal"), ["objects.csv", "objects.csv.gz"], "they stay");
    assert_eq!(report("more"), report("out"));
    // A packed file that was cut.
    let file = folder.join("more/removal/objects.csv.gz");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let error = fails(1, &["study", "tables", &more]);
    assert!(error.contains("objects.csv.gz is damaged"), "{error}");
    let error = fails(1, &["study", "merge", &path(folder, "nowhere")]);
    assert!(error.contains("no results"), "{error}");
}

#[test]
fn criteria_are_measured_on_every_kind_of_mask() {
    let folder = gallery("study-criteria");
    let (pictures, masks, out) = (path(&folder, "pictures"), path(&folder, "masks"), path(&folder, "out"));
    let arguments = [
        "study",
        "criteria",
        "objects",
        "--photographs",
        &pictures,
        "--masks",
        &masks,
        "--out",
        &out,
        "--imputers",
        "constant",
        "uniform-noise",
        "--fractions",
        "30",
        "--workers",
        "1",
    ]
    .map(str::to_owned);
    says(&arguments);
    let table = text(&folder, "out/criteria/objects.csv");
    assert_eq!(table.lines().count(), 2 + 2 * 2 * 6, "{table}");
    for kind in ["scattered", "blobs", "cells", "background", "object", "shape"] {
        assert!(table.contains(&format!(",uniform-noise,{kind},")), "{kind}");
    }
    assert!(says(&arguments).contains("24 were there before"));
    prints(&["study", "tables", &out]);
    let report = text(&folder, "out/tables/objects-criteria.csv");
    assert!(report.starts_with("imputer,PSNR%2C dB,SSIM,"), "{report}");
}

#[test]
fn what_cannot_be_studied_is_refused() {
    let folder = gallery("study-refused");
    let empty = path(&folder, "empty");
    std::fs::create_dir_all(&empty).unwrap();
    let with = |more: &[&str]| removal(&folder, more);
    let error = fails(2, &with(&["--shard", "3/2"]));
    assert!(error.contains("no part 3 of 2"), "{error}");
    let error = fails(
        1,
        &["study", "removal", "objects", "--photographs", &empty, "--out", &empty],
    );
    assert!(error.contains("there is no picture in"), "{error}");
    let error = fails(1, &["study", "tables", &empty]);
    assert!(error.contains("no results"), "{error}");
    let other = |word: &str, by: &str| {
        let swap = |w: String| if w == word { by.to_owned() } else { w };
        with(&[]).into_iter().map(swap).collect::<Vec<_>>()
    };
    let error = fails(2, &other("20", "0"));
    assert!(error.contains("percents"), "{error}");
    let error = fails(2, &other("uniform-noise", "no-such"));
    assert!(error.contains("no-such"), "{error}");
    let few = [
        "study",
        "features",
        "objects",
        "--photographs",
        &path(&folder, "pictures"),
        "-o",
        &path(&folder, "f.npy"),
    ]
    .map(str::to_owned);
    let error = fails(2, &few);
    assert!(error.contains("pictures at least"), "{error}");
    assert!(!folder.join("f.npy").exists());
    // A mask of another size than its picture.
    std::fs::write(
        folder.join("masks/dog/one, two.png"),
        std::fs::read(root().join("models/efficientnet-lite0/samples/cat.jpg")).unwrap(),
    )
    .unwrap();
    let output = lucarne(&with(&[]));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && error.contains("has the shape"), "{error}");
    assert_eq!(
        text(&folder, "out/removal/objects.csv").lines().count(),
        2 + 32,
        "the other picture is measured"
    );
}

/// The tables, figures and texts that are committed are those of the committed rows.
#[test]
fn the_committed_report_is_that_of_the_committed_rows() {
    let committed = root().join("docs/removal");
    let again = folder("study-again");
    let copy = |from: PathBuf, to: PathBuf| {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&from, &to).unwrap();
    };
    let all = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).map(|e| e.map(|e| e.unwrap().path()).collect());
        let mut found: Vec<PathBuf> = entries.unwrap_or_default();
        found.sort();
        found
    };
    for part in ["removal", "maps", "criteria"] {
        for file in all(&committed.join(part)) {
            copy(file.clone(), again.join(part).join(file.file_name().unwrap()));
        }
    }
    for name in ["networks.csv", "wasm.csv"] {
        copy(committed.join(name), again.join(name));
    }
    prints(&["study", "tables", again.to_str().unwrap()]);
    for part in ["tables", "figures", "figures/fr"] {
        let names = |folder: PathBuf| {
            all(&folder)
                .iter()
                .map(|f| f.file_name().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(committed.join(part)), names(again.join(part)));
        for file in all(&again.join(part)).iter().filter(|f| f.is_file()) {
            let name = file.file_name().unwrap();
            let same = std::fs::read(file).unwrap() == std::fs::read(committed.join(part).join(name)).unwrap();
            assert!(
                same,
                "{part}/{} is not that of the rows: `lucarne study tables docs/removal`",
                name.display()
            );
        }
    }
    for name in ["report.md", "report.json", "report.fr.md", "report.fr.json"] {
        assert_eq!(
            text(&committed, name),
            text(&again, name),
            "{name}: `lucarne study tables docs/removal`"
        );
    }
}

/// Both reports say the same things of the same numbers.
#[test]
fn the_french_report_has_the_english_ones_numbers() {
    let report =
        |name: &str| -> serde_json::Value { serde_json::from_str(&text(&root().join("docs/removal"), name)).unwrap() };
    let (english, french) = (report("report.json"), report("report.fr.json"));
    let sections = |report: &serde_json::Value| report["sections"].as_array().unwrap().clone();
    assert_eq!(sections(&english).len(), sections(&french).len());
    let numbers = |text: &str| -> Vec<String> {
        // ROAD's figures are written without their zero in English; French parts numbers with commas by semicolons.
        let text = text.replace(" .", " 0.");
        let found = text
            .split(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','))
            .map(|part| {
                let number = part.trim_matches(|c| matches!(c, '.' | ','));
                number.replace(',', ".")
            });
        found.filter(|number| !number.is_empty()).collect()
    };
    let same = |en: &serde_json::Value, fr: &serde_json::Value| {
        let (en, fr) = (en.as_str().unwrap(), fr.as_str().unwrap());
        assert_eq!(numbers(en), numbers(fr), "{en}\n{fr}");
    };
    let list = |value: &serde_json::Value, key: &str| value[key].as_array().unwrap().clone();
    for (en, fr) in sections(&english).iter().zip(&sections(&french)) {
        assert_eq!(en["id"], fr["id"]);
        assert_ne!(en["title"], fr["title"]);
        assert_eq!(list(en, "text").len(), list(fr, "text").len(), "{}", en["id"]);
        for (a, b) in list(en, "text").iter().zip(&list(fr, "text")) {
            assert_ne!(a, b);
            same(a, b);
        }
        assert_eq!(list(en, "tables").len(), list(fr, "tables").len());
        for (a, b) in list(en, "tables").iter().zip(&list(fr, "tables")) {
            assert_eq!(
                (&a["id"], list(a, "columns").len()),
                (&b["id"], list(b, "columns").len())
            );
            for (row, other) in list(a, "rows").iter().zip(&list(b, "rows")) {
                for (a, b) in row.as_array().unwrap().iter().zip(other.as_array().unwrap()) {
                    same(a, b);
                }
            }
        }
        for (a, b) in list(en, "figures").iter().zip(&list(fr, "figures")) {
            assert_eq!(a["id"], b["id"]);
            assert_ne!(a["caption"], b["caption"]);
            let points = |f: &serde_json::Value| f["svg"].as_str().unwrap().matches("<circle").count();
            assert_eq!(points(a), points(b));
        }
    }
}

/// The licences in the table of criteria are those of the photographs that the networks were trained on.
#[test]
fn the_licences_of_training_are_all_told() {
    let split = text(root(), "models/photographs/split.tsv");
    let licences = split.lines().filter(|line| line.starts_with("training\t"));
    let mut found: Vec<String> = licences
        .map(|line| {
            let licence = line.split('\t').nth(4).unwrap().to_lowercase();
            let known = lucarne::study::report::PHOTOGRAPHS.iter().map(|[en, _]| *en);
            // The longest name that begins it: CC-BY-SA-4.0 is no CC-BY.
            let named = known
                .filter(|name| licence.starts_with(&name.to_lowercase()))
                .max_by_key(|n| n.len());
            named.unwrap_or_else(|| panic!("{licence} is not told")).to_owned()
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    let mut told = lucarne::study::report::PHOTOGRAPHS
        .map(|[en, _]| en.to_owned())
        .to_vec();
    told.sort_unstable();
    assert_eq!(found, told);
}
