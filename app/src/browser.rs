//! What only a browser has: its clock, its keyboard, its event stream. On the server each function
//! does nothing, so that views need no conditions.

pub mod display;
pub mod frames;
pub mod keys;
pub mod live;
