//! Rebuilds the crate when a migration is added: `migrate!` alone notices changed files, not new
//! ones.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
