//! What a VM has once: the compiled gateway, the counters, the list of open streams and their clock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};
use scimlock::Gateway;

use crate::configure::configure;
use crate::filter::{Filter, Handle};
use crate::host;
use crate::metrics::Metrics;
use crate::stream::Callback;

proxy_wasm::main! {{
    start();
}}

/// Called once when a VM starts.
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        // The place alone: a message may hold values.
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        host::log(LogLevel::Critical, &format!("scimlock panicked{place}: this VM ends"));
    }));
    proxy_wasm::set_root_context(|_| Box::new(Root::default()));
}

#[derive(Default)]
struct Root {
    gateway: Option<Arc<Gateway>>,
    metrics: Rc<RefCell<Metrics>>,
    streams: RefCell<BTreeMap<u32, Weak<RefCell<Filter>>>>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let configured = host::plugin_configuration()
            .map_err(|failed| vec![format!("the host call `{failed}` failed")])
            .and_then(|bytes| configure(&bytes, host::verifies(), |name| std::env::var(name).ok()))
            .and_then(|gateway| {
                host::tick_every(TICK).map_err(|failed| vec![format!("the host call `{failed}` failed")])?;
                Ok(gateway)
            });
        match configured {
            Ok(gateway) => {
                let (version, digest) = (env!("CARGO_PKG_VERSION"), gateway.digest());
                host::log(LogLevel::Info, &format!("scimlock {version}, configuration {digest}"));
                for line in gateway.warnings().to_string().lines() {
                    host::log(LogLevel::Warn, line);
                }
                self.gateway = Some(Arc::new(gateway));
                true
            }
            Err(problems) => {
                problems.iter().for_each(|line| host::log(LogLevel::Error, line));
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let mut streams = self.streams.borrow_mut();
        streams.retain(|_, stream| stream.strong_count() > 0);
        for (context, stream) in streams.iter() {
            let Some(stream) = stream.upgrade() else { continue };
            if host::select(*context).is_ok()
                && let Ok(mut filter) = stream.try_borrow_mut()
            {
                filter.drive(Ok(Callback::Tick));
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        let filter = Filter::new(self.gateway.clone(), Rc::clone(&self.metrics));
        let handle = Handle(Rc::new(RefCell::new(filter)));
        self.streams.borrow_mut().insert(context, Rc::downgrade(&handle.0));
        Some(Box::new(handle))
    }
}

/// How often waiting streams are looked at.
const TICK: Duration = Duration::from_millis(250);
