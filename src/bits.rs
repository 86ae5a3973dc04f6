//! A set of small numbers: of attributes, of rules, of groups of rules.

/// Numbers in one word.
const WORD: usize = 64;

/// The numbers that are in, one bit each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// An empty set with room for the numbers below `len`; others are taken, too.
    pub(crate) fn below(len: usize) -> Self {
        Self(vec![0; len.div_ceil(WORD)])
    }

    pub(crate) fn insert(&mut self, number: usize) {
        let word = number / WORD;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (number % WORD);
        }
    }

    /// The numbers, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(word, bits)| {
            let mut left = *bits;
            std::iter::from_fn(move || {
                let at = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                usize::try_from(at).ok().map(|at| word * WORD + at)
            })
        })
    }
}
