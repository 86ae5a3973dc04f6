//! The one page that a person sees: an operator lets an IdP have tokens for a route (RFC 6749 section 4.1).
//!
//! The operator's code is asked for each time; nothing is remembered in the browser, so nothing can be made to act
//! without the operator. The page runs no script, loads nothing and stands in no frame.

use crate::http::{Headers, Response};

/// What the page asks.
pub(super) struct Question<'q> {
    /// The route's name.
    pub(super) route: &'q str,
    /// The client's name.
    pub(super) client: &'q str,
    /// Where the browser goes afterwards.
    pub(super) redirect: &'q str,
    /// The parameters to send back with the code.
    pub(super) parameters: Vec<(&'q str, &'q str)>,
    /// The code that was entered is wrong.
    pub(super) wrong: bool,
}

impl Question<'_> {
    /// The page.
    pub(super) fn page(&self) -> Response {
        let hidden: String = self
            .parameters
            .iter()
            .map(|(name, value)| {
                format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escaped(name), escaped(value))
            })
            .collect();
        let wrong = if self.wrong { "<p><strong>This code is wrong.</strong></p>\n" } else { "" };
        let (route, client, redirect) = (escaped(self.route), escaped(self.client), escaped(self.redirect));
        let body = format!(
            "<h1>Let <em>{client}</em> provision through <em>{route}</em>?</h1>\n\
             <p>It gets tokens for this route. The browser then goes to <code>{redirect}</code>.</p>\n{wrong}\
             <form method=\"post\" autocomplete=\"off\">\n{hidden}\
             <label>Operator's code <input type=\"password\" name=\"operator\" required></label>\n\
             <button name=\"decision\" value=\"allow\">Allow</button>\n\
             <button name=\"decision\" value=\"deny\" formnovalidate>Deny</button>\n</form>\n"
        );
        page(if self.wrong { 403 } else { 200 }, &body)
    }
}

/// A page that says why nothing happens.
pub(super) fn refusal(why: &str) -> Response {
    page(400, &format!("<h1>This cannot be done</h1>\n<p>{}</p>\n", escaped(why)))
}

fn page(status: u16, body: &str) -> Response {
    let fields = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ];
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>scimlock</title>\n{body}</html>\n"
    );
    Response { status, headers: Headers::from_iter(fields), body: body.into_bytes() }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
