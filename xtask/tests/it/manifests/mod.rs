//! The manifests and Helm values of a cluster, as files: what every one of them
//! must say, what none may say twice, and what the charts make of the values.

mod charts;
mod charts_on_tiles;
mod files;
mod objects;
mod pins;
