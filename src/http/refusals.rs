//! The answers that many operations have besides their own, for the description: every refusal is a
//! problem, and is documented where it can be met.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

/// An answer that is a problem.
pub(super) fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $($status:literal $text:literal),+;)+) => {$(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_owned(), problem($text).into())),+])
            }
        }
    )+};
}

refusals! {
    /// Of operations that read a body.
    Body:
        "413" "The body is too large",
        "415" "The body is of another media type than those that are read",
        "422" "What the body says is wrong; `errors` says where";
    /// Of operations on one thing.
    Missing: "404" "There is no such thing";
    /// Of operations that depend on how things stand.
    Conflict: "409" "It cannot be done as things stand; `detail` says why";
    /// Of operations with parameters.
    Wrong: "422" "A parameter is wrong; `errors` says which";
    /// Of the sign that the program is ready.
    NotReady: "503" "It could not: its store cannot be written, or it is stopping";
}

/// Of operations with an ETag.
pub struct Unchanged;

impl IntoResponses for Unchanged {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let text = "Nothing has changed since the answer with the ETag of `If-None-Match`";
        let response = ResponseBuilder::new().description(text).build();
        BTreeMap::from([("304".to_owned(), response.into())])
    }
}
