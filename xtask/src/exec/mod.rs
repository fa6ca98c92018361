//! Runs one program: its output read line by line, its end explained.

pub(crate) mod command;
pub(crate) mod interrupt;
mod lines;
mod meter;
mod output;
mod search_path;
mod spawn;
mod stream;

pub(crate) use command::{Command, Outputs, Piece, Progress, Total, Word, resolve};
pub(crate) use output::{bytes_of, output_of};
pub(crate) use search_path::without_relative_entries;
pub(crate) use spawn::{redirecting_variables, started, without_starts};
pub(crate) use stream::{Heard, each_line_of, run};
