//! What the local target does for every command, a file a role.

mod installation;
mod lifecycle;
mod reach;
mod reset;
mod signing;
mod trust;
