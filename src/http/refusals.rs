//! The answers that many operations have besides their own, for the description: every refusal is a
//! problem, and is documented where it can be met.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

/// An answer that is a problem.
pub(super) fn problem(description: &str) -> Response {
    refusal(description, "Problem", "application/problem+json")
}

/// An answer that is a refusal in OpenAI's form.
pub(super) fn openai(description: &str) -> Response {
    refusal(description, "OpenAiError", "application/json")
}

fn refusal(description: &str, schema: &str, media_type: &str) -> Response {
    let schema = Ref::from_schema_name(schema);
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(media_type, content).build()
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $form:ident $name:ident: $($status:literal $text:literal),+;)+) => {$(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_owned(), $form($text).into())),+])
            }
        }
    )+};
}

refusals! {
    /// Of operations that read a body.
    problem Body:
        "413" "The body is too large",
        "415" "The body is of another media type than those that are read",
        "422" "What the body says is wrong; `errors` says where";
    /// Of operations on one thing.
    problem Missing: "404" "There is no such thing";
    /// Of operations that depend on how things stand.
    problem Conflict: "409" "It cannot be done as things stand; `detail` says why";
    /// Of operations with parameters.
    problem Wrong: "422" "A parameter is wrong; `errors` says which";
    /// Of the sign that the program is ready.
    problem NotReady: "503" "It could not: its store cannot be written, or it is stopping";
    /// Of the question for one model.
    openai NoModel:
        "400" "The name is not UTF-8",
        "404" "There is no such model";
    /// Of the door for OpenAI's clients.
    openai ChatRefused:
        "400" "The request is wrong, or the provider refuses it; `param` says where",
        "404" "There is no such model",
        "413" "The request is larger than 32 MB",
        "415" "The body is not said to be JSON",
        "429" "The provider allows no more for now, also after retries; or this client asks too often",
        "500" "Something went wrong inside Lanes; its log says what",
        "502" "The provider fails, also after retries and with its fallbacks",
        "503" "The program is stopping; try again",
        "504" "The provider did not answer in time, also after retries";
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
