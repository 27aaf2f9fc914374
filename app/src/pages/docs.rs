//! The REST API described, for people: what `/openapi.json` says, as one page that needs nothing but
//! itself. Rendered once; nothing in it moves.

mod schema;

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use serde_json::Value;

use schema::{SchemaCard, kind, pretty, prose};

/// The description that the page shows (OpenAPI 3.1); the server provides it.
#[derive(Clone)]
pub struct ApiDescription(pub Arc<Value>);

/// The methods in the order in which people see them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation of the description.
#[derive(Clone)]
struct Operation {
    method: &'static str,
    path: String,
    about: Value,
}

impl Operation {
    fn id(&self) -> String {
        text(&self.about, "operationId")
    }

    fn is_of(&self, tag: &str) -> bool {
        self.about["tags"].as_array().is_some_and(|tags| tags.iter().any(|t| t == tag))
    }
}

/// A text of an object; empty when it has none.
fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_default().to_owned()
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn operations(api: &Value) -> Vec<Operation> {
    let of_path = |(path, item): (&String, &Value)| {
        let of = METHODS.into_iter().filter_map(|method| {
            let about = item.get(method)?.clone();
            Some(Operation { method, path: path.clone(), about })
        });
        of.collect::<Vec<_>>()
    };
    entries(&api["paths"]).flat_map(of_path).collect()
}

/// The page at `/docs`.
#[component]
pub fn DocsPage() -> impl IntoView {
    let api = use_context::<ApiDescription>().map(|api| api.0).unwrap_or_default();
    let all = operations(&api);
    let tags: Vec<(String, String)> = api["tags"]
        .as_array()
        .map(|tags| tags.iter().map(|t| (text(t, "name"), text(t, "description"))).collect())
        .unwrap_or_default();
    let about = text(&api["info"], "description");
    let paragraphs: Vec<_> = about.split("\n\n").map(str::to_owned).collect();
    let contents = tags.clone().into_iter().map(|(tag, about)| {
        let of: Vec<_> = all.iter().filter(|o| o.is_of(&tag)).cloned().collect();
        view! {
            <section>
                <h3>{tag}</h3>
                <p class="hint">{about}</p>
                <ul class="doc-list">
                    {of.into_iter().map(|o| view! {
                        <li><a href=format!("#{}", o.id())>
                            <code>{format!("{} {}", o.method.to_uppercase(), o.path)}</code>
                        </a></li>
                    }).collect_view()}
                </ul>
            </section>
        }
    });
    let contents = contents.collect_view();
    let operations = tags
        .into_iter()
        .flat_map(|(tag, _)| all.iter().filter(|o| o.is_of(&tag)).cloned().collect::<Vec<_>>());
    let operations =
        operations.map(|operation| view! { <OperationCard operation/> }).collect_view();
    let schemas = entries(&api["components"]["schemas"]).map(|(name, schema)| {
        view! { <SchemaCard name=name.clone() schema=schema.clone()/> }
    });
    let schemas = schemas.collect_view();
    view! {
        <Title text="REST API"/>
        <main id="main" class="page api">
            <div class="page-head">
                <div>
                    <h1>{format!("REST API, version {}", text(&api["info"], "version"))}</h1>
                    {paragraphs.into_iter().map(|p| view! { <p class="hint">{prose(&p)}</p> }).collect_view()}
                </div>
                <a class="btn btn--small" href="/openapi.json">"openapi.json"</a>
            </div>
            <nav class="card" aria-labelledby="h-contents">
                <div class="card-head"><h2 id="h-contents">"Contents"</h2></div>
                <div class="card-body doc-contents">{contents}</div>
            </nav>
            {operations}
            <h2 id="schemas">"Schemas"</h2>
            {schemas}
        </main>
    }
}

#[component]
fn OperationCard(operation: Operation) -> impl IntoView {
    let id = operation.id();
    let Operation { method, path, about } = operation;
    let heading = format!("h-{id}");
    let name = format!("{} {path}", method.to_uppercase());
    let lines: Vec<_> = text(&about, "description").lines().map(str::to_owned).collect();
    let more = (!lines.is_empty()).then(|| view! { <p>{prose(&lines.join(" "))}</p> });
    let parameters = about["parameters"].as_array().cloned().unwrap_or_default();
    let responses: Vec<_> =
        entries(&about["responses"]).map(|(s, r)| (s.clone(), r.clone())).collect();
    let bodies: Vec<_> = entries(&about["requestBody"]["content"])
        .map(|(media, body)| (media.clone(), body.clone()))
        .collect();
    view! {
        <section class="card" id=id aria-labelledby=heading.clone()>
            <div class="card-head">
                <h2 id=heading.clone()>
                    <span class="badge badge--live">{method.to_uppercase()}</span>
                    " "
                    <code>{path}</code>
                </h2>
            </div>
            <div class="card-body">
                <p>{prose(&text(&about, "summary"))}</p>
                {more}
                {(!parameters.is_empty()).then(|| view! { <Parameters id=name.clone() parameters/> })}
                {bodies.into_iter().map(|(media, body)| view! { <RequestBody media body/> }).collect_view()}
                <Responses id=name.clone() responses/>
            </div>
        </section>
    }
}

#[component]
fn Parameters(id: String, parameters: Vec<Value>) -> impl IntoView {
    let rows = parameters.into_iter().map(|p| {
        view! {
            <tr>
                <th scope="row"><code>{text(&p, "name")}</code></th>
                <td>{text(&p, "in")}</td>
                <td>{kind(&p["schema"])}</td>
                <td class="told">{prose(&text(&p, "description"))}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <h3>"Parameters"</h3>
        <div class="scroll" tabindex="0" role="region" aria-label=format!("Parameters of {id}")>
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"In"</th>
                        <th scope="col">"Type"</th>
                        <th scope="col">"What it is"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[component]
fn RequestBody(media: String, body: Value) -> impl IntoView {
    let one = body.get("example").map(|example| ("Example".to_owned(), example.clone()));
    let many = entries(&body["examples"]).map(|(name, example)| {
        let summary = text(example, "summary");
        (if summary.is_empty() { name.clone() } else { summary }, example["value"].clone())
    });
    let examples = one.into_iter().chain(many).map(|(name, example)| {
        view! {
            <p class="hint">{name}</p>
            <pre class="doc-text" tabindex="0">{pretty(&example)}</pre>
        }
    });
    let examples = examples.collect_view();
    view! {
        <h3>"Body"</h3>
        <p><code>{media}</code>": "{kind(&body["schema"])}</p>
        {examples}
    }
}

#[component]
fn Responses(id: String, responses: Vec<(String, Value)>) -> impl IntoView {
    let rows = responses.into_iter().map(|(status, response)| {
        let kinds = entries(&response["content"]).map(|(media, content)| {
            view! { <div><code>{media.clone()}</code>" "{kind(&content["schema"])}</div> }
        });
        let kinds = kinds.collect_view();
        view! {
            <tr>
                <th scope="row">{status}</th>
                <td class="told">{prose(&text(&response, "description"))}</td>
                <td>{kinds}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <h3>"Answers"</h3>
        <div class="scroll" tabindex="0" role="region" aria-label=format!("Answers of {id}")>
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Status"</th>
                        <th scope="col">"When"</th>
                        <th scope="col">"What"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
