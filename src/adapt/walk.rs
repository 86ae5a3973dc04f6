//! The way through a provider's list, page by page: what is asked next, and whether what comes can be believed.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::cursor::{MAX_CURSOR, Place};
use crate::error::ScimError;
use crate::http::path::push_parameter;
use crate::profile::{PagingFacts, Style};

/// What a page of the provider says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Page {
    /// `totalResults`
    pub(crate) total: Option<u64>,
    /// `startIndex`
    pub(crate) start: Option<u64>,
    /// `nextCursor`
    pub(crate) next: Option<String>,
    /// The resources that are there.
    pub(crate) len: u64,
}

/// A way through one list.
#[derive(Debug)]
pub(crate) struct Walk {
    style: Style,
    /// The most resources the provider gives out in a list without pages.
    most: Option<u64>,
    /// The page that is asked.
    place: Place,
    /// It began with the first page.
    whole: bool,
    /// Resources of all pages until now.
    walked: u64,
    /// The cursors that were used, as digests.
    used: BTreeSet<u64>,
    /// The resources of the page before, as a digest.
    before: Option<u64>,
}

/// Resources of a page where the profile names no number: what most products take.
const PAGE: u64 = 100;

/// The resources a page is asked to have.
pub(crate) fn page_size(facts: &PagingFacts) -> u64 {
    facts.max.or(facts.default).unwrap_or(PAGE)
}

impl Walk {
    /// Goes from a place; none: from the beginning.
    pub(crate) fn new(facts: &PagingFacts, place: Option<Place>) -> Self {
        let first = match facts.style {
            Style::Cursor => Place::Page { cursor: String::new(), skip: 0 },
            Style::Index | Style::None => Place::Number(1),
        };
        let whole = place.is_none();
        let place = place.unwrap_or(first);
        // A provider may give a cursor where nobody asked for one (RFC 9865 section 2.3).
        let style = if matches!(place, Place::Page { .. }) { Style::Cursor } else { facts.style };
        let most = facts.max.filter(|_| style == Style::None);
        Self { style, most, place, whole, walked: 0, used: BTreeSet::new(), before: None }
    }

    /// Where it stands.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// Adds the parameters that ask for the page at hand, of `count` resources.
    pub(crate) fn ask(&self, query: &mut String, count: u64) {
        match (&self.place, self.style) {
            (_, Style::None) => {}
            (Place::Page { cursor, .. }, _) => {
                push_parameter(query, "cursor", cursor);
                push_parameter(query, "count", &count.to_string());
            }
            (Place::Number(number), _) => {
                push_parameter(query, "startIndex", &number.to_string());
                push_parameter(query, "count", &count.to_string());
            }
        }
    }

    /// How many resources of the page that came were looked at before.
    pub(crate) const fn skip(&self) -> u64 {
        match (&self.place, self.style) {
            (Place::Page { skip, .. }, _) => *skip,
            (Place::Number(number), Style::None) => number.saturating_sub(1),
            (Place::Number(_), _) => 0,
        }
    }

    /// Stops within the page that came: behind so many of its resources.
    pub(crate) const fn stop(&mut self, looked_at: u64) {
        match (&mut self.place, self.style) {
            (Place::Page { skip, .. }, _) => *skip = looked_at,
            (Place::Number(number), Style::None) => *number = looked_at.saturating_add(1),
            (Place::Number(number), _) => *number = number.saturating_add(looked_at),
        }
    }

    /// Goes on behind the page that came, whose resources have these ids; false: it was the last.
    pub(crate) fn turn<'a>(
        &mut self,
        page: &Page,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<bool, ScimError> {
        let lost = |detail: &str| Err(ScimError::new(502, format!("the provider's list {detail}")));
        let digest = digest(ids);
        if page.len > 0 && self.before.replace(digest) == Some(digest) {
            return lost("has the same page twice; its paging cannot be relied on");
        }
        self.walked = self.walked.saturating_add(page.len);
        match (&mut self.place, self.style) {
            (Place::Number(number), Style::Index) => {
                page.starts_at(*number)?;
                *number = number.saturating_add(page.len);
                match page.total {
                    Some(total) if *number > total => Ok(false),
                    Some(_) if page.len == 0 => lost("breaks off before its `totalResults`"),
                    Some(_) => Ok(true),
                    None => Ok(page.len > 0),
                }
            }
            (Place::Page { cursor, skip }, _) => {
                let Some(next) = &page.next else {
                    return match page.total {
                        Some(total) if self.whole && self.used.is_empty() && total > self.walked => {
                            lost("is longer than its first page, and has no `nextCursor`")
                        }
                        _ => Ok(false),
                    };
                };
                self.used.insert(self::digest([cursor.as_str()]));
                if next.len() > MAX_CURSOR {
                    return lost("has a `nextCursor` that is too long");
                }
                if self.used.contains(&self::digest([next.as_str()])) {
                    return lost("has cursors that lead in a circle");
                }
                cursor.clone_from(next);
                *skip = 0;
                Ok(true)
            }
            (Place::Number(_), _) => {
                let cut = page.total.is_some_and(|total| total > page.len)
                    || self.most.is_some_and(|most| page.len >= most);
                match cut {
                    true => {
                        let detail = "the provider does not give out lists as long as this one; ask with a filter that finds less";
                        Err(ScimError::typed(400, "tooMany", detail))
                    }
                    false => Ok(false),
                }
            }
        }
    }
}

impl Page {
    /// How many resources the whole list has, of which this page was asked for from `number` on.
    pub(crate) fn whole(&self, number: u64, count: Option<u64>) -> Result<u64, ScimError> {
        let until_here = number.saturating_sub(1).saturating_add(self.len);
        match self.total {
            // What is there counts, whatever is said.
            Some(total) if self.len > 0 => Ok(total.max(until_here)),
            Some(total) => Ok(total),
            None if count.is_none_or(|count| self.len < count) && (self.len > 0 || number == 1) => {
                Ok(until_here)
            }
            None => Err(ScimError::new(502, "the provider's list has no `totalResults`")),
        }
    }

    /// Refuses a page that is another one than was asked for.
    pub(crate) fn starts_at(&self, number: u64) -> Result<(), ScimError> {
        match self.start {
            Some(start) if start.max(1) != number && self.len > 0 => {
                let detail = "the provider's list begins elsewhere than asked for (`startIndex`); say in its profile how it pages (`paging.style`)";
                Err(ScimError::new(502, detail))
            }
            _ => Ok(()),
        }
    }
}

/// Stands for texts in sets: no more than a guard against circles hangs on it.
pub(crate) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    texts.into_iter().for_each(|text| text.hash(&mut hasher));
    hasher.finish()
}
