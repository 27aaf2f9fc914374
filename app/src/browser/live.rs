//! Following a run: one event stream a page, folded as it comes.

use lanes_model::{Micros, Progress, RunEvent, Seq};

/// What the stream brings.
#[derive(Debug, Clone)]
pub enum Message {
    /// An event of the log.
    Event(Box<RunEvent>),
    /// A piece of text.
    Progress(Progress),
    /// The run's clock at this moment.
    Clock(Micros),
    /// Why the run stands still though nobody asked for that; none: it does no more.
    Trouble(Option<String>),
    /// Nothing follows; the stream is closed.
    End,
    /// The connection is there (again).
    Connected,
    /// The connection is lost; the browser tries again by itself.
    Lost,
}

/// Follows a run's events after `after` until the current owner is cleaned up or the run ends. The
/// browser reconnects by itself with the id of the last event it saw. Does nothing on the server.
pub fn follow(run: &str, after: Seq, on_message: impl Fn(Message) + 'static) {
    #[cfg(feature = "hydrate")]
    stream::open(run, after, on_message);
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (run, after);
        drop(on_message);
    }
}

#[cfg(feature = "hydrate")]
mod stream {
    use std::cell::Cell;
    use std::rc::Rc;

    use lanes_model::{Json, Read};
    use leptos::prelude::on_cleanup;
    use send_wrapper::SendWrapper;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{EventSource, MessageEvent};

    use super::{Message, Micros, Seq};

    type Handler = Closure<dyn Fn(MessageEvent)>;

    struct Open {
        source: EventSource,
        _handlers: Vec<Handler>,
        retry: Rc<Cell<Option<gloo_timers::callback::Timeout>>>,
    }

    impl Drop for Open {
        fn drop(&mut self) {
            self.source.close();
            self.retry.take();
        }
    }

    fn parse(event: &MessageEvent) -> Option<Json> {
        Json::parse(&event.data().as_string()?)
    }

    pub(super) fn open(run: &str, after: Seq, on_message: impl Fn(Message) + 'static) {
        let slot: Rc<Cell<Option<Open>>> = Rc::new(Cell::new(None));
        connect(run.to_owned(), Rc::new(Cell::new(after)), Rc::new(on_message), Rc::clone(&slot));
        let slot = SendWrapper::new(slot);
        on_cleanup(move || drop(slot.take()));
    }

    fn connect(
        run: String,
        last: Rc<Cell<Seq>>,
        on_message: Rc<dyn Fn(Message)>,
        slot: Rc<Cell<Option<Open>>>,
    ) {
        let Ok(source) = EventSource::new(&format!("/api/runs/{run}/events?after={}", last.get()))
        else {
            on_message(Message::Lost);
            return;
        };
        let mut handlers: Vec<Handler> = Vec::new();
        let mut listen = |name: &str, handle: Box<dyn Fn(MessageEvent)>| {
            let handler = Handler::new(handle);
            let _ = source.add_event_listener_with_callback(name, handler.as_ref().unchecked_ref());
            handlers.push(handler);
        };
        let send = Rc::clone(&on_message);
        let seen = Rc::clone(&last);
        listen(
            "event",
            Box::new(move |e| {
                let event = parse(&e).map(|json| lanes_model::FlatEvent::read(&json));
                if let Some(event) = event.and_then(lanes_model::FlatEvent::event) {
                    seen.set(event.seq);
                    send(Message::Event(Box::new(event)));
                }
            }),
        );
        let send = Rc::clone(&on_message);
        listen(
            "progress",
            Box::new(move |e| {
                if let Some(progress) = parse(&e) {
                    send(Message::Progress(Read::read(&progress)));
                }
            }),
        );
        let send = Rc::clone(&on_message);
        listen(
            "clock",
            Box::new(move |e| {
                if let Some(now) = parse(&e) {
                    send(Message::Clock(Micros::read(&now)));
                }
            }),
        );
        let send = Rc::clone(&on_message);
        listen(
            "trouble",
            Box::new(move |e| {
                if let Some(why) = parse(&e) {
                    send(Message::Trouble(Read::read(&why)));
                }
            }),
        );
        let send = Rc::clone(&on_message);
        listen("open", Box::new(move |_| send(Message::Connected)));
        let send = Rc::clone(&on_message);
        let ended = source.clone();
        listen(
            "end",
            Box::new(move |_| {
                ended.close();
                send(Message::End);
            }),
        );
        let retry: Rc<Cell<Option<gloo_timers::callback::Timeout>>> = Rc::new(Cell::new(None));
        let timer = Rc::clone(&retry);
        let failed = source.clone();
        let again = Rc::downgrade(&slot);
        listen(
            "error",
            Box::new(move |_| {
                on_message(Message::Lost);
                // The browser gives up after an HTTP error (a server that restarts): go on here.
                if failed.ready_state() == EventSource::CLOSED {
                    let (run, last, send) = (run.clone(), Rc::clone(&last), Rc::clone(&on_message));
                    let again = again.clone();
                    let fired = Rc::clone(&timer);
                    timer.set(Some(gloo_timers::callback::Timeout::new(1_000, move || {
                        // What replaces the stream must not drop the timer that is running.
                        if let Some(timer) = fired.take() {
                            timer.forget();
                        }
                        if let Some(slot) = again.upgrade() {
                            connect(run, last, send, slot);
                        }
                    })));
                }
            }),
        );
        slot.set(Some(Open { source, _handlers: handlers, retry }));
    }
}
