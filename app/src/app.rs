//! The frame around every page, and which page stands at which address. Only the server has it: going
//! from page to page is the browser's own work.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{ParamSegment, SsrMode, StaticSegment};

use crate::components::icons::IconSprite;
use crate::components::key_list::KeyList;
use crate::components::markup::escape;
use crate::components::topbar::TopBar;
use crate::pages::{
    AlertPage, AlertsPage, DashboardPage, DocsPage, DocumentPage, EditTaskPage, KeysPage,
    LoginPage, NewTaskPage, NewWorkflowPage, NotFound, RunPage, RunsPage, TasksPage, WebhookPage,
    WebhooksPage, Workbench, WorkflowPage, WorkflowsPage,
};

/// The whole user interface.
///
/// Pages render completely before they are sent (`SsrMode::Async`), so that they read without
/// JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|page: String| {
            // leptos writes a title as it is: what others named must not end it.
            if page.is_empty() { "Lanes".to_owned() } else { format!("{} – Lanes", escape(&page)) }
        }/>
        <Router>
            <IconSprite/>
            <a class="skip" href="#main">"Skip to content"</a>
            <TopBar/>
            <Routes fallback=NotFound>
                <Route path=StaticSegment("") view=Workbench ssr=SsrMode::Async/>
                <Route path=(StaticSegment("documents"), ParamSegment("id")) view=DocumentPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("docs") view=DocsPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("login") view=LoginPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("settings"), StaticSegment("keys")) view=KeysPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("runs") view=RunsPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("runs"), ParamSegment("id")) view=RunPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("tasks") view=TasksPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("tasks"), StaticSegment("new")) view=NewTaskPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("tasks"), ParamSegment("id")) view=EditTaskPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("workflows") view=WorkflowsPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("workflows"), StaticSegment("new")) view=NewWorkflowPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("workflows"), ParamSegment("id")) view=WorkflowPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("dashboard") view=DashboardPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("alerts") view=AlertsPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("alerts"), ParamSegment("id")) view=AlertPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("settings"), StaticSegment("webhooks")) view=WebhooksPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("settings"), StaticSegment("webhooks"), ParamSegment("id")) view=WebhookPage ssr=SsrMode::Async/>
            </Routes>
            <KeyList letters=crate::server::Display::of_request().letters/>
        </Router>
    }
}
