//! What the provider is to be asked for a filter of the IdP's, and how such questions are joined.

use crate::filter::{Filter, Folded};

/// What the provider is to be asked for a filter of the IdP's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Asked {
    /// Everything, nothing, or what this filter of the provider's selects.
    pub(crate) filter: Folded,
    /// True where that is just what the IdP asked for. Else it may be more, never less: the IdP's filter has to be
    /// evaluated on the view of each resource that comes.
    pub(crate) exact: bool,
}

impl Asked {
    /// Everything, where nothing narrower can be asked.
    pub(super) const ANYTHING: Self = Self { filter: Folded::Constant(true), exact: false };

    pub(super) const fn exactly(filter: Filter) -> Self {
        Self { filter: Folded::Filter(filter), exact: true }
    }

    pub(super) const fn constant(constant: bool) -> Self {
        Self { filter: Folded::Constant(constant), exact: true }
    }

    /// The same, perhaps wider than it should be.
    pub(super) const fn wider(mut self) -> Self {
        // Nothing cannot be too much.
        self.exact = matches!(self.filter, Folded::Constant(false));
        self
    }

    pub(super) fn not(self) -> Self {
        match (self.exact, self.filter) {
            (false, _) => Self::ANYTHING,
            (true, Folded::Constant(constant)) => Self::constant(!constant),
            (true, Folded::Filter(Filter::Not(filter))) => Self::exactly(*filter),
            (true, Folded::Filter(filter)) => Self::exactly(Filter::Not(Box::new(filter))),
        }
    }

    pub(super) fn and(list: Vec<Self>) -> Self {
        let exact = list.iter().all(|each| each.exact);
        let mut filters = Vec::new();
        for each in list {
            match each.filter {
                Folded::Constant(false) => return Self::constant(false),
                Folded::Constant(true) => {}
                Folded::Filter(filter) if filters.contains(&filter) => {}
                Folded::Filter(filter) => filters.push(filter),
            }
        }
        let filter =
            if filters.is_empty() { Folded::Constant(true) } else { Folded::Filter(Filter::and(filters)) };
        Self { filter, exact }
    }

    pub(super) fn or(list: Vec<Self>) -> Self {
        let exact = list.iter().all(|each| each.exact);
        let mut filters = Vec::new();
        for each in list {
            match each.filter {
                Folded::Constant(true) => return Self { filter: Folded::Constant(true), exact: each.exact },
                Folded::Constant(false) => {}
                Folded::Filter(filter) if filters.contains(&filter) => {}
                Folded::Filter(filter) => filters.push(filter),
            }
        }
        let filter =
            if filters.is_empty() { Folded::Constant(false) } else { Folded::Filter(Filter::or(filters)) };
        Self { filter, exact }
    }
}
