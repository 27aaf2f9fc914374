//! One question and its answer: what is sent, and what is counted when the provider counts nothing.
//!
//! `client` sends what is made here.

use std::sync::Arc;

use async_openai::types::chat::{
    ChatCompletionRequestMessage, ChatCompletionRequestMessageContentPartImage,
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage,
    ChatCompletionRequestUserMessageContent, ChatCompletionRequestUserMessageContentPart,
    ChatCompletionStreamOptions, CreateChatCompletionRequest, ImageUrl, ResponseFormat,
    ResponseFormatJsonSchema,
};
use base64::Engine;
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use lanes_model::{Failure, FailureKind, Finish, Output, Schema, Temperature, Usage, UsdMicros};

use crate::{endpoint, tokens};

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChatRequest {
    /// Which model is asked.
    pub model: String,
    /// The system message; none is sent when this is empty.
    pub system: String,
    /// The user's message.
    pub user: String,
    /// The most tokens of the answer; 0 leaves it to the provider.
    pub max_tokens: u32,
    /// How freely the model chooses its words; `None` sends nothing, for reasoning models refuse it.
    pub temperature: Option<Temperature>,
    /// What the answer must look like: a schema is sent along, the rest is for the messages to say.
    pub output: Output,
    /// Images that belong to the user's message.
    pub images: Vec<ImagePart>,
    /// Headers for this request alone.
    pub headers: Vec<(String, String)>,
}

/// An image of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePart {
    /// What it is, such as `image/png`.
    pub media_type: String,
    /// The file.
    pub data: Arc<[u8]>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its text; may be empty.
    pub text: String,
    /// The tokens used, as the provider reported them, or counted here and marked as estimated.
    pub usage: Usage,
    /// Its cost at list price; `None` when the model's price is not known.
    pub cost: Option<UsdMicros>,
    /// Why it ended.
    pub finish: Finish,
}

/// The body of a request. `newer` says by which name the limit of tokens goes: OpenAI's newer models
/// refuse `max_tokens`, and many other servers know nothing else.
pub(crate) fn body(request: &ChatRequest, newer: bool) -> CreateChatCompletionRequest {
    let mut messages = Vec::with_capacity(2);
    if !request.system.is_empty() {
        messages.push(ChatCompletionRequestMessage::System(
            ChatCompletionRequestSystemMessage::from(request.system.as_str()),
        ));
    }
    messages.push(ChatCompletionRequestMessage::User(user_message(request)));
    let limit = Some(request.max_tokens).filter(|most| *most > 0);
    #[allow(deprecated, reason = "servers that imitate OpenAI know only `max_tokens`")]
    CreateChatCompletionRequest {
        model: request.model.clone(),
        messages,
        stream: Some(true),
        stream_options: Some(ChatCompletionStreamOptions {
            include_usage: Some(true),
            include_obfuscation: None,
        }),
        max_completion_tokens: limit.filter(|_| newer),
        max_tokens: limit.filter(|_| !newer),
        #[allow(clippy::cast_possible_truncation, reason = "the nearest number of its kind")]
        temperature: request.temperature.map(|t| t.number() as f32),
        response_format: request.output.schema().and_then(response_format),
        ..Default::default()
    }
}

/// The wish for JSON that fits a schema. Not a strict one: that would refuse every schema which does
/// not require all its fields, and the answer is checked here anyhow.
fn response_format(schema: &Schema) -> Option<ResponseFormat> {
    Some(ResponseFormat::JsonSchema {
        json_schema: ResponseFormatJsonSchema {
            description: None,
            name: "answer".to_owned(),
            schema: schema.value().ok()?,
            strict: Some(false),
        },
    })
}

/// The user's message: a plain text, or the text and the images as parts.
fn user_message(request: &ChatRequest) -> ChatCompletionRequestUserMessage {
    if request.images.is_empty() {
        return request.user.as_str().into();
    }
    let mut parts = Vec::with_capacity(1 + request.images.len());
    parts.push(ChatCompletionRequestUserMessageContentPart::Text(request.user.as_str().into()));
    parts.extend(request.images.iter().map(|image| {
        let data = base64::engine::general_purpose::STANDARD.encode(&image.data);
        let url = format!("data:{};base64,{data}", image.media_type);
        ChatCompletionRequestUserMessageContentPart::ImageUrl(
            ChatCompletionRequestMessageContentPartImage {
                image_url: ImageUrl { url, detail: None },
                prompt_cache_breakpoint: None,
            },
        )
    }));
    ChatCompletionRequestUserMessage {
        content: ChatCompletionRequestUserMessageContent::Array(parts),
        name: None,
    }
}

/// The headers of one request.
pub(crate) fn headers(extra: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/event-stream"))]);
    for (name, value) in extra {
        let (name, value) = endpoint::header(name, value).ok_or_else(|| {
            Failure::new(
                FailureKind::InvalidRequest,
                format!("The header {name:?} has a name or value that cannot be sent."),
            )
        })?;
        map.insert(name, value);
    }
    Ok(map)
}

/// Counts the tokens of a call whose provider reported none. Off the runtime's threads, since a long
/// text takes a while.
pub(crate) async fn estimate(request: &ChatRequest, text: &str) -> Usage {
    // Around each message OpenAI's chat format puts 3 tokens and the role, and 3 before the answer.
    const AROUND: u64 = 4;
    const BEFORE: u64 = 3;
    let (system, user, text) = (request.system.clone(), request.user.clone(), text.to_owned());
    let count = move || Usage {
        input: [system, user]
            .iter()
            .filter(|message| !message.is_empty())
            .map(|message| tokens::count(message) + AROUND)
            .sum::<u64>()
            + BEFORE,
        output: tokens::count(&text),
        cached: 0,
        estimated: true,
    };
    // A failure to join means that the runtime is going down.
    let none = Usage { estimated: true, ..Usage::default() };
    tokio::task::spawn_blocking(count).await.unwrap_or(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(images: Vec<ImagePart>) -> serde_json::Value {
        let request = ChatRequest {
            model: "m".to_owned(),
            system: String::new(),
            user: "What is this?".to_owned(),
            max_tokens: 9,
            images,
            headers: Vec::new(),
            temperature: None,
            output: Output::Text,
        };
        serde_json::to_value(body(&request, false)).unwrap()["messages"][0]["content"].take()
    }

    #[test]
    fn an_image_is_sent_as_a_part_beside_the_text() {
        assert_eq!(sent(Vec::new()), "What is this?");
        let image = ImagePart { media_type: "image/png".to_owned(), data: [1, 2, 3].into() };
        let content = sent(vec![image]);
        assert_eq!(content[0], serde_json::json!({"type": "text", "text": "What is this?"}));
        assert_eq!(content[1]["type"], "image_url");
        assert_eq!(content[1]["image_url"]["url"], "data:image/png;base64,AQID");
    }
}
