//! What the commands print: calm lines, colour only where it is wanted (a terminal, no `NO_COLOR`).

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};

pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const RED: Style = AnsiColor::Red.on_default();

/// Back to an empty line.
const CLEAR: &str = "\r\x1b[2K";
const NOTHING_TO_DO: Duration = Duration::from_secs(1);

/// Text in a style; the streams of `anstream` drop the style where it is not wanted.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

pub(crate) fn error(error: &anyhow::Error) {
    anstream::eprintln!("{} {error:#}", paint(RED, "error:"));
}

/// One line of work: shown while it goes on (on a terminal), and with its time when it is over.
pub(crate) struct Working {
    label: String,
    start: Instant,
}

impl Working {
    pub(crate) fn start(topic: &str, what: &str) -> Self {
        let label = format!("{} {what}", paint(DIM, format_args!("{topic:<7}")));
        if std::io::stderr().is_terminal() {
            anstream::eprint!("{CLEAR}{label} …");
            let _ = anstream::stderr().flush();
        }
        Self { label, start: Instant::now() }
    }

    /// Says nothing of work that turned out to be done already.
    pub(crate) fn done(self, result: &str) {
        let back = if std::io::stderr().is_terminal() { CLEAR } else { "" };
        if result.is_empty() && self.start.elapsed() < NOTHING_TO_DO {
            anstream::eprint!("{back}");
            return;
        }
        let gap = if result.is_empty() { "" } else { "  " };
        let time = paint(DIM, seconds(self.start.elapsed()));
        anstream::eprintln!("{back}{}{gap}{result}  {time}", self.label);
    }
}

/// `4.2 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// `151 KB`.
pub(crate) fn kilobytes(bytes: usize) -> String {
    format!("{} KB", bytes.div_ceil(1000))
}
