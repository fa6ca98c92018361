//! Runs one program: its output read line by line, its end explained.

pub mod command;
pub mod interrupt;
mod lines;
mod meter;
mod output;
mod spawn;
mod stream;

pub use command::{Command, Outputs, Piece, Progress, Total, Word, resolve};
pub use output::output_of;
pub use spawn::{cannot_start, prepare, redirecting_variables};
pub use stream::{Heard, each_line_of, run};
