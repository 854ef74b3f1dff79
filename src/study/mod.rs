//! The study of removal: what its files hold, and everything that is computed from them. No network runs here: tables,
//! figures and text come from the committed rows alone, and are the same bytes every time.

pub mod criteria;
pub mod degrade;
pub mod figure;
pub mod removal;
pub mod report;
pub mod sample;
pub mod table;

pub use table::Table;
