//! The explanation of an exchange: what was received, repaired, mapped, adapted and sent, one line of JSON a step.
//!
//! Nothing is gathered unless the host asks for it. Values are masked unless it asks for them, too; names that
//! schemas and configuration give, booleans and nulls are not values.

mod mask;

use std::cell::RefCell;

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::Call;
use crate::document::{Document, NodeId};
use crate::http::path::Query;
use crate::repair::{Repaired, Repairs};

/// The steps of an exchange, if somebody wants to see them.
#[derive(Debug, Default)]
pub(crate) struct Trace(Option<Box<Steps>>);

#[derive(Debug)]
struct Steps {
    values: bool,
    lines: RefCell<Vec<String>>,
}

impl Trace {
    /// From now on steps are gathered; with `values` they show attribute values.
    pub(crate) fn begin(&mut self, values: bool) {
        self.0 = Some(Box::new(Steps { values, lines: RefCell::default() }));
    }

    /// True when steps are gathered.
    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Takes the lines gathered since the last call.
    pub(crate) fn take(&mut self) -> Vec<String> {
        self.0.as_mut().map(|steps| std::mem::take(steps.lines.get_mut())).unwrap_or_default()
    }

    /// Adds a step of this kind. `fill` says what happened; it is not called when nobody asked.
    pub(crate) fn step(&self, kind: &'static str, fill: impl FnOnce(&mut Line)) {
        let Some(steps) = &self.0 else { return };
        let mut line = Line { out: format!(r#"{{"step":"{kind}""#), values: steps.values };
        fill(&mut line);
        line.out.push('}');
        steps.lines.borrow_mut().push(line.out);
    }

    /// The repairs of one message. `fill` adds what stood there before and after, given the patch operation's
    /// number (for a PATCH) and the attribute's path.
    pub(crate) fn repairs(
        &self,
        repairs: &Repairs,
        repaired: &Repaired,
        fill: impl Fn(&mut Line, Option<usize>, &str),
    ) {
        if !self.is_on() {
            return;
        }
        for (repair, path, operation) in repaired.placed() {
            self.step("repair", |line| {
                line.text("rule", repairs.id(repair));
                line.text("repair", repair.name());
                line.text("what", repair.text());
                line.text("path", path);
                line.text("rfc", repair.rfc());
                if let Some(source) = repairs.source(repair) {
                    line.text("evidence", source);
                }
                fill(line, operation, path);
            });
        }
    }

    /// What the gateway does because one of the two cannot do as it was asked: `what` in words, and where that is
    /// known from.
    pub(crate) fn adapted(&self, what: &str, fact: &str) {
        self.step("adaptation", |line| {
            line.text("what", what);
            line.text("fact", fact);
        });
    }

    /// The same for a message, if it is another one afterwards.
    pub(crate) fn adapted_from(&self, what: &str, fact: &str, before: &[u8], after: &[u8]) {
        if before != after {
            self.step("adaptation", |line| {
                line.text("what", what);
                line.text("fact", fact);
                line.json("before", before);
                line.json("after", after);
            });
        }
    }

    /// A request to the provider.
    pub(crate) fn call(&self, call: &Call) {
        self.step("call", |line| {
            line.text("method", call.method);
            let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
            line.text("url", &format!("{}://{}{path}", call.scheme.as_str(), call.authority));
            line.query(query);
            line.json("body", &call.body);
        });
    }

    /// The provider's answer.
    pub(crate) fn reply(&self, status: u16, body: &[u8]) {
        self.step("reply", |line| {
            line.number("status", status.into());
            line.json("body", body);
        });
    }

    /// The answer to the IdP.
    pub(crate) fn answer(&self, status: u16, body: &[u8]) {
        self.step("answer", |line| {
            line.number("status", status.into());
            line.payload("body", body, true);
        });
    }
}

/// One step as it is written.
#[derive(Debug)]
pub(crate) struct Line {
    out: String,
    values: bool,
}

impl Line {
    /// Text of schemas, profiles, configuration or the engine: shown as it is.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.raw(name, &Value::from(text).to_string());
    }

    /// A number that is no attribute's value.
    pub(crate) fn number(&mut self, name: &str, number: u64) {
        self.raw(name, &number.to_string());
    }

    /// A payload; nothing for an empty one.
    pub(crate) fn json(&mut self, name: &str, bytes: &[u8]) {
        self.payload(name, bytes, false);
    }

    fn payload(&mut self, name: &str, bytes: &[u8], own: bool) {
        if bytes.is_empty() {
            return;
        }
        match str::from_utf8(bytes).ok().filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok()) {
            Some(text) if self.values => self.raw(name, text),
            Some(text) => self.raw(name, &mask::json(text, own)),
            None => self.text(name, &format!("({} bytes that are not JSON)", bytes.len())),
        }
    }

    /// A part of a payload; nothing where there is none.
    pub(crate) fn node(&mut self, name: &str, document: &Document, node: Option<NodeId>) {
        if let Some(node) = node {
            self.json(name, &document.write(node));
        }
    }

    /// A filter or a path, whose literals are values.
    pub(crate) fn filter(&mut self, name: &str, text: &str) {
        match self.values {
            true => self.text(name, text),
            false => self.text(name, &mask::filter(text)),
        }
    }

    /// The parameters of a query.
    pub(crate) fn query(&mut self, query: &str) {
        for (name, value) in Query::parse(query).iter().flat_map(Query::iter) {
            match name {
                "filter" => self.filter(name, value),
                _ => self.text(name, value),
            }
        }
    }

    fn raw(&mut self, name: &str, json: &str) {
        self.out.push(',');
        self.out.push_str(&Value::from(name).to_string());
        self.out.push(':');
        self.out.push_str(json);
    }
}

#[cfg(test)]
mod tests;
