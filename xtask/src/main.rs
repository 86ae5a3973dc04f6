//! The developer commands of scimlock.

fn main() {}
