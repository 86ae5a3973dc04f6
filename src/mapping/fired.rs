//! What the rules of a pair did with one message: their numbers for audit records, and every step for explanations.

use std::sync::Arc;

use super::Rule;
use crate::bits::Bits;
use crate::document::NodeId;

/// The rules that were used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fired {
    rules: Bits,
    steps: Option<Vec<Firing>>,
}

/// One rule that wrote something, or took something away. The nodes stay in the message's document.
#[derive(Clone, Debug)]
pub(crate) struct Firing {
    /// The rule's name; nothing for what passes unmapped.
    pub(crate) rule: Arc<str>,
    /// Where the value came from, as the rule has it; nothing for constants and texts.
    pub(crate) from: Option<Arc<str>>,
    /// Where it was written.
    pub(crate) to: Arc<str>,
    /// The value that came.
    pub(crate) before: Option<NodeId>,
    /// The value that was written; nothing when one was taken away.
    pub(crate) after: Option<NodeId>,
}

impl Fired {
    /// Nothing yet. `steps`: every step is to be noted, too, for explanations.
    pub(crate) fn noting(steps: bool) -> Self {
        Self { rules: Bits::default(), steps: steps.then(Vec::new) }
    }

    /// Every step, where they are noted.
    pub(crate) fn steps(&self) -> &[Firing] {
        self.steps.as_deref().unwrap_or_default()
    }

    pub(super) fn note(&mut self, rule: &Rule) {
        self.rules.insert(rule.number);
    }

    /// Notes the rule of that number; true where its steps are to be noted, too.
    #[inline]
    pub(super) fn wants_steps(&mut self, rule: usize) -> bool {
        self.rules.insert(rule);
        self.steps.is_some()
    }

    /// Notes what a rule did; `back` on the way to the IdP.
    pub(super) fn step(&mut self, rule: &Rule, back: bool, before: Option<NodeId>, after: Option<NodeId>) {
        self.note(rule);
        let Some(steps) = &mut self.steps else { return };
        let (from, to) = if back { (&rule.provider, &rule.idp) } else { (&rule.idp, &rule.provider) };
        let Some(to) = to else { return };
        steps.push(Firing {
            rule: Arc::clone(&rule.name),
            from: from.as_ref().map(|spot| Arc::clone(&spot.path)),
            to: Arc::clone(&to.path),
            before,
            after,
        });
    }

    /// Takes the numbers of the rules.
    pub(crate) fn rules(&mut self) -> Bits {
        std::mem::take(&mut self.rules)
    }
}
