//! What outlives an exchange: provider tokens, cookie jars, key sets, verdicts, guard counts. The host keeps it.

/// One request to the host's store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreRequest {
    /// A digest of what the value belongs to and the compiled configuration it was made under.
    pub key: [u8; 32],
    /// Where the value lives.
    pub class: StoreClass,
    /// The value must not be shown, logged or written to disk.
    pub secret: bool,
    /// What to do.
    pub operation: StoreOperation,
}

/// Where a value lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreClass {
    /// In this process, answered at once.
    Local,
    /// Seen by all instances.
    Shared,
}

/// What to do with a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StoreOperation {
    /// Read it.
    Get,
    /// Write it, if the version is still `expect` (`None`: whatever is there), for `ttl` milliseconds.
    Put {
        /// The version that must still be there.
        expect: Option<u64>,
        /// The new value.
        value: Vec<u8>,
        /// Life time in milliseconds.
        ttl: u64,
    },
    /// Add to a number, for `ttl` milliseconds from the first.
    Add {
        /// What to add.
        delta: i64,
        /// Life time in milliseconds.
        ttl: u64,
    },
}
