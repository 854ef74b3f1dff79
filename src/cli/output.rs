//! What is printed and written.

use std::io::{Cursor, Write};
use std::path::Path;

use image::{ExtendedColorType, ImageFormat};
use lucarne::{Input, Tensor, npy, picture};
use serde::Serialize;

use super::failure::Failure;

/// Writes to standard output. A reader that has gone away is no failure of ours.
pub fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints a value as JSON.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(&json(value)?);
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Failure::new(format!("the result can't be written as JSON: {e}"), ""))?;
    Ok(text + "\n")
}

/// Prints rows in aligned columns.
pub fn print_table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |k: usize| {
        rows.iter()
            .filter_map(|r| r.get(k))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &w)| format!("{cell:<w$}"))
            .collect();
        text += line.join("  ").trim_end();
        text.push('\n');
    }
    print(&text);
}

/// What a file's ending asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The raw values.
    Npy,
    /// A picture.
    Png,
    /// Values and how they came about.
    Json,
}

impl Format {
    /// By the ending of `path`, which must be among `allowed`.
    pub fn of(path: &Path, allowed: &[Self]) -> Result<Self, Failure> {
        let ending = path
            .extension()
            .map(|e| e.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let format = match ending.as_str() {
            "npy" => Some(Self::Npy),
            "png" => Some(Self::Png),
            "json" => Some(Self::Json),
            _ => None,
        };
        format.filter(|f| allowed.contains(f)).ok_or_else(|| {
            let endings: Vec<_> = allowed.iter().map(|f| f.ending()).collect();
            let message = format!("{} does not say in which form to write", path.display());
            Failure::usage(message, format!("End it in {}.", endings.join(" or ")))
        })
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Npy => ".npy",
            Self::Png => ".png",
            Self::Json => ".json",
        }
    }
}

/// Writes a file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|e| Failure::file("write", path, &e))
}

/// Writes a tensor as it is.
pub fn write_npy(path: &Path, tensor: &Tensor) -> Result<(), Failure> {
    write(path, &npy::write(tensor))
}

/// Writes a value as JSON.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    write(path, json(value)?.as_bytes())
}

/// Writes what `input` shows.
pub fn write_picture(path: &Path, input: &Input) -> Result<(), Failure> {
    let [_, height, width] = input.dims();
    write_rgb(path, width, height, &picture::to_rgb8(input))
}

/// Writes relevance `[H, W]` in diverging colours, symmetric at 0: blue lowers the target, white is nothing, red raises it.
pub fn write_heat_map(path: &Path, relevance: &Tensor) -> Result<(), Failure> {
    let (height, width) = (relevance.shape()[0], relevance.shape()[1]);
    let top = relevance.data().iter().fold(0.0f32, |top, v| top.max(v.abs()));
    let scale = if top > 0.0 { 1.0 / top } else { 0.0 };
    let rgb: Vec<u8> = relevance.data().iter().flat_map(|v| colour(v * scale)).collect();
    write_rgb(path, width, height, &rgb)
}

fn write_rgb(path: &Path, width: usize, height: usize, rgb: &[u8]) -> Result<(), Failure> {
    let mut file = Cursor::new(Vec::new());
    let fail = |e: image::ImageError| Failure::new(format!("can't make a picture of {width} by {height}: {e}"), "");
    image::write_buffer_with_format(
        &mut file,
        rgb,
        width as u32,
        height as u32,
        ExtendedColorType::Rgb8,
        ImageFormat::Png,
    )
    .map_err(fail)?;
    write(path, &file.into_inner())
}

/// From -1 to 1: dark blue, blue, near-white, orange-red, dark red; told apart with every common colour vision.
fn colour(value: f32) -> [u8; 3] {
    const STOPS: [[f32; 3]; 5] = [
        [11.0, 46.0, 110.0],
        [82.0, 146.0, 205.0],
        [247.0, 247.0, 247.0],
        [226.0, 118.0, 84.0],
        [122.0, 8.0, 28.0],
    ];
    let at = (value.clamp(-1.0, 1.0) + 1.0) * 2.0;
    let k = (at.floor() as usize).min(3);
    let share = at - k as f32;
    std::array::from_fn(|c| (STOPS[k][c] + share * (STOPS[k + 1][c] - STOPS[k][c])).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_white_at_nothing_and_fall_to_both_ends() {
        assert_eq!(colour(0.0), [247, 247, 247]);
        assert_eq!((colour(-1.0), colour(1.0)), ([11, 46, 110], [122, 8, 28]));
        let light = |v: f32| colour(v).iter().map(|&c| u32::from(c)).sum::<u32>();
        for sign in [-1.0, 1.0] {
            for k in 0..20 {
                assert!(
                    light(sign * (k + 1) as f32 / 20.0) < light(sign * k as f32 / 20.0),
                    "{sign} {k}"
                );
            }
        }
    }
}
