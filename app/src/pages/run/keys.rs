//! The keys of the Run page, beside those of every page (`browser::enhance`). Rule: a key that a focused control needs is left to it.

use lanes_model::Micros;
use leptos::prelude::*;

use super::{Run, head, replay};
use crate::browser::{frames::now_ms, keys, place};

/// Two presses of Esc within this time stop a run, ms.
const TWICE: f64 = 2_000.0;

/// Listens for keys while the page is shown. Does nothing on the server.
pub(super) fn listen(run: Run) {
    Effect::new(move |_| {
        let escaped = std::cell::Cell::new(f64::NEG_INFINITY);
        keys::on_key(move |key| {
            if key.in_field || key.command {
                return false;
            }
            match key.name.as_str() {
                "Escape" if run.live.get_untracked() => {
                    let now = now_ms();
                    if now - escaped.replace(now) <= TWICE {
                        escaped.set(f64::NEG_INFINITY);
                        head::cancel(run);
                    }
                    false
                }
                "r" if !run.live.get_untracked() => {
                    place::go(&format!("/?from={}", run.id()));
                    true
                }
                "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown" if on("call") => {
                    super::timeline::move_focus(&key.name);
                    true
                }
                " " if !run.live.get_untracked() && !on_control() => {
                    replay::toggle(run);
                    true
                }
                "ArrowLeft" | "ArrowRight" if !run.live.get_untracked() && !on("choice") => {
                    let step = if key.shift { Micros::from_secs(1) } else { Micros(100_000) };
                    replay::step(run, step, key.name == "ArrowRight");
                    true
                }
                _ => false,
            }
        });
    });
}

/// Whether a control that Space works on has the focus.
fn on_control() -> bool {
    #[cfg(feature = "hydrate")]
    {
        focused().is_some_and(|e| {
            matches!(e.tag_name().as_str(), "A" | "BUTTON" | "SUMMARY")
                || (e.tag_name() == "INPUT" && e.get_attribute("type").as_deref() != Some("range"))
        })
    }
    #[cfg(not(feature = "hydrate"))]
    {
        false
    }
}

/// Whether something of that class has the focus.
fn on(class: &str) -> bool {
    #[cfg(feature = "hydrate")]
    {
        focused().is_some_and(|e| e.class_list().contains(class))
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = class;
        false
    }
}

#[cfg(feature = "hydrate")]
fn focused() -> Option<web_sys::Element> {
    web_sys::window()?.document()?.active_element()
}
