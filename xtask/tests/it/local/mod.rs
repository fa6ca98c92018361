//! The local target from end to end: real servers, real cosign.

mod aged;
mod chapters;
mod ci;
mod clients;
mod ct_log;
mod faults;
mod labs;
mod lifetime;
mod progress;
mod proofs;
mod rotation;
mod signing;
mod surroundings;
