//! The pages, one module each.

mod not_found;
mod run;
mod runs;
mod workbench;

pub use not_found::NotFound;
pub use run::RunPage;
pub use runs::RunsPage;
pub use workbench::Workbench;
