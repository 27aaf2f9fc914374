//! What holds up a run that goes on, in words: a log that cannot be written, breakers that are open, no provider, a pause; and who
//! answers when several can. Drawn as HTML, for it changes as a whole.

use lanes_model::{Health, HoldReason, Micros, RunState, format, traffic};

use crate::components::markup::{escape, note};
use crate::components::standstill;

/// What holds it up: a heading, and more words for the eye. The heading is also said aloud.
pub(super) struct Notice {
    pub(super) heading: String,
    text: String,
    /// Whether somebody has to do something about it.
    is_bad: bool,
}

/// Everything that holds up the run at `now` on its clock; nothing once it is over.
pub(super) fn notices(state: &RunState, trouble: Option<&str>, now: Micros) -> Vec<Notice> {
    let mut all = Vec::new();
    if !state.status.is_live() {
        return all;
    }
    if let Some(why) = trouble {
        all.push(Notice {
            heading: standstill::HEADING.to_owned(),
            text: standstill::text(why),
            is_bad: true,
        });
    }
    let mut say = |heading: String, text: String| {
        all.push(Notice { heading, text, is_bad: false });
    };
    if state.paused {
        let text = "Nothing starts; what is under way goes on.".to_owned();
        say("Paused.".to_owned(), text);
    }
    let mut holds = state.passes.iter().filter_map(|p| p.holding.as_ref());
    if holds.any(|h| h.why == HoldReason::Breaker) {
        // Why not is said with each breaker.
        let text = "It goes on by itself when one does.".to_owned();
        say("Paused: no provider answers.".to_owned(), text);
    }
    for route in &state.routes {
        let name = state.header.route_name(route.route);
        match route.health {
            Health::Closed => {}
            Health::HalfOpen => {
                let text = "One attempt goes, to see whether all is well again.".to_owned();
                say(format!("Breaker half-open: {name}."), text);
            }
            Health::Open => {
                let wait = route.until.map(|until| until.since(now).0.div_ceil(1_000_000));
                let again = wait.map(|s| format!(" Tries again in {s} s.")).unwrap_or_default();
                say(format!("Breaker open: {name}."), format!("{}{again}", route.message));
            }
        }
    }
    all
}

/// The notices, and who has answered once it is not only the first.
pub(super) fn html(state: &RunState, trouble: Option<&str>, now: Micros) -> String {
    let mut html = String::new();
    for Notice { heading, text, is_bad } in notices(state, trouble, now) {
        html.push_str(&note(is_bad, &heading, text.trim()));
    }
    let traffic = traffic(state);
    if state.status.is_live() && traffic.iter().skip(1).any(|t| t.answered > 0) {
        html.push_str(r#"<ul class="chips" aria-label="Answers by route">"#);
        for (place, t) in (0..).map(lanes_model::RouteId).zip(&traffic) {
            let name = escape(&state.header.route_name(place));
            let answered = format::count(t.answered);
            html.push_str(&format!("<li>{name}: {answered} answered</li>"));
        }
        html.push_str("</ul>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::fixture;
    use lanes_model::{Hold, RouteId, RouteState, RunStatus};

    fn open() -> RunState {
        let mut state = fixture::finished("Text");
        state.status = RunStatus::Running;
        state.routes.push(RouteState {
            route: RouteId(0),
            health: Health::Open,
            until: Some(Micros::from_secs(20)),
            message: "It is <b>down</b>.".to_owned(),
            opened: 1,
        });
        state
    }

    #[test]
    fn an_open_breaker_says_why_and_when_it_is_tried_again() {
        let html = html(&open(), None, Micros(8_500_000));
        assert!(html.contains("<b>Breaker open: Simulated.</b>"), "{html}");
        assert!(
            html.contains("It is &lt;b&gt;down&lt;/b&gt;. Tries again in 12 s."),
            "what comes from outside stays text: {html}"
        );
    }

    #[test]
    fn a_run_that_waits_for_a_provider_and_one_that_is_paused_say_so() {
        let mut state = open();
        state.paused = true;
        let (from, until, why) = (Micros::ZERO, Micros::from_secs(9), HoldReason::Breaker);
        let message = "All breakers are open.".to_owned();
        state.passes[0].holding = Some(Hold { from, until, why, message });
        let headings: Vec<_> =
            notices(&state, None, Micros::ZERO).into_iter().map(|n| n.heading).collect();
        assert_eq!(
            headings,
            ["Paused.", "Paused: no provider answers.", "Breaker open: Simulated."]
        );
    }

    #[test]
    fn a_log_that_cannot_be_written_comes_first() {
        let html = html(&open(), Some("The disk is <full>."), Micros::ZERO);
        let first = html.split("</div></div>").next().unwrap();
        assert!(first.contains("note--bad") && first.contains("Nothing new is started."), "{html}");
        assert!(first.contains("The disk is &lt;full&gt;. What is under way goes on"), "{html}");
    }

    #[test]
    fn nothing_holds_up_a_run_that_is_over() {
        let mut state = open();
        state.status = RunStatus::Succeeded;
        assert_eq!(html(&state, Some("The disk is full."), Micros::ZERO), "");
    }
}
