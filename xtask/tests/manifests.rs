//! The manifests and Helm values of a cluster, as files: what every one of them
//! must say, what none may say twice, and what the charts make of the values.

#[path = "manifests/charts.rs"]
mod charts;
#[path = "manifests/files.rs"]
mod files;
#[path = "manifests/objects.rs"]
mod objects;
#[path = "manifests/pins.rs"]
mod pins;
