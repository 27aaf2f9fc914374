//! Types of the description in words, and each named one as a table of its fields.

use leptos::prelude::*;
use serde_json::Value;

use super::{entries, text};

/// A type in words, with links to the named ones.
pub(super) fn kind(schema: &Value) -> AnyView {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let name = name.to_owned();
        return view! { <a href=format!("#schema-{name}")>{name.clone()}</a> }.into_any();
    }
    for field in ["oneOf", "anyOf", "allOf"] {
        let Some(parts) = schema[field].as_array() else { continue };
        let word = if field == "allOf" { " and " } else { " or " };
        let parts = parts.iter().enumerate();
        let parts = parts.map(|(i, part)| view! { {(i > 0).then_some(word)}{kind(part)} });
        return parts.collect_view().into_any();
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(Value::to_string).collect();
        return view! { <code>{values.join(" | ")}</code> }.into_any();
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if names.contains(&"array") {
        let null = names.contains(&"null").then_some(" or null");
        return view! { "list of "{kind(&schema["items"])}{null} }.into_any();
    }
    if names.is_empty() {
        return "anything".into_any();
    }
    let limits = match (&schema["minimum"], &schema["maximum"]) {
        (Value::Number(from), Value::Number(to)) => format!(", {from} to {to}"),
        (Value::Number(from), _) => format!(", from {from}"),
        _ => String::new(),
    };
    let file = if schema["format"] == "binary" { " (a file)" } else { "" };
    format!("{}{limits}{file}", names.join(" or ")).into_any()
}

/// A text in which what stands between backticks is code.
pub(super) fn prose(text: &str) -> AnyView {
    let parts = text.split('`').enumerate().map(|(i, part)| {
        let part = part.to_owned();
        match i % 2 {
            0 => part.into_any(),
            _ => view! { <code>{part}</code> }.into_any(),
        }
    });
    parts.collect_view().into_any()
}

/// An example as people read it.
pub(super) fn pretty(example: &Value) -> String {
    match example {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// A named type.
#[component]
pub(super) fn SchemaCard(name: String, schema: Value) -> impl IntoView {
    let heading = format!("h-schema-{name}");
    let about = text(&schema, "description");
    // Types that consist of others have the fields of these and their own.
    let own = std::iter::once(&schema).chain(schema["allOf"].as_array().into_iter().flatten());
    let rows: Vec<_> = own
        .flat_map(|part| {
            let required = part["required"].as_array().cloned().unwrap_or_default();
            entries(&part["properties"])
                .map(|(field, of)| {
                    let needed = required.iter().any(|r| r == field);
                    view! {
                        <tr>
                            <th scope="row">
                                <code>{field.clone()}</code>
                                {(!needed).then_some(view! { <span class="dim">" optional"</span> })}
                            </th>
                            <td>{kind(of)}</td>
                            <td class="told">{prose(&text(of, "description"))}</td>
                        </tr>
                    }
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let fields = if rows.is_empty() {
        view! { <p>{kind(&schema)}</p> }.into_any()
    } else {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label=format!("Fields of {name}")>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Field"</th>
                            <th scope="col">"Type"</th>
                            <th scope="col">"What it is"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="card" id=format!("schema-{name}") aria-labelledby=heading.clone()>
            <div class="card-head"><h3 id=heading.clone()>{name.clone()}</h3></div>
            <div class="card-body">
                <p>{prose(&about)}</p>
                {fields}
            </div>
        </section>
    }
}
