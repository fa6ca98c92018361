//! What the tests share.

pub mod apiserver;
pub mod browser;
pub mod clients;
pub mod cluster;
pub mod fakes;
pub mod objects;
pub mod pages;
pub mod ports;
pub mod proved;
pub mod recorded;
pub mod repo;
pub mod run;
pub mod skip;
pub mod snapshot;
pub mod unshared;
pub mod wait;
pub mod web;
pub mod workshop;
pub mod world;
