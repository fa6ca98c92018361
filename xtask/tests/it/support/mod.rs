//! What the tests share.

pub mod apiserver;
pub mod browser;
pub mod cluster;
pub mod objects;
pub mod pages;
pub mod recorded;
pub mod workshop;
pub mod world;
