//! A set of small numbers: of attributes, of rules, of groups of rules.

/// Numbers in one word.
const WORD: usize = 64;

/// The numbers that are in, one bit each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    /// The numbers of the first word: often all.
    first: u64,
    more: Vec<u64>,
}

impl Bits {
    #[inline]
    pub(crate) fn insert(&mut self, number: usize) {
        if number < WORD {
            self.first |= 1 << number;
        } else {
            self.insert_more(number);
        }
    }

    fn insert_more(&mut self, number: usize) {
        let word = number / WORD - 1;
        if word >= self.more.len() {
            self.more.resize(word + 1, 0);
        }
        if let Some(word) = self.more.get_mut(word) {
            *word |= 1 << (number % WORD);
        }
    }

    /// The numbers, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        let words = std::iter::once(self.first).chain(self.more.iter().copied());
        words.enumerate().flat_map(|(word, mut left)| {
            std::iter::from_fn(move || {
                let at = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                usize::try_from(at).ok().map(|at| word * WORD + at)
            })
        })
    }
}
