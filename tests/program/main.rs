//! The built program over real HTTP, against its own simulator: the contract other programs rely on.

mod rest;
mod support;
