//! A clock that ticks while something moves on the page.

/// Milliseconds on the browser's monotonic clock; 0 on the server.
#[must_use]
pub fn now_ms() -> f64 {
    #[cfg(feature = "hydrate")]
    {
        web_sys::window().and_then(|w| w.performance()).map_or(0.0, |p| p.now())
    }
    #[cfg(not(feature = "hydrate"))]
    {
        0.0
    }
}

/// Whether the viewer asked for less motion.
#[must_use]
pub fn reduced_motion() -> bool {
    #[cfg(feature = "hydrate")]
    {
        web_sys::window()
            .and_then(|w| w.match_media("(prefers-reduced-motion: reduce)").ok().flatten())
            .is_some_and(|m| m.matches())
    }
    #[cfg(not(feature = "hydrate"))]
    {
        false
    }
}

/// Calls `tick` about 30 times a second (4 with reduced motion) until the current owner is cleaned
/// up. Does nothing on the server.
pub fn every_frame(tick: impl FnMut() + 'static) {
    #[cfg(feature = "hydrate")]
    {
        let period = if reduced_motion() { 250 } else { 33 };
        let timer = gloo_timers::callback::Interval::new(period, tick);
        let timer = send_wrapper::SendWrapper::new(timer);
        leptos::prelude::on_cleanup(move || drop(timer));
    }
    #[cfg(not(feature = "hydrate"))]
    drop(tick);
}

/// Calls `then` once, after `ms`. Does nothing on the server.
pub fn later(ms: u32, then: impl FnOnce() + 'static) {
    #[cfg(feature = "hydrate")]
    gloo_timers::callback::Timeout::new(ms, then).forget();
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = ms;
        drop(then);
    }
}
